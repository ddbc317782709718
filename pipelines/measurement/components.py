"""Variance components and effects of learners, assessors and contexts.

Model: level = mean + learner + assessor (+ context) + residual, all effects crossed, Gaussian and
independent; variances by REML, effects as best linear unbiased predictions (shrunk towards 0).
Same model as lme4's `y ~ 1 + (1|learner) + (1|assessor) + (1|context)`. Entrustment levels are
ordinal, so on them the model is an approximation and is labelled as one.

GPBoost estimates by maximum likelihood. REML is had by giving the mean a flat prior: it enters as
one more effect with a single level and a fixed, very large variance.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.measurement.connectivity import connect
from pipelines.measurement.refusal import UnmeasurableError

LOG = logging.getLogger(__name__)
LOG.addHandler(logging.NullHandler())

LABEL = "Gaussian approximation on ordinal levels"

MIN_RATINGS = 30
"""Fewest ratings to estimate from. Source: local choice."""
MIN_LEARNERS = 5
"""Fewest learners to estimate from. Source: local choice."""
MIN_ASSESSORS = 3
"""Fewest assessors to estimate from. Source: local choice."""
REML_LEVELS = 2_000
"""Above so many effects the mean is estimated by maximum likelihood: REML's correction is then in
the fourth decimal, and its flat mean would make a sparse problem dense."""

FLAT_VARIANCE = 1e6
TOLERANCE = 1e-10


@dataclass(frozen=True)
class Components:
    """The estimates of one connected design.

    Attributes:
        mean: the mean level, in levels of the scale.
        variances: variance by component, in squared levels: `learner`, `assessor`, `context` where
            one was given, `residual`.
        effects: one frame a component but the residual: `id`, `n_ratings`, `effect` and
            `standard_error` in levels; an assessor's effect below 0 means stricter than most.
        n_ratings: ratings used.
        estimator: `REML`, or `ML` in very large designs.
        label: what kind of approximation this is.
    """

    mean: float
    variances: dict[str, float]
    effects: dict[str, pl.DataFrame]
    n_ratings: int
    estimator: str
    label: str = LABEL

    @property
    def shares(self) -> dict[str, float]:
        """Return each component's share of the total variance, 0 to 1."""
        total = sum(self.variances.values())
        return {name: variance / total for name, variance in self.variances.items()}


def estimate(
    ratings: pl.DataFrame,
    *,
    min_ratings: int = MIN_RATINGS,
    min_learners: int = MIN_LEARNERS,
    min_assessors: int = MIN_ASSESSORS,
) -> Components:
    """Estimate the components of one design.

    Args:
        ratings: columns `learner`, `assessor`, `level` (a number) and, where contexts are to be
            told apart, `context`; one row a rating, no nulls. The order of rows has no influence.
        min_ratings: fewest ratings to estimate from.
        min_learners: fewest learners.
        min_assessors: fewest assessors.

    Raises:
        UnmeasurableError: too little data, one value only, or a disconnected design.
    """
    _refuse_unmeasurable(ratings, min_ratings, min_learners, min_assessors)
    factors = ["learner", "assessor"]
    if "context" in ratings.columns and ratings["context"].n_unique() > 1:
        factors.append("context")
    design = ratings.sort([*factors, "level"])
    levels = design["level"].cast(pl.Float64).to_numpy()
    groups = design.select(pl.col(factors).rank("dense").cast(pl.Int64)).to_numpy()
    n_effects = int(groups.max(axis=0).sum())
    fit = _fit_reml if n_effects <= REML_LEVELS else _fit_ml
    mean, residual, variances, predicted = fit(levels, groups)
    effects = {
        factor: _effects_of(design[factor], predicted[:, i], predicted[:, i + len(factors)])
        for i, factor in enumerate(factors)
    }
    return Components(
        mean=mean,
        variances=dict(zip(factors, variances, strict=True)) | {"residual": residual},
        effects=effects,
        n_ratings=design.height,
        estimator="REML" if fit is _fit_reml else "ML",
    )


def _refuse_unmeasurable(
    ratings: pl.DataFrame, min_ratings: int, min_learners: int, min_assessors: int
) -> None:
    n_learners, n_assessors = ratings["learner"].n_unique(), ratings["assessor"].n_unique()
    if n_assessors == 1:
        raise UnmeasurableError(
            "All ratings come from one assessor, so stringency and the learners' level cannot be "
            "told apart."
        )
    if ratings.height < min_ratings or n_learners < min_learners or n_assessors < min_assessors:
        raise UnmeasurableError(
            f"{ratings.height:,} ratings of {n_learners:,} learners by {n_assessors:,} assessors "
            f"are too few: at least {min_ratings} ratings, {min_learners} learners and "
            f"{min_assessors} assessors are needed."
        )
    if ratings["level"].n_unique() == 1:
        raise UnmeasurableError("All ratings have the same level: there is no variance to split.")
    design = connect(ratings["learner"], ratings["assessor"])
    if not design.is_connected:
        raise UnmeasurableError(design.sentence)
    if ratings.height <= n_learners + n_assessors:
        raise UnmeasurableError(
            f"{ratings.height:,} ratings are no more than the {n_learners + n_assessors:,} "
            "learners and assessors that they are to describe."
        )


def _fit_reml(
    levels: NDArray[np.float64], groups: NDArray[np.int64]
) -> tuple[float, float, list[float], NDArray[np.float64]]:
    n, k = groups.shape
    centre, spread = float(levels.mean()), float(levels.var())
    model = _model(np.column_stack([groups, np.zeros(n, dtype=np.int64)]))
    start = [spread / 2, *[spread / (2 * k)] * k, spread * FLAT_VARIANCE]
    model.fit(
        y=levels - centre,
        params={
            "init_cov_pars": np.array(start),
            "estimate_cov_par_index": [1] * (k + 1) + [0],
            "delta_rel_conv": TOLERANCE,
        },
    )
    residual, *variances, _ = _covariances(model)
    predicted = model.predict_training_data_random_effects(predict_var=True).to_numpy()
    wanted = [*range(k), *range(k + 1, 2 * k + 1)]
    return centre + float(predicted[0, k]), residual, variances, predicted[:, wanted]


def _fit_ml(
    levels: NDArray[np.float64], groups: NDArray[np.int64]
) -> tuple[float, float, list[float], NDArray[np.float64]]:
    model = _model(groups)
    model.fit(y=levels, X=np.ones((len(levels), 1)))
    residual, *variances = _covariances(model)
    mean = float(np.asarray(model.get_coef(format_pandas=False)).ravel()[0])
    predicted = model.predict_training_data_random_effects(predict_var=True).to_numpy()
    return mean, residual, variances, predicted


def _model(groups: NDArray[np.int64]) -> Any:
    import gpboost  # type: ignore[import-untyped]

    gpboost.register_logger(LOG)
    return gpboost.GPModel(
        group_data=groups,
        likelihood="gaussian",
        matrix_inversion_method="cholesky",
        num_parallel_threads=1,
    )


def _covariances(model: Any) -> list[float]:
    return [float(v) for v in np.asarray(model.get_cov_pars(format_pandas=False)).ravel()]


def _effects_of(
    ids: pl.Series, effects: NDArray[np.float64], variances: NDArray[np.float64]
) -> pl.DataFrame:
    return (
        pl.DataFrame({"id": ids, "effect": effects, "variance": variances})
        .group_by("id")
        .agg(
            n_ratings=pl.len(),
            effect=pl.col("effect").first(),
            standard_error=pl.col("variance").first().clip(lower_bound=0).sqrt(),
        )
        .sort("id")
    )
