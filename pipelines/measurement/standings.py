"""Where a level or a mark stands among those of peers, and how much standings vary.

A standing is the share of peers' ratings that lie below, ties counted half: the ridit of Bross
(1958, Biometrics 14:18). Peers are learners of the same programme and stage who were rated with the
same instrument on the same scale, looking the same way, in the same quarter of the stage, so levels
are compared and never averaged, scales and directions are never pooled, and growth through a stage
is not taken for change. Marks of a task stand by their distance from the mean of those who did it.

All of it is part of a calibration: norms are frozen with it, so that what is said about one learner
follows from that learner's own records.
"""

from __future__ import annotations

from datetime import date

import polars as pl

QUARTER_DAYS = 91
"""Source: local choice; a quarter of a year."""
LOGISTIC_SCALE = 1.702
"""Makes the logistic curve follow the normal one (Haley 1952, technical report 15, Stanford)."""
MIN_RATINGS = 10
"""Fewest ratings of a learner, or of a group of peers, to go by. Source: local choice."""
MIN_LEARNERS = 5
"""Fewest peers. Source: local choice; as for small cells."""
MIN_MARKS = 3
"""Fewest marks of open work of a learner to go by. Source: local choice."""
DAYS_PER_YEAR = 365.25
RECENT_DAYS = 365
"""The last year is held against what came before. Source: local choice."""
ASSESSOR_SHARE = 0.3768
"""Part of a learner's variance that ratings by one assessor have in common: (8 + 18) of (8 + 18 +
43). Source: Siau et al. 2019, doi:10.1007/s00464-019-06737-7."""
MAD_TO_SD = 1.4826
"""Of a normal distribution. Source: Rousseeuw and Croux 1993, J Am Stat Assoc 88:1273."""

GROUP = (
    "programme_id",
    "stage_id",
    "quarter",
    "instrument_id",
    "scale_id",
    "scale_version",
    "direction",
)
LEVEL_NORM: dict[str, pl.DataType] = {
    "programme_id": pl.String(),
    "stage_id": pl.String(),
    "quarter": pl.Int64(),
    "instrument_id": pl.String(),
    "scale_id": pl.String(),
    "scale_version": pl.String(),
    "direction": pl.String(),
    "level": pl.Int64(),
    "n_ratings": pl.Int64(),
    "n_learners": pl.Int64(),
    "standing": pl.Float64(),
}
SCORE_NORM: dict[str, pl.DataType] = {
    "programme_id": pl.String(),
    "task_id": pl.String(),
    "n_learners": pl.Int64(),
    "mean_share": pl.Float64(),
    "sd_share": pl.Float64(),
}
OFFER: dict[str, pl.DataType] = {
    "programme_id": pl.String(),
    "rotation_id": pl.String(),
    "competency_id": pl.String(),
    "n_ratings": pl.Int64(),
    "n_of_rotation": pl.Int64(),
    "n_learners": pl.Int64(),
}
SPREAD: dict[str, pl.DataType] = {
    "programme_id": pl.String(),
    "n_learners": pl.Int64(),
    "quarter_days": pl.Int64(),
    "within_variance": pl.Float64(),
    "between_variance": pl.Float64(),
    "competency_variance": pl.Float64(),
    "open_variance": pl.Float64(),
    "apart_variance": pl.Float64(),
    "rise_variance": pl.Float64(),
}


def level_norms(ratings: pl.DataFrame) -> pl.DataFrame:
    """Return where every level stands among those of peers.

    Args:
        ratings: the columns of `GROUP`, learner and level; one row a rating.

    Returns:
        The columns of `LEVEL_NORM`, sorted; groups of too few ratings or learners are left out.
    """
    groups = ratings.group_by(GROUP).agg(
        n_ratings=pl.len(), n_learners=pl.col("learner").n_unique()
    )
    counted = ratings.group_by(*GROUP, "level").agg(n=pl.len()).sort(*GROUP, "level")
    below = pl.col("n").cum_sum().over(GROUP) - pl.col("n")
    return (
        counted.with_columns(below=below)
        .join(groups, on=GROUP)
        .filter((pl.col("n_ratings") >= MIN_RATINGS) & (pl.col("n_learners") >= MIN_LEARNERS))
        .with_columns(standing=(pl.col("below") + pl.col("n") / 2) / pl.col("n_ratings"))
        .select(pl.col(name).cast(kind) for name, kind in LEVEL_NORM.items())
        .sort(*GROUP, "level")
    )


def score_norms(marks: pl.DataFrame) -> pl.DataFrame:
    """Return the mean and the spread of the marks of every task.

    Args:
        marks: columns programme_id, task_id, learner and share (of the greatest mark).

    Returns:
        The columns of `SCORE_NORM`, sorted; tasks of too few learners, or where all have the same
        mark, are left out.
    """
    return (
        marks.sort("programme_id", "task_id", "learner", "share")
        .group_by("programme_id", "task_id", maintain_order=True)
        .agg(
            n_learners=pl.col("learner").n_unique(),
            mean_share=pl.col("share").mean(),
            sd_share=pl.col("share").std(),
        )
        .filter((pl.col("n_learners") >= MIN_LEARNERS) & (pl.col("sd_share") > 0))
        .select(pl.col(name).cast(kind) for name, kind in SCORE_NORM.items())
        .sort("programme_id", "task_id")
    )


def offers(ratings: pl.DataFrame) -> pl.DataFrame:
    """Return how often peers are assessed on each competency in each rotation.

    Args:
        ratings: columns programme_id, rotation_id, competency_id and learner; one row a rating.

    Returns:
        The columns of `OFFER`, sorted; rotations of too few ratings or learners are left out.
    """
    rotations = ratings.group_by("programme_id", "rotation_id").agg(
        n_of_rotation=pl.len(), n_learners=pl.col("learner").n_unique()
    )
    return (
        ratings.group_by("programme_id", "rotation_id", "competency_id")
        .agg(n_ratings=pl.len())
        .join(rotations, on=["programme_id", "rotation_id"])
        .filter((pl.col("n_of_rotation") >= MIN_RATINGS) & (pl.col("n_learners") >= MIN_LEARNERS))
        .select(pl.col(name).cast(kind) for name, kind in OFFER.items())
        .sort("programme_id", "rotation_id", "competency_id")
    )


def spreads(ratings: pl.DataFrame, marks: pl.DataFrame) -> pl.DataFrame:
    """Return how much standings vary, by moments, for every programme.

    `within_variance` is that of one learner's ratings, `between_variance` that of learners,
    `competency_variance` that of one learner's competencies, `open_variance` that of one learner's
    open work, and `apart_variance` that by which open and secured standing differ without a reason.
    `rise_variance` is that by which learners' standings rise or fall in a year, beyond what chance
    adds: learners differ in how they grow. A few who fall do not move it.

    Args:
        ratings: what `level_norms` takes, with competency_id, assessor and observed_on.
        marks: what `score_norms` takes, of open work.
    """
    norms = level_norms(ratings)
    seen = ratings.join(norms.select(*GROUP, "level", "standing"), on=[*GROUP, "level"])
    seen = seen.sort("programme_id", "learner", "competency_id", "standing")
    work = (
        marks.join(score_norms(marks), on=["programme_id", "task_id"])
        .with_columns(standing=_by_mark())
        .sort("programme_id", "learner", "task_id", "standing")
    )
    of_learner = _means(seen, "programme_id", "learner", least=MIN_RATINGS)
    of_work = _means(work, "programme_id", "learner", least=MIN_MARKS)
    of_cell = _means(seen, "programme_id", "learner", "competency_id", least=MIN_RATINGS)
    cells = (
        of_cell.group_by("programme_id", "learner", maintain_order=True)
        .agg(
            n=pl.len(),
            between=pl.col("mean").var(),
            noise=(pl.col("variance") / pl.col("n")).mean(),
        )
        .filter(pl.col("n") >= MIN_MARKS)
        .group_by("programme_id", maintain_order=True)
        .agg(competency_variance=(pl.col("between") - pl.col("noise")).mean())
    )
    both = of_learner.join(of_work, on=["programme_id", "learner"], suffix="_open")
    noise = pl.col("variance") / pl.col("n")
    noise_open = pl.col("variance_open") / pl.col("n_open")
    apart = both.group_by("programme_id", maintain_order=True).agg(
        open_variance=pl.col("variance_open").mean(),
        apart_variance=(pl.col("mean_open") - pl.col("mean")).var() - (noise + noise_open).mean(),
    )
    found = (
        of_learner.group_by("programme_id", maintain_order=True)
        .agg(
            n_learners=pl.len(),
            quarter_days=pl.lit(QUARTER_DAYS),
            within_variance=pl.col("variance").mean(),
            between_variance=pl.col("mean").var() - noise.mean(),
        )
        .filter(pl.col("n_learners") >= MIN_LEARNERS)
    )
    joined = (
        found.join(cells, on="programme_id", how="left")
        .join(apart, on="programme_id", how="left")
        .join(_rises(seen, found), on="programme_id", how="left")
    )
    return (
        joined.select(pl.col(name).cast(kind) for name, kind in SPREAD.items())
        .with_columns(pl.col(pl.Float64).clip(lower_bound=0))
        .sort("programme_id")
    )


def _rises(seen: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Return the variance of learners' rises in a year, robust against the few who fall.

    What came before is held against the last year; the true change is a rise times the years
    between the two.
    """
    key = ["programme_id", "learner"]
    newest = pl.col("observed_on").max().over("programme_id")
    sides = (
        seen.drop_nulls("observed_on")
        .with_columns(
            is_recent=pl.col("observed_on") > newest - pl.duration(days=RECENT_DAYS),
            assessor=pl.col("assessor").fill_null(""),
            day=(pl.col("observed_on") - date(1970, 1, 1)).dt.total_days(),
        )
        .group_by(*key, "is_recent", "assessor")
        .agg(n=pl.len(), total=pl.col("standing").sum(), days=pl.col("day").sum())
        .sort(*key, "is_recent", "assessor")
        .group_by(*key, "is_recent", maintain_order=True)
        .agg(
            n=pl.col("n").sum(),
            total=pl.col("total").sum(),
            days=pl.col("days").sum(),
            squares=(pl.col("n") ** 2).sum(),
        )
        .filter(pl.col("n") >= MIN_RATINGS)
        .with_columns(
            mean=pl.col("total") / pl.col("n"),
            year=pl.col("days") / pl.col("n") / DAYS_PER_YEAR,
            worth=pl.col("n") / (1 + ASSESSOR_SHARE * (pl.col("squares") / pl.col("n") - 1)),
        )
    )
    both = (
        sides.filter(pl.col("is_recent"))
        .join(sides.filter(~pl.col("is_recent")), on=key, suffix="_before")
        .join(found.select("programme_id", "within_variance"), on="programme_id")
        .sort(key)
    )
    change = pl.col("mean") - pl.col("mean_before")
    noise = pl.col("within_variance") * (1 / pl.col("worth") + 1 / pl.col("worth_before"))
    years = pl.col("year") - pl.col("year_before")
    spread = MAD_TO_SD * (change - change.median()).abs().median()
    return (
        both.group_by("programme_id", maintain_order=True)
        .agg(n_both=pl.len(), rise_variance=(spread**2 - noise.mean()) / (years**2).mean())
        .filter(pl.col("n_both") >= MIN_LEARNERS)
        .select("programme_id", "rise_variance")
    )


def _by_mark() -> pl.Expr:
    distance = (pl.col("share") - pl.col("mean_share")) / pl.col("sd_share")
    return 1 / (1 + (-LOGISTIC_SCALE * distance).exp())


def _means(standings: pl.DataFrame, *key: str, least: int) -> pl.DataFrame:
    """Return mean and variance of the standings of each key that has enough of them."""
    return (
        standings.group_by(key, maintain_order=True)
        .agg(n=pl.len(), mean=pl.col("standing").mean(), variance=pl.col("standing").var())
        .filter(pl.col("n") >= least)
    )
