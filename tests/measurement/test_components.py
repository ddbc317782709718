from __future__ import annotations

import math
import shutil
import subprocess
import time

import numpy as np
import polars as pl
import pytest

from pipelines.measurement.components import BINARY_LABEL, LABEL, estimate, estimate_binary
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


def planted(
    seed: int, n_learners: int = 60, n_assessors: int = 12, each: int = 8, stringency: float = 0.6
):
    """A cohort in which every learner meets a few assessors, chosen by chance; the truth is known.

    Returns the ratings (each with its level before rounding and cutting), the learners' true means
    and the assessors' true stringency.
    """
    rng = np.random.default_rng(seed)
    truth, strict = rng.normal(3, 0.7, n_learners), rng.normal(0, stringency, n_assessors)
    learner = np.repeat(np.arange(n_learners), each)
    assessor = np.concatenate(
        [rng.choice(rng.choice(n_assessors, 3, replace=False), each) for _ in range(n_learners)]
    )
    level = truth[learner] + strict[assessor] + rng.normal(0, 0.6, len(learner))
    frame = pl.DataFrame({"learner": learner, "assessor": assessor, "level": level})
    return frame, truth, strict


@pytest.mark.parametrize("seed", range(8))
def test_adjusted_levels_are_nearer_to_the_planted_truth_than_raw_means(seed: int) -> None:
    frame, truth, _ = planted(seed)
    found = estimate(frame)
    raw = frame.group_by("learner").agg(pl.col("level").mean()).sort("learner")["level"].to_numpy()
    adjusted = found.mean + found.effects["learner"]["effect"].to_numpy()
    assert np.square(adjusted - truth).mean() < 0.8 * np.square(raw - truth).mean()


@pytest.mark.parametrize("seed", range(4))
def test_ordinal_levels_still_give_the_planted_order_of_assessors(seed: int) -> None:
    frame, _, strict = planted(seed, stringency=0.8)
    ordinal = frame.with_columns(pl.col("level").round().clip(1, 5).cast(pl.Int64))
    effects = estimate(ordinal).effects["assessor"]["effect"].to_numpy()
    assert np.corrcoef(effects, strict)[0, 1] > 0.9


@pytest.mark.parametrize("seed", range(4))
def test_the_binary_model_finds_who_is_strict_without_distances_between_levels(seed: int) -> None:
    frame, _, strict = planted(seed, n_learners=120, stringency=0.8)
    found = estimate_binary(frame.with_columns(is_at_target=pl.col("level") >= 3))
    assert np.corrcoef(found.effects["assessor"]["effect"].to_numpy(), strict)[0, 1] > 0.9
    assert found.label == BINARY_LABEL
    assert set(found.variances) == {"learner", "assessor"}
    stretched = frame.with_columns(is_at_target=pl.col("level").exp() >= math.exp(3))
    assert estimate_binary(stretched).mean == found.mean


def test_a_target_that_nearly_all_reach_is_refused_in_words() -> None:
    frame, _, _ = planted(1)
    with pytest.raises(UnmeasurableError, match="on either side"):
        estimate_binary(frame.with_columns(is_at_target=pl.col("level").rank("ordinal") > 5))


def test_taste_is_told_from_chance_where_pairs_meet_again() -> None:
    rng = np.random.default_rng(3)
    learner, assessor, _ = (axis.ravel() for axis in np.indices((60, 10, 4)))
    taste = rng.normal(0, 0.7, (60, 10))
    level = 3 + rng.normal(0, 1, 60)[learner] + taste[learner, assessor]
    frame = pl.DataFrame(
        {
            "learner": learner,
            "assessor": assessor,
            "level": level + rng.normal(0, 0.8, level.size),
        }
    )
    found = estimate(frame, with_pairs=True).variances
    assert found["learner_assessor"] == pytest.approx(0.49, rel=0.15)
    assert found["residual"] == pytest.approx(0.64, rel=0.1)
    once = frame.unique(["learner", "assessor"], maintain_order=True)
    assert "learner_assessor" not in estimate(once, with_pairs=True).variances


@pytest.fixture(scope="module")
def lecture_ratings(real_data) -> pl.DataFrame:
    return pl.read_csv(real_data / "raters" / "lme4_InstEval.csv").select(
        learner="d", assessor="s", level="y"
    )


@pytest.mark.real
def test_lecture_ratings_equal_lme4(lecture_ratings) -> None:
    estimate(planted(0)[0])
    began = time.process_time()
    found = estimate(lecture_ratings)
    assert time.process_time() - began < 2 * 3, "three seconds on two cores"
    spread = {name: math.sqrt(variance) for name, variance in found.variances.items()}
    lme4 = {"assessor": 0.32591, "learner": 0.52320, "residual": 1.17779}
    assert spread == pytest.approx(lme4, abs=1e-3)
    assert found.mean == pytest.approx(3.254158, abs=1e-3)
    effects = dict(found.effects["learner"].select("id", "effect").iter_rows())
    listed = {1: 0.4129, 6: -0.4396, 7: 0.6096, 8: -0.5623}
    assert {lecturer: effects[lecturer] for lecturer in listed} == pytest.approx(listed, abs=1e-3)


LME4 = """
suppressMessages(library(lme4))
ratings <- read.csv(commandArgs(trailingOnly = TRUE)[1])
model <- lmer(y ~ 1 + (1 | s) + (1 | d), ratings, control = lmerControl(calc.derivs = FALSE))
for (factor in c("s", "d")) {
  effects <- ranef(model, condVar = FALSE)[[factor]]
  cat(sprintf("%s %s %.8f\\n", factor, rownames(effects), effects[, 1]), sep = "")
}
"""


def has_lme4() -> bool:
    if shutil.which("Rscript") is None:
        return False
    found = subprocess.run(
        ["Rscript", "-e", "quit(status = !requireNamespace('lme4', quietly = TRUE))"], check=False
    )
    return found.returncode == 0


@pytest.mark.real
@pytest.mark.slow
def test_every_effect_equals_that_of_lme4(real_data, lecture_ratings) -> None:
    if not has_lme4():
        pytest.skip("R with lme4 is not installed")
    csv = real_data / "raters" / "lme4_InstEval.csv"
    told = subprocess.run(
        ["Rscript", "-e", LME4, str(csv)], capture_output=True, text=True, check=True
    ).stdout
    lme4 = {(f, int(i)): float(e) for f, i, e in map(str.split, told.splitlines())}
    effects = estimate(lecture_ratings).effects
    found = {
        (letter, i): effect
        for letter, factor in (("s", "assessor"), ("d", "learner"))
        for i, effect in effects[factor].select("id", "effect").iter_rows()
    }
    assert len(found) == 2_972 + 1_128
    assert found == pytest.approx(lme4, abs=1e-3)
