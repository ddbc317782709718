from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from pipelines.measurement.items import alpha, analyse, kr20, standard_error_of_measurement
from pipelines.measurement.refusal import UnmeasurableError


def answers(n: int = 200, items: int = 12, seed: int = 5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    ability, hardness = rng.normal(0, 1, (n, 1)), np.linspace(-1.5, 1.5, items)[None, :]
    return (ability - hardness + rng.logistic(0, 1, (n, items)) > 0).astype(np.float64)


def test_parallel_items_have_the_reliability_of_spearman_and_brown() -> None:
    single = np.repeat([[0.0], [1.0]], 10, axis=0)
    assert alpha(np.repeat(single, 5, axis=1)) == pytest.approx(1)


def test_alpha_equals_its_definition_by_covariances() -> None:
    scores = answers()
    covariances = np.cov(scores.T)
    k = scores.shape[1]
    mean_covariance = (covariances.sum() - np.trace(covariances)) / (k * (k - 1))
    assert alpha(scores) == pytest.approx(k**2 * mean_covariance / covariances.sum())


def test_items_are_described_by_share_and_by_the_rest_of_the_exam() -> None:
    scores = answers()
    found = analyse(scores, [f"i{n}" for n in range(12)])
    assert found["difficulty"].to_list() == pytest.approx(scores.mean(axis=0).tolist())
    rest = scores[:, 1:].sum(axis=1)
    assert found["discrimination"][0] == pytest.approx(np.corrcoef(scores[:, 0], rest)[0, 1])
    assert found["alpha_without"][0] == pytest.approx(alpha(scores[:, 1:]))


def test_points_beyond_one_are_shares_of_their_maximum() -> None:
    scores = answers() * 4
    found = analyse(scores, [f"i{n}" for n in range(12)], np.full(12, 4.0))
    assert found["difficulty"].max() <= 1


def test_an_item_that_all_get_right_has_no_discrimination() -> None:
    scores = answers()
    scores[:, 3] = 1
    found = analyse(scores, [f"i{n}" for n in range(12)])
    assert found["discrimination"][3] is None
    assert found["difficulty"][3] == 1


def test_the_standard_error_of_a_total_follows_from_its_reliability() -> None:
    scores = answers()
    total = scores.sum(axis=1).std(ddof=1)
    assert standard_error_of_measurement(scores) == pytest.approx(
        total * np.sqrt(1 - alpha(scores))
    )


def test_an_alpha_below_0_gives_no_standard_error() -> None:
    right = np.tile([1.0, 0, 1, 0], 5)
    scores = np.column_stack([right, 1 - right])
    scores[0] = 1
    assert alpha(scores) < 0
    with pytest.raises(UnmeasurableError, match="no reliability"):
        standard_error_of_measurement(scores)


def test_items_that_say_the_same_of_everybody_give_no_standard_error_of_0() -> None:
    scores = np.repeat(np.repeat([[0.0], [1.0]], 10, axis=0), 3, axis=1)
    assert alpha(scores) == pytest.approx(1)
    with pytest.raises(UnmeasurableError, match="show no error"):
        standard_error_of_measurement(scores)


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        (np.ones((3, 5)), "At least"),
        (np.ones((20, 1)), "two items"),
        (np.full((20, 5), np.nan), "not given"),
        (np.ones((20, 5)), "same total"),
    ],
)
def test_what_cannot_be_described_is_refused_in_words(scores: np.ndarray, words: str) -> None:
    with pytest.raises(UnmeasurableError, match=words):
        alpha(scores)


def test_kr20_is_for_right_or_wrong_only() -> None:
    with pytest.raises(UnmeasurableError, match="right or wrong"):
        kr20(answers() * 2)


@pytest.mark.real
def test_admission_test_gives_the_published_reliability_both_ways(real_data) -> None:
    folder = real_data / "exam_items"
    text = pl.read_csv(folder / "sia_dataMedicaltest.csv", infer_schema=False)
    items = [name for name in text.columns if name.startswith("X")]
    key = pl.read_csv(folder / "sia_dataMedicalkey.csv")["key"].to_list()
    right = text.select(
        (pl.col(item).fill_null("") == answer).cast(pl.Float64)
        for item, answer in zip(items, key, strict=True)
    )
    scores = right.to_numpy()
    assert scores.shape == (2_392, 100)
    assert kr20(scores) == pytest.approx(0.9469, abs=5e-5)
    assert scores.sum(axis=1).mean() == pytest.approx(48.959, abs=5e-4)
    assert scores.sum(axis=1).std(ddof=1) == pytest.approx(18.2925, abs=5e-5)
    found = analyse(scores, items).sort("difficulty")
    assert found["item_id"][0] == "X2048"
    assert found["difficulty"][0] == pytest.approx(0.0318, abs=5e-5)
    assert found["item_id"][-1] == "X2049"
    assert found["difficulty"][-1] == pytest.approx(0.893, abs=5e-4)
    graded = pl.read_csv(folder / "sia_dataMedicalgraded.csv").select(items).to_numpy()
    assert alpha(graded.astype(np.float64)) == pytest.approx(0.9481, abs=5e-5)


@pytest.mark.real
def test_concept_inventory_gives_the_published_reliability(real_data) -> None:
    folder = real_data / "exam_items"
    given = pl.read_csv(folder / "sia_HCItest.csv", infer_schema=False)
    key = pl.read_csv(folder / "sia_HCIkey.csv")["key"].to_list()
    right = given.select(
        (pl.col(f"Item {i}") == answer).cast(pl.Float64) for i, answer in enumerate(key, start=1)
    )
    assert kr20(right.to_numpy()) == pytest.approx(0.7155, abs=5e-5)


@pytest.mark.real
def test_admission_biology_gives_the_published_reliability(real_data) -> None:
    scores = pl.read_csv(real_data / "exam_items" / "sia_MSATB.csv").drop("gender")
    assert kr20(scores.to_numpy().astype(np.float64)) == pytest.approx(0.7664, abs=5e-5)


@pytest.mark.real
def test_mathematics_exam_gives_the_published_reliability(real_data) -> None:
    credits_ = pl.read_csv(real_data / "exam_items" / "psychotools_MathExam14W.csv").select(
        pl.col("^credit_.*$")
    )
    right = (credits_.to_numpy() == 2).astype(np.float64)
    assert right.shape == (729, 13)
    assert kr20(right) == pytest.approx(0.743, abs=5e-4)
