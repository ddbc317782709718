"""What the marts compute in SQL equals what the measurement functions say."""

from __future__ import annotations

import math

import duckdb
import jinja2
import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.measurement.dstudy import WorkplaceComponents, dependability_of_clusters, need
from pipelines.measurement.shares import effective_n, share_interval
from tests.dbt.conftest import PROJECT, Built

RHO = 0.26 / (0.26 + 0.43)
"""Of the example's calibration."""
FEW = "Mostly by published components: those of this programme rest on 9 assessors."
ENGINE = duckdb.connect()


def clusters(built: Built) -> dict[tuple[str, ...], list[int]]:
    rows = built.query(
        """
        select learner_key, stage_id, competency_id, list(n order by n)
        from (
            select
                learner_key, stage_id, competency_id, coalesce(assessor_key, record_key),
                count(*) as n
            from intermediate.int_cell_evidence__assigned
            where is_rated
            group by all
        )
        group by all
        """
    )
    return {(learner, stage, epa): sizes for learner, stage, epa, sizes in rows}


def test_intervals_of_the_marts_follow_from_the_numbers_beside_them(built: Built) -> None:
    rows = built.query(
        "select learner_key, stage_id, competency_id, n_at_target, n_effective, share_low, "
        "share_high, assessor_variance_share from marts.portfolio_competency_status "
        "where is_default and n_rated > 0"
    )
    sizes = clusters(built)
    assert any(len(set(of_cell)) < len(of_cell) or max(of_cell) > 1 for of_cell in sizes.values())
    for learner, stage, epa, n_at_target, worth, low, high, rho in rows:
        design = sizes[learner, stage, epa]
        assert float(rho) == pytest.approx(RHO, abs=1e-6)
        assert float(worth) == pytest.approx(effective_n(design, float(rho)), abs=0.006)
        expected = share_interval(n_at_target, design, float(rho))
        assert (float(low), float(high)) == pytest.approx(expected, abs=6e-5)


def test_dependability_of_the_marts_equals_that_of_the_functions(built: Built) -> None:
    rows = built.query(
        "select learner_key, stage_id, competency_id, dependability, sem, is_calibrated, "
        "n_ratings_wanted, n_more_ratings, sentence, wanted_dependability "
        "from marts.portfolio_dependability"
    )
    sizes = clusters(built)
    assert {(learner, stage, epa) for learner, stage, epa, *_ in rows} == sizes.keys()
    components = WorkplaceComponents(0.31, 0.26, 0, 0.43)
    for learner, stage, epa, found, sem, is_calibrated, n_wanted, n_more, sentence, wanted in rows:
        design = sizes[learner, stage, epa]
        expected = dependability_of_clusters(components, design)
        assert is_calibrated
        assert float(found) == pytest.approx(expected, abs=6e-5)
        assert float(sem) == pytest.approx(math.sqrt(0.31 / expected - 0.31), abs=6e-5)
        needed = need(components, float(wanted), design)
        assert (n_wanted, n_more) == (needed.n_ratings, needed.n_more)
        assert sentence == f"{needed.sentence} {FEW}"


variance = st.integers(1, 100).map(float)


@given(
    variance,
    st.integers(0, 100).map(float),
    variance,
    st.sampled_from([0.5, 0.7, 0.8, 0.9]),
    st.lists(st.integers(1, 30), min_size=1, max_size=8),
)
@settings(max_examples=300, deadline=None)
def test_the_marts_ask_for_as_many_more_ratings_as_the_functions(
    learner: float, by_assessor: float, case: float, wanted: float, sizes: list[int]
) -> None:
    macros = jinja2.Template((PROJECT / "macros" / "measures_dependability.sql").read_text()).module
    squares = sum(size * size for size in sizes)
    sql = macros.measure_ratings_wanted(learner, by_assessor, case, sum(sizes), squares, wanted)
    [(found,)] = ENGINE.execute(f"select {sql}").fetchall()
    components = WorkplaceComponents(learner, by_assessor, 0, case)
    assert found == need(components, wanted, sizes).n_ratings


standing = st.integers(0, 1_000_000).map(lambda millionths: millionths / 1_000_000)


@given(
    st.lists(st.tuples(st.integers(0, 2000), standing, st.integers(1, 4)), max_size=25),
    st.floats(0, 2500),
    st.sampled_from([0.0, 0.0001, 0.01, 0.02]),
    st.sampled_from([None, 0.0, 0.0005, 0.002, 0.01]),
    st.sampled_from([0.04, 0.065]),
    st.sampled_from([0.0, 0.3768, 0.9]),
)
@example([], 1000.890625, 0.0, 0.0001, 0.04, 0.0)
@settings(max_examples=200, deadline=None)
def test_the_line_through_a_record_is_the_best_linear_prediction_of_the_whole_covariance(
    ratings: list[tuple[int, float, int]],
    days: float,
    between: float,
    rise: float | None,
    within: float,
    rho: float,
) -> None:
    macros = jinja2.Template((PROJECT / "macros" / "measures_trend.sql").read_text()).module
    schema = {"days": pl.Int64, "standing": pl.Decimal(9, 6), "assessor": pl.Int64}
    ENGINE.register("record", pl.DataFrame(ratings, schema=schema, orient="row").to_arrow())
    told = "null" if rise is None else rise
    ahead = f"cast({days} as double)"
    [(found, variance)] = ENGINE.execute(
        f"""
        with by_assessor as (
            select
                count(*) as n,
                sum(days) as days,
                sum(days * days) as squares,
                sum(standing - 0.5) as total,
                sum(days * (standing - 0.5)) as products
            from record
            group by assessor
        ),

        summed as (
            select {macros.sums_of_trend("n", "days", "squares", "total", "products", rho)}
            from by_assessor
        ),

        trended as (
            select *, {macros.surety_of_trend(between, told, within)}
            from summed
        )

        select
            {macros.standing_by_trend(ahead, within)},
            {macros.variance_by_trend(ahead)}
        from trended
        """
    ).fetchall()
    at = np.array([[1.0, days / 365.25]])
    design = np.array([[1.0, day / 365.25] for day, *_ in ratings]).reshape(-1, 2)
    seen = np.array([each for _, each, _ in ratings]) - 0.5
    by = np.array([assessor for *_, assessor in ratings])
    same = (by[:, None] == by[None, :]).astype(float)
    learners = np.diag([between, rise or 0.0])
    noise = within * ((1 - rho) * np.eye(len(seen)) + rho * same)
    weights = at @ learners @ design.T @ np.linalg.inv(design @ learners @ design.T + noise)
    expected = 0.5 + (weights @ seen).item()
    doubt = (at @ learners @ at.T - weights @ design @ learners @ at.T).item()
    assert found == pytest.approx(expected, abs=1e-5)
    assert variance == pytest.approx(doubt, abs=1e-5)


def test_a_cut_score_set_for_a_sitting_counts_there_and_is_shown_with_its_method(
    built: Built,
) -> None:
    (sitting,) = built.query(
        "select cut_score, cut_score_method, is_at_or_above_cut from marts.fct_exam_sitting "
        "where sitting_id = 'P1'"
    )
    assert (float(sitting[0]), *sitting[1:]) == (38.0, "cohen", True)
    (evidence,) = built.query(
        "select cut_score, is_at_or_above_target from marts.fct_evidence where sitting_id = 'P1'"
    )
    assert (float(evidence[0]), evidence[1]) == (38.0, True)
