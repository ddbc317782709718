from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from pipelines.measurement.components import LABEL, estimate
from pipelines.measurement.refusal import UnmeasurableError


def crossed(n_learners: int = 20, n_assessors: int = 6, each: int = 2, seed: int = 1):
    """A complete crossed design, and its scores shaped (learners, assessors, each)."""
    rng = np.random.default_rng(seed)
    scores = (
        3
        + rng.normal(0, 1, (n_learners, 1, 1))
        + rng.normal(0, 0.6, (1, n_assessors, 1))
        + rng.normal(0, 0.8, (n_learners, n_assessors, each))
    )
    learner, assessor, _ = np.indices(scores.shape)
    frame = pl.DataFrame(
        {
            "learner": [f"l{i:03}" for i in learner.ravel()],
            "assessor": [f"a{i:03}" for i in assessor.ravel()],
            "level": scores.ravel(),
        }
    )
    return frame, scores


def anova(scores: np.ndarray) -> dict[str, float]:
    """REML of a balanced design without interaction, where no estimate falls below 0."""
    p, r, k = scores.shape
    of_learner, of_assessor = scores.mean(axis=(1, 2)), scores.mean(axis=(0, 2))
    fitted = of_learner[:, None, None] + of_assessor[None, :, None] - scores.mean()
    residual = ((scores - fitted) ** 2).sum() / (p * r * k - p - r + 1)
    return {
        "learner": (r * k * of_learner.var(ddof=1) - residual) / (r * k),
        "assessor": (p * k * of_assessor.var(ddof=1) - residual) / (p * k),
        "residual": residual,
    }


def test_reml_of_a_balanced_design_equals_its_analysis_of_variance() -> None:
    frame, scores = crossed()
    found = estimate(frame)
    assert found.estimator == "REML"
    assert found.variances == pytest.approx(anova(scores), abs=1e-4)
    assert found.mean == pytest.approx(scores.mean(), abs=1e-6)
    assert sum(found.shares.values()) == pytest.approx(1)


def test_effects_of_a_balanced_design_are_its_deviations_shrunk() -> None:
    frame, scores = crossed()
    found = estimate(frame)
    variances = anova(scores)
    p, _, k = scores.shape
    weight = variances["assessor"] / (variances["assessor"] + variances["residual"] / (p * k))
    expected = weight * (scores.mean(axis=(0, 2)) - scores.mean())
    assessors = found.effects["assessor"]
    assert assessors["id"].to_list() == [f"a{i:03}" for i in range(6)]
    assert assessors["n_ratings"].to_list() == [40] * 6
    np.testing.assert_allclose(assessors["effect"].to_numpy(), expected, atol=1e-4)
    assert assessors["standard_error"].min() > 0


def test_the_order_of_ratings_has_no_influence() -> None:
    frame, _ = crossed()
    first, second = estimate(frame), estimate(frame.sample(fraction=1, shuffle=True, seed=3))
    assert first.variances == second.variances
    assert first.effects["assessor"].equals(second.effects["assessor"])


def test_a_context_is_a_component_of_its_own() -> None:
    frame, _ = crossed(each=3)
    hard = pl.Series([0.0, 1.5, 3.0] * (frame.height // 3))
    with_context = frame.with_columns(
        context=pl.Series(["easy", "fair", "hard"] * (frame.height // 3)),
        level=pl.col("level") - hard,
    )
    found = estimate(with_context)
    effects = dict(found.effects["context"].select("id", "effect").iter_rows())
    assert effects["easy"] > effects["fair"] > effects["hard"]
    assert found.variances["context"] > 1


def test_estimates_say_what_they_approximate() -> None:
    assert estimate(crossed()[0]).label == LABEL
    assert "ordinal" in LABEL


def test_the_very_strict_assessor_is_found() -> None:
    frame, _ = crossed()
    harsh = frame.with_columns(
        level=pl.when(pl.col("assessor") == "a002")
        .then(pl.col("level") - 3)
        .otherwise(pl.col("level"))
    )
    effects = estimate(harsh).effects["assessor"].sort("effect")
    assert effects["id"][0] == "a002"
    assert effects["effect"][0] + 3 * effects["standard_error"][0] < 0


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (lambda f: f.filter(pl.col("assessor") == "a000"), "one assessor"),
        (lambda f: f.head(20), "too few"),
        (lambda f: f.with_columns(level=pl.lit(3)), "same level"),
        (lambda f: f.unique(["learner"], keep="first").head(0), "too few"),
        (
            lambda f: pl.concat([f, f.with_columns(pl.col("learner", "assessor") + "-twin")]),
            "2 groups that share nobody",
        ),
    ],
)
def test_what_cannot_be_estimated_is_refused_in_words(broken, words: str) -> None:
    with pytest.raises(UnmeasurableError, match=words):
        estimate(broken(crossed()[0]))


@pytest.mark.real
def test_disconnected_grant_reviews_are_refused_in_words(real_data) -> None:
    reviews = pl.read_csv(real_data / "raters" / "sia_NIH.csv").select(
        learner="ID", assessor="RevID", level="Score"
    )
    with pytest.raises(UnmeasurableError, match="973 groups"):
        estimate(reviews.filter(pl.col("level").is_not_null()))


@pytest.mark.real
@pytest.mark.slow
def test_lecture_ratings_equal_lme4(real_data) -> None:
    ratings = pl.read_csv(real_data / "raters" / "lme4_InstEval.csv").select(
        learner="d", assessor="s", level="y"
    )
    found = estimate(ratings)
    spread = {name: math.sqrt(variance) for name, variance in found.variances.items()}
    lme4 = {"assessor": 0.32591, "learner": 0.52320, "residual": 1.17779}
    assert spread == pytest.approx(lme4, abs=1e-3)
    assert found.mean == pytest.approx(3.254158, abs=1e-3)
    effects = dict(found.effects["learner"].select("id", "effect").iter_rows())
    listed = {1: 0.4129, 6: -0.4396, 7: 0.6096, 8: -0.5623}
    assert {lecturer: effects[lecturer] for lecturer in listed} == pytest.approx(listed, abs=1e-3)
