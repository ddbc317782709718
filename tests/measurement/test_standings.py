from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.measurement import standings

levels = st.lists(st.integers(min_value=1, max_value=5), min_size=10, max_size=60)


def ratings(given_levels: list[int], *, learners: int = 5, stage: str = "Y1") -> pl.DataFrame:
    """Ratings of one group of peers, learners taking turns."""
    return pl.DataFrame(
        {
            "programme_id": "MED",
            "stage_id": stage,
            "quarter": 0,
            "instrument_id": "cbd",
            "scale_id": "five",
            "scale_version": "",
            "direction": "retrospective",
            "learner": [f"L-{n % learners}" for n in range(len(given_levels))],
            "competency_id": "EPA01",
            "rotation_id": "ward",
            "assessor": [f"A-{n}" for n in range(len(given_levels))],
            "observed_on": date(2026, 2, 1),
            "level": given_levels,
        },
        schema_overrides={"quarter": pl.Int64, "level": pl.Int64},
    )


def marks(shares: list[float], task: str = "essay") -> pl.DataFrame:
    return pl.DataFrame(
        {
            "programme_id": "MED",
            "task_id": task,
            "learner": [f"L-{n}" for n in range(len(shares))],
            "share": shares,
        }
    )


def test_a_level_stands_above_what_lies_below_it_and_half_of_its_ties() -> None:
    norms = standings.level_norms(ratings([1, 1, 2, 2, 2, 2, 3, 3, 3, 4]))
    assert norms["level"].to_list() == [1, 2, 3, 4]
    assert norms["standing"].to_list() == pytest.approx([0.1, 0.4, 0.75, 0.95])
    assert norms["n_ratings"].unique().to_list() == [10]


@settings(max_examples=100)
@given(levels=levels)
def test_the_mean_standing_of_peers_is_one_half_and_higher_levels_stand_higher(
    levels: list[int],
) -> None:
    norms = standings.level_norms(ratings(levels))
    where = dict(zip(norms["level"], norms["standing"], strict=True))
    assert np.mean([where[level] for level in levels]) == pytest.approx(0.5)
    assert norms["standing"].is_sorted()


def test_peers_are_of_one_stage_and_few_of_them_give_no_norm() -> None:
    lower, upper = ratings([1, 2] * 5), ratings([3, 4] * 5, stage="Y2")
    both = standings.level_norms(pl.concat([lower, upper]))
    assert both.filter(pl.col("stage_id") == "Y1").equals(standings.level_norms(lower))
    assert both.filter(pl.col("level") == 3)["standing"].to_list() == [0.25]
    assert standings.level_norms(ratings([1, 2] * 5, learners=4)).is_empty()
    assert standings.level_norms(ratings([1, 2, 3])).is_empty()


def test_a_task_has_a_norm_where_enough_did_it_and_not_all_alike() -> None:
    found = standings.score_norms(
        pl.concat(
            [
                marks([0.5, 0.6, 0.7, 0.8, 0.9]),
                marks([0.7] * 6, "alike"),
                marks([0.5, 0.6, 0.7], "few"),
            ]
        )
    )
    assert found["task_id"].to_list() == ["essay"]
    assert found["mean_share"].to_list() == pytest.approx([0.7])
    assert found["sd_share"].to_list() == pytest.approx([0.158114], abs=1e-6)


def school(seed: int, learner_sd: float, n_learners: int = 60, each: int = 80) -> pl.DataFrame:
    """Ratings of learners who differ by as much, on ten competencies alike."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(n_learners), each)
    seen = 3 + rng.normal(0, learner_sd, n_learners)[who] + rng.normal(0, 0.8, len(who))
    return ratings(np.clip(np.rint(seen), 1, 5).astype(int).tolist()).with_columns(
        learner=pl.Series([f"L-{n:03}" for n in who]),
        competency_id=pl.Series([f"EPA{n % 10}" for n in range(len(who))]),
    )


def test_learners_who_do_not_differ_have_no_variance_between_them() -> None:
    nothing = marks([0.5]).head(0)
    (alike,) = standings.spreads(school(1, 0.0), nothing).to_dicts()
    (apart,) = standings.spreads(school(1, 0.5), nothing).to_dicts()
    assert alike["between_variance"] < 0.0005
    assert apart["between_variance"] > 0.01
    assert 0.05 < alike["within_variance"] < 0.0833
    assert alike["competency_variance"] is None
    assert alike["apart_variance"] is None


def test_the_order_of_ratings_has_no_influence() -> None:
    seen = school(2, 0.4)
    work = pl.concat(
        [
            marks([0.5 + 0.005 * n for n in range(60)], f"essay-{k}").with_columns(
                learner=pl.Series([f"L-{n:03}" for n in range(60)])
            )
            for k in range(4)
        ]
    )
    one = standings.spreads(seen, work)
    other = standings.spreads(
        seen.sample(fraction=1, shuffle=True, seed=1), work.sample(fraction=1, shuffle=True, seed=2)
    )
    assert one.equals(other)
    assert one["open_variance"].item() >= 0
    assert one["apart_variance"].item() > 0


def years(
    seed: int,
    change_sd: float,
    n_learners: int = 80,
    each: int = 60,
    before: date = date(2024, 2, 1),
) -> pl.DataFrame:
    """Ratings of learners on two days, who change between them by as much."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(n_learners), each)
    late = np.tile(np.arange(each) % 2 == 1, n_learners)
    change = rng.normal(0, change_sd, n_learners)[who]
    seen = 3 + rng.normal(0, 0.3, n_learners)[who] + late * change + rng.normal(0, 0.8, len(who))
    return ratings(np.clip(np.rint(seen), 1, 5).astype(int).tolist()).with_columns(
        learner=pl.Series([f"L-{n:03}" for n in who]),
        observed_on=pl.Series([date(2026, 2, 1) if is_late else before for is_late in late]),
    )


def test_how_learners_change_is_told_from_chance_and_the_few_who_fall_do_not_move_it() -> None:
    nothing = marks([0.5]).head(0)
    steady, changing = years(3, 0.0), years(3, 0.5)
    few = pl.col("learner").is_in([f"L-{n:03}" for n in range(4)])
    fallen = steady.with_columns(
        level=pl.when(few & (pl.col("observed_on") > date(2025, 1, 1))).then(1).otherwise("level")
    )
    rises = [
        standings.spreads(each, nothing)["rise_variance"].item()
        for each in (steady, changing, fallen)
    ]
    assert rises[0] < 0.00025
    assert rises[1] > 0.002
    assert rises[2] < 0.0005


def test_a_rise_is_that_of_a_year_however_many_years_lie_between() -> None:
    nothing = marks([0.5]).head(0)
    two, four = (
        standings.spreads(years(3, 0.5, before=before), nothing)["rise_variance"].item()
        for before in (date(2024, 2, 1), date(2022, 2, 1))
    )
    assert two / four == pytest.approx(4, rel=0.01)


def test_ratings_by_one_assessor_count_as_fewer_when_change_is_told_from_chance() -> None:
    nothing = marks([0.5]).head(0)
    seen = years(4, 0.2)
    by_few = seen.with_columns(
        assessor=pl.concat_str("learner", pl.col("observed_on").cast(pl.String))
    )
    (many,) = standings.spreads(seen, nothing).to_dicts()
    (few,) = standings.spreads(by_few, nothing).to_dicts()
    assert few["rise_variance"] < many["rise_variance"]


def test_without_an_earlier_record_nobody_is_known_to_change() -> None:
    (found,) = standings.spreads(school(5, 0.4), marks([0.5]).head(0)).to_dicts()
    assert found["rise_variance"] is None


def test_a_rotation_offers_what_peers_were_assessed_on_in_it_and_few_of_them_say_nothing() -> None:
    ward = ratings([1] * 20).with_columns(competency_id=pl.Series(["EPA01"] * 15 + ["EPA02"] * 5))
    few = ratings([1] * 9).with_columns(rotation_id=pl.lit("clinic"))
    alone = ratings([1] * 20, learners=4).with_columns(rotation_id=pl.lit("theatre"))
    found = standings.offers(pl.concat([ward, few, alone]))
    assert found.select("rotation_id", "competency_id", "n_ratings", "n_of_rotation").rows() == [
        ("ward", "EPA01", 15, 20),
        ("ward", "EPA02", 5, 20),
    ]
