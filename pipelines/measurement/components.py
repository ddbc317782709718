"""Variance components and effects of learners, assessors and contexts.

Model: level = mean + learner + assessor (+ context) (+ learner x assessor) + residual, all effects
crossed, Gaussian and independent; variances by REML, effects as best linear unbiased predictions
(shrunk towards 0). Same model as lme4's `y ~ 1 + (1|learner) + (1|assessor) + (1|context)`.
Source: Bates et al. (2015), J Stat Softw 67(1). Entrustment levels are ordinal, so on them the
model is an approximation and is labelled as one; `estimate_binary` asks only whether a level
reached the target.

GPBoost estimates variances by maximum likelihood. REML is had by giving the mean a flat prior: it
enters as one more effect with a single level and a fixed, very large variance. Given the variances,
the effects follow exactly from the mixed-model equations.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.measurement.connectivity import connect
from pipelines.measurement.mixed_model import solve
from pipelines.measurement.refusal import UnmeasurableError

LOG = logging.getLogger(__name__)
LOG.addHandler(logging.NullHandler())

LABEL = "Gaussian approximation on ordinal levels"
BINARY_LABEL = "Logistic model of reaching the target level, by Laplace approximation"

MIN_RATINGS = 30
"""Fewest ratings to estimate from. Source: local choice."""
MIN_LEARNERS = 5
"""Fewest learners to estimate from. Source: local choice."""
MIN_ASSESSORS = 3
"""Fewest assessors to estimate from. Source: local choice."""
MIN_REPEATED_PAIRS = 10
"""Fewest pairs of learner and assessor with more than one rating, so that an assessor's taste for a
learner can be told from chance. Source: local choice."""
MIN_EITHER_SIDE = 10
"""Fewest ratings on either side of a target level. Source: local choice."""
REML_LEVELS = 2_000
"""Above so many effects the mean is estimated by maximum likelihood: REML's correction is then in
the fourth decimal, and its flat mean would make a sparse problem dense."""
DENSE_LEVELS = 6_000
"""Above so many learners, assessors and contexts together, learner x assessor is not told apart:
the equations that are left would no longer fit into memory."""

FLAT_VARIANCE = 1e6
TOLERANCE = 1e-10
PAIR = "learner_assessor"


@dataclass(frozen=True)
class Components:
    """The estimates of one connected design.

    Attributes:
        mean: the mean level, in levels of the scale.
        variances: variance by component, in squared levels: `learner`, `assessor`, `context` where
            one was given, `learner_assessor` where it was asked for and pairs met more than once,
            `residual`.
        effects: one frame for learner, assessor and context: `id`, `n_ratings`, `effect` and
            `standard_error` (of its error) in levels; an assessor's effect below 0 means stricter
            than most.
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


@dataclass(frozen=True)
class BinaryComponents:
    """The estimates of one connected design for one target level, in logits.

    Attributes:
        mean: log odds that a typical learner, rated by a typical assessor, reaches the target.
        variances: variance by component: `learner`, `assessor`, `context` where one was given.
        effects: one frame a component: `id`, `n_ratings`, `effect`, `standard_error`.
        n_ratings: ratings used.
        label: what kind of model this is.
    """

    mean: float
    variances: dict[str, float]
    effects: dict[str, pl.DataFrame]
    n_ratings: int
    label: str = BINARY_LABEL


def estimate(
    ratings: pl.DataFrame,
    *,
    min_ratings: int = MIN_RATINGS,
    min_learners: int = MIN_LEARNERS,
    min_assessors: int = MIN_ASSESSORS,
    with_pairs: bool = False,
) -> Components:
    """Estimate the components of one design.

    Args:
        ratings: columns `learner`, `assessor`, `level` (a number) and, where contexts are to be
            told apart, `context`; one row a rating, no nulls. The order of rows has no influence.
        min_ratings: fewest ratings to estimate from.
        min_learners: fewest learners.
        min_assessors: fewest assessors.
        with_pairs: tell an assessor's taste for a learner from chance, where enough pairs of the
            two have met more than once.

    Raises:
        UnmeasurableError: too little data, one value only, or a disconnected design.
    """
    _refuse_unmeasurable(ratings, min_ratings, min_learners, min_assessors)
    design, factors = _ordered(ratings, "level")
    levels = design["level"].cast(pl.Float64).to_numpy()
    groups = _codes(design, factors)
    if with_pairs and _has_repeated_pairs(design, groups):
        pairs = design.select(pl.struct("learner", "assessor").rank("dense").cast(pl.Int64) - 1)
        groups, factors = np.column_stack([groups, pairs.to_numpy()]), [*factors, PAIR]
    fit = _fit_reml if int(groups.max(axis=0).sum()) <= REML_LEVELS else _fit_ml
    residual, variances = fit(levels, groups)
    found = solve(levels, groups, residual, variances)
    return Components(
        mean=found.mean,
        variances=dict(zip(factors, variances, strict=True)) | {"residual": residual},
        effects={
            factor: _effects_of(
                design[factor], found.effects[i][codes], found.error_variances[i][codes]
            )
            for i, factor in enumerate(factors)
            if factor != PAIR
            for codes in [groups[:, i]]
        },
        n_ratings=design.height,
        estimator="REML" if fit is _fit_reml else "ML",
    )


def estimate_binary(
    ratings: pl.DataFrame,
    *,
    min_ratings: int = MIN_RATINGS,
    min_learners: int = MIN_LEARNERS,
    min_assessors: int = MIN_ASSESSORS,
    min_either_side: int = MIN_EITHER_SIDE,
) -> BinaryComponents:
    """Estimate how learners, assessors and contexts shift the odds of reaching a target level.

    Model: logit P(at or above target) = mean + learner + assessor (+ context), all crossed; by
    Laplace approximation. Unlike a model of levels it asks nothing of the distances between them.
    Source: McCullagh and Nelder (1989), Generalized Linear Models, section 14.5; Breslow and
    Clayton (1993), J Am Stat Assoc 88:9.

    Args:
        ratings: columns `learner`, `assessor`, `is_at_target` and, where contexts are to be told
            apart, `context`; one row a rating, no nulls.
        min_ratings: fewest ratings to estimate from.
        min_learners: fewest learners.
        min_assessors: fewest assessors.
        min_either_side: fewest ratings that reach the target, and that do not.

    Raises:
        UnmeasurableError: too little data, hardly anything on one side, or a disconnected design.
    """
    as_levels = ratings.with_columns(level=pl.col("is_at_target").cast(pl.Int64))
    _refuse_unmeasurable(as_levels, min_ratings, min_learners, min_assessors)
    n_at_target = int(as_levels["level"].sum())
    if min(n_at_target, ratings.height - n_at_target) < min_either_side:
        raise UnmeasurableError(
            f"{n_at_target:,} of {ratings.height:,} ratings reach the target: at least "
            f"{min_either_side} on either side are needed."
        )
    design, factors = _ordered(as_levels, "level")
    groups = _codes(design, factors)
    is_small = int(groups.max(axis=0).sum()) <= REML_LEVELS
    model = _model(groups, "bernoulli_logit", "cholesky" if is_small else "iterative")
    model.fit(y=design["level"].cast(pl.Float64).to_numpy(), X=np.ones((design.height, 1)))
    mean = float(np.asarray(model.get_coef(format_pandas=False)).ravel()[0])
    predicted = model.predict_training_data_random_effects(predict_var=True).to_numpy()
    k = len(factors)
    return BinaryComponents(
        mean=mean,
        variances=dict(zip(factors, _covariances(model), strict=True)),
        effects={
            factor: _effects_of(design[factor], predicted[:, i], predicted[:, k + i])
            for i, factor in enumerate(factors)
        },
        n_ratings=design.height,
    )


def _ordered(ratings: pl.DataFrame, value: str) -> tuple[pl.DataFrame, list[str]]:
    factors = ["learner", "assessor"]
    if "context" in ratings.columns and ratings["context"].n_unique() > 1:
        factors.append("context")
    return ratings.sort([*factors, value]), factors


def _codes(design: pl.DataFrame, factors: list[str]) -> NDArray[np.int64]:
    return design.select(pl.col(factors).rank("dense").cast(pl.Int64) - 1).to_numpy()


def _has_repeated_pairs(design: pl.DataFrame, groups: NDArray[np.int64]) -> bool:
    repeated = design.group_by("learner", "assessor").len().filter(pl.col("len") > 1)
    return repeated.height >= MIN_REPEATED_PAIRS and groups.max(axis=0).sum() <= DENSE_LEVELS


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


def _fit_reml(levels: NDArray[np.float64], groups: NDArray[np.int64]) -> tuple[float, list[float]]:
    n, k = groups.shape
    spread = float(levels.var())
    with_mean = np.column_stack([groups, np.zeros(n, dtype=np.int64)])
    model = _model(with_mean, "gaussian", "cholesky")
    start = [spread / 2, *[spread / (2 * k)] * k, spread * FLAT_VARIANCE]
    model.fit(
        y=levels - float(levels.mean()),
        params={
            "init_cov_pars": np.array(start),
            "estimate_cov_par_index": [1] * (k + 1) + [0],
            "delta_rel_conv": TOLERANCE,
        },
    )
    residual, *variances, _ = _covariances(model)
    return residual, variances


def _fit_ml(levels: NDArray[np.float64], groups: NDArray[np.int64]) -> tuple[float, list[float]]:
    """Estimate large designs by conjugate gradients, with fixed random vectors."""
    model = _model(groups, "gaussian", "iterative")
    model.fit(y=levels, X=np.ones((len(levels), 1)))
    residual, *variances = _covariances(model)
    return residual, variances


def _model(groups: NDArray[np.int64], likelihood: str, inversion: str) -> Any:
    import gpboost  # type: ignore[import-untyped]

    gpboost.register_logger(LOG)
    return gpboost.GPModel(
        group_data=groups,
        likelihood=likelihood,
        matrix_inversion_method=inversion,
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
