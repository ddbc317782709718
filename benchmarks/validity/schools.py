"""Schools drawn at random around the shipped generator, to tune thresholds on more than one.

They are not reported on: the unseen generator is another one, and was fixed before.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import yaml

from pipelines.synth.parameters import Parameters, source_text

ROTATION_WEEKS = (4, 6, 8, 10)
RANGES: dict[str, dict[str, tuple[float, float]]] = {
    "school": {"busy_assessors": (1.2, 2.0), "assessors_per_learner": (0.5, 1.0)},
    "growth": {
        "levels_per_year": (0.75, 1.0),
        "learner_sd": (0.1, 0.3),
        "regressions_per_year": (0.2, 0.7),
    },
    "ability": {
        "common_share": (0.4, 0.7),
        "halo_mean": (0.3, 0.65),
        "discrimination_sd": (0.15, 0.35),
    },
    "workplace": {
        "forms_per_month": (5.5, 10.5),
        "activity_sd": (0.2, 0.4),
        "concern_base": (0.002, 0.01),
        "favoured_weight": (2.0, 4.0),
    },
    "narrative": {
        "strengths_share": (0.5, 0.8),
        "improvements_share": (0.5, 0.75),
        "concern_at_target": (0.003, 0.012),
        "concern_below_target": (0.12, 0.28),
    },
    "exams": {"essay_mean": (13.0, 15.0), "essay_noise_sd": (2.4, 3.4)},
}
COMPONENTS = {"learner": (0.12, 0.28), "stringency": (0.08, 0.24), "subjectivity": (0.15, 0.25)}
"""The case carries the rest of the variance."""
EVENNESS = 3.0
"""How alike instruments are used: the concentration of a Dirichlet distribution."""
PLACES = 3


def school(seed: int) -> Parameters:
    """Return the parameters of one school; the same seed gives the same school."""
    rng = np.random.default_rng(seed)
    told: dict[str, Any] = yaml.safe_load(source_text())
    told["version"] += f"-school-{seed}"
    told["school"]["rotation_weeks"]["value"] = int(rng.choice(ROTATION_WEEKS))
    for part, ranges in RANGES.items():
        for name, (low, high) in ranges.items():
            told[part][name]["value"] = round(float(rng.uniform(low, high)), PLACES)
    shares = {
        name: round(float(rng.uniform(low, high)), PLACES)
        for name, (low, high) in COMPONENTS.items()
    }
    shares["case"] = round(1 - sum(shares.values()), PLACES)
    instruments = told["workplace"]["instruments"]
    weights = [
        round(float(weight), PLACES) for weight in rng.dirichlet([EVENNESS] * len(instruments))
    ]
    weights[-1] = round(1 - sum(weights[:-1]), PLACES)
    for instrument, weight in zip(instruments, weights, strict=True):
        instrument["weight"]["value"] = weight
        for component, share in shares.items():
            instrument["components"][component]["value"] = share
    return Parameters.model_validate(told)
