from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import Case, Figure, Machine, Outcome

seconds = st.floats(min_value=1e-3, max_value=1e4, allow_nan=False)
runs = st.lists(seconds, min_size=1, max_size=7).map(tuple)


def case(ours: Figure, floor: Figure | None = None, rival: Figure | None = None) -> Case:
    return Case(name="a case", size=10, unit="record", ours=ours, floor=floor, rival=rival)


def measured(*spent: float, work: int = 10) -> Figure:
    return Figure(label="it", work=work, seconds=spent)


@given(runs)
def test_the_median_lies_within_the_spread(spent: tuple[float, ...]) -> None:
    figure = measured(*spent)
    assert figure.median_seconds is not None
    assert figure.spread_seconds == (min(spent), max(spent))
    assert min(spent) <= figure.median_seconds <= max(spent)


def test_one_slow_run_does_not_move_the_figure() -> None:
    assert measured(1.0, 1.1, 90.0).median_seconds == 1.1


def test_ratios_are_of_costs_for_each_unit_of_work() -> None:
    found = case(
        measured(2.0, work=200), floor=measured(1.0, work=200), rival=measured(3.0, work=10)
    )
    assert found.times_floor == pytest.approx(2.0)
    assert found.times_rival == pytest.approx(30.0)


@given(runs, runs)
def test_a_ratio_and_its_inverse_agree(ours: tuple[float, ...], theirs: tuple[float, ...]) -> None:
    one = case(measured(*ours), floor=measured(*theirs)).times_floor
    other = case(measured(*theirs), floor=measured(*ours)).times_floor
    assert one is not None
    assert other is not None
    assert one * other == pytest.approx(1.0)


@pytest.mark.parametrize(
    "other",
    [
        None,
        Figure(label="it", work=10),
        Figure(label="it", work=10, why_not="it cannot be installed here"),
        Figure(label="it", work=10, seconds=(1.0,), why_not="ended with 1"),
    ],
)
def test_no_ratio_stands_where_one_side_was_not_measured(other: Figure | None) -> None:
    found = case(measured(1.0), floor=other, rival=other)
    assert found.times_floor is None
    assert found.times_rival is None
    if other is not None:
        failed = case(other, floor=measured(1.0), rival=measured(1.0))
        assert failed.times_floor is None
        assert failed.times_rival is None


def test_a_result_reads_back_as_it_was_written() -> None:
    outcome = Outcome(
        benchmark="intake",
        title="Intake",
        status="done",
        cases=(case(measured(1.0, 2.0), rival=Figure(label="it", work=1, why_not="no")),),
        settings={"runs": 2},
        machine=Machine(processor="p", cores=2, memory_bytes=1, system="s", python="3"),
        measured_on="2026-01-31",
    )
    assert Outcome.model_validate_json(outcome.model_dump_json()) == outcome
