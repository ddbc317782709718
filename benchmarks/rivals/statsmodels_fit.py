"""A rival of stringency where R has no lme4: statsmodels' crossed variance components.

Runs in an environment that has statsmodels. Crossed effects are components of one group that holds
every rating, which is the documented way.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from importlib import import_module

import pandas as pd


def main() -> int:
    """Fit a CSV of learner, assessor and level by REML."""
    warnings.simplefilter("ignore")
    ratings = pd.read_csv(sys.argv[1])
    started = time.perf_counter()
    model = import_module("statsmodels.api").MixedLM.from_formula(
        "level ~ 1",
        groups=[1] * len(ratings),
        re_formula="0",
        vc_formula={"assessor": "0 + C(assessor)", "learner": "0 + C(learner)"},
        data=ratings,
    )
    found = model.fit(reml=True)
    assert found.random_effects
    seconds = time.perf_counter() - started
    assessor, learner = (float(item) for item in found.vcomp)
    told = {
        "fit": seconds,
        "variance_learner": learner,
        "variance_assessor": assessor,
        "variance_residual": float(found.scale),
    }
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
