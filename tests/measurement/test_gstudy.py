from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from pipelines.measurement.gstudy import NestedRaters, persons_by_raters_in_tasks
from pipelines.measurement.refusal import UnmeasurableError

BRENNAN = NestedRaters(
    person=0.4731, task=0.3252, rater_in_task=0.6475, person_task=0.5596, residual=2.3802
)


def test_published_components_give_the_published_coefficients() -> None:
    assert BRENNAN.generalizability(3, 4) == pytest.approx(0.5514, abs=5e-5)
    assert BRENNAN.dependability(3, 4) == pytest.approx(0.4637, abs=5e-5)


def test_an_estimate_below_zero_is_kept_but_counts_as_zero() -> None:
    negative = NestedRaters(1, -0.2, 0, 0, 1)
    assert negative.task == -0.2
    assert negative.dependability(2, 2) == negative.generalizability(2, 2)
    assert NestedRaters(-0.1, 0, 0, 0, 1).dependability(2, 2) == 0


def test_components_are_recovered_from_a_large_simulated_design() -> None:
    rng = np.random.default_rng(7)
    scores = (
        rng.normal(0, 1, (400, 1, 1))
        + rng.normal(0, 0.5, (1, 60, 1))
        + rng.normal(0, 0.7, (1, 60, 5))
        + rng.normal(0, 0.6, (400, 60, 1))
        + rng.normal(0, 0.9, (400, 60, 5))
    )
    found = persons_by_raters_in_tasks(scores)
    assert found.person == pytest.approx(1, rel=0.2)
    assert found.person_task == pytest.approx(0.36, rel=0.1)
    assert found.rater_in_task == pytest.approx(0.49, rel=0.2)
    assert found.residual == pytest.approx(0.81, rel=0.02)


@pytest.mark.parametrize(
    "scores", [np.ones((1, 3, 4)), np.ones((5, 3)), np.full((5, 3, 4), np.nan)]
)
def test_incomplete_designs_are_refused(scores: np.ndarray) -> None:
    with pytest.raises(UnmeasurableError):
        persons_by_raters_in_tasks(scores)


@pytest.mark.real
def test_the_textbook_table_gives_the_textbook_components(real_data) -> None:
    table = pl.read_csv(real_data / "raters" / "gtheory_Brennan_table_3_2.csv")
    scores = (table.sort("Person", "Task", "Rater")["Score"].cast(pl.Float64).to_numpy()).reshape(
        10, 3, 4
    )
    found = persons_by_raters_in_tasks(scores)
    assert found.person == pytest.approx(0.4731, abs=5e-5)
    assert found.task == pytest.approx(0.3252, abs=5e-5)
    assert found.rater_in_task == pytest.approx(0.6475, abs=5e-5)
    assert found.person_task == pytest.approx(0.5596, abs=5e-5)
    assert found.residual == pytest.approx(2.3802, abs=5e-5)
    assert found.generalizability(3, 4) == pytest.approx(0.5514, abs=5e-5)
    assert found.dependability(3, 4) == pytest.approx(0.4637, abs=5e-5)
