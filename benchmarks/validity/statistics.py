"""The few statistics that the report needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

Floats = NDArray[np.float64]
Z = 1.959964
"""Standard normal quantile of the 95 % intervals of the report."""


@dataclass(frozen=True)
class Share:
    """A share with its Wilson interval."""

    hits: int
    n: int

    @property
    def value(self) -> float | None:
        """Return the share; None where there is nothing to share."""
        return self.hits / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float]:
        """Return the Wilson interval at 95 %; everything where nothing was seen."""
        if not self.n:
            return 0.0, 1.0
        share, n = self.hits / self.n, self.n
        middle = share + Z * Z / (2 * n)
        spread = Z * np.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
        scale = 1 + Z * Z / n
        low, high = (middle - spread) / scale, (middle + spread) / scale
        return max(0.0, float(low)), min(1.0, float(high))

    def as_json(self) -> dict[str, object]:
        """Return the share as machines read it, rounded."""
        low, high = self.interval
        value = None if self.value is None else round(self.value, 4)
        return {"value": value, "low": round(low, 4), "high": round(high, 4), "n": self.n}


def over_seeds(values: Sequence[float], places: int = 4) -> dict[str, object]:
    """Return the mean of one value a seed with Student's interval at 95 %.

    Cohorts of one seed share their learners' draws, so seeds are what varies independently.
    """
    n = len(values)
    if n == 0:
        return {"value": None, "low": None, "high": None, "n": 0}
    mean = float(np.mean(values))
    half = (
        float(t.ppf(0.975, n - 1) * np.std(values, ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
    )
    ends = (mean - half, mean + half) if n > 1 else (None, None)
    low, high = (None if end is None else round(max(0.0, end), places) for end in ends)
    return {"value": round(mean, places), "low": low, "high": high, "n": n}


def agreement(seen: Floats, true: Floats) -> dict[str, float | int | None]:
    """Return correlation, and root mean square error after taking out a common shift."""
    if len(seen) < 3:
        return {"n": len(seen), "correlation": None, "rmse": None, "shift": None}
    shift = float(np.mean(seen - true))
    return {
        "n": len(seen),
        "correlation": round(float(np.corrcoef(seen, true)[0, 1]), 4),
        "rmse": round(float(np.sqrt(np.mean((seen - true - shift) ** 2))), 4),
        "shift": round(shift, 4),
    }
