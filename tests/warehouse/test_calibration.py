from __future__ import annotations

import json
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.warehouse.calibration import (
    CURRENT,
    MANIFEST,
    calibrate,
    current_version,
    refits,
)
from pipelines.warehouse.calibration_estimates import TABLES, estimates
from pipelines.warehouse.calibration_inputs import SCALE_AND_INSTRUMENT
from pipelines.warehouse.connection import WarehouseError, open_warehouse
from pipelines.warehouse.raw_schema import create_raw


def ratings(
    seed: int = 1,
    scale: str = "entrustment_5",
    prefix: str = "",
    direction: str = "retrospective",
    version: str = "1",
) -> pl.DataFrame:
    """Ratings of 20 learners by 6 assessors, all crossed; assessor 5 is strict."""
    rng = np.random.default_rng(seed)
    learner, assessor = np.divmod(np.arange(240) % 120, 6)
    level = 3 + rng.normal(0, 0.7, 20)[learner] - 1.5 * (assessor == 5) + rng.normal(0, 0.8, 240)
    return pl.DataFrame(
        {
            "programme_id": "MED",
            "scale_id": scale,
            "scale_version": version,
            "direction": direction,
            "learner": [f"L-{prefix}{i:02}" for i in learner],
            "assessor": [f"A-{prefix}{i:02}" for i in assessor],
            "context": "epa-1",
            "level": np.clip(np.rint(level), 1, 5).astype(np.int64),
        }
    )


def halves() -> pl.DataFrame:
    return pl.concat([ratings(1, prefix="x"), ratings(2, prefix="y")])


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.open(tmp_path / "home")


@pytest.fixture
def settings(home: Home) -> Settings:
    return Settings(home=home.root)


def put_into_raw(home: Home, settings: Settings, frame: pl.DataFrame) -> None:
    """Fill `raw` with accepted ratings whose people are known."""
    rows = frame.with_columns(
        learner_pseudonym="p-" + pl.col("learner"), assessor_pseudonym="p-" + pl.col("assessor")
    )
    with open_warehouse(home, settings) as con:
        create_raw(con)
        con.execute("delete from raw.workplace_assessment")
        con.execute("delete from raw.identity")
        con.register("rated", rows.to_arrow())
        con.execute(
            """
            insert into raw.workplace_assessment by name
            select
                programme_id, scale_id, scale_version, direction, context as competency_id,
                level, learner_pseudonym, assessor_pseudonym, 'accepted' as present_outcome
            from rated
            """
        )
        con.execute(
            """
            insert into raw.identity by name
            select distinct learner_pseudonym as pseudonym, 'learner' as role,
                learner as person_key from rated
            union all
            select distinct assessor_pseudonym, 'assessor', assessor from rated
            """
        )


def raw(home: Home, settings: Settings, table: str) -> list[dict[str, object]]:
    with open_warehouse(home, settings) as con:
        found: pl.DataFrame = con.sql(f"select * from raw.{table}").pl()
    return found.to_dicts()


def test_a_connected_design_gives_components_and_the_strict_assessor() -> None:
    found = estimates(ratings())
    (summary,) = found["calibration_connectivity"].to_dicts()
    assert summary["is_connected"]
    assert summary["is_estimated"]
    assert summary["assessors_per_learner"] * summary["ratings_per_assessor"] > 1
    assert "ordinal" in summary["label"]
    components = found["calibration_component"]
    assert components["component"].to_list() == [
        "assessor",
        "learner",
        "learner_assessor",
        "residual",
    ]
    assert components["variance_share"].sum() == pytest.approx(1, abs=1e-5)
    strictest = found["calibration_assessor"].sort("effect").row(0, named=True)
    assert strictest["assessor_key"] == "A-05"
    assert strictest["raw_mean"] < summary["mean_level"]


def test_a_disconnected_design_gives_a_sentence_and_no_number() -> None:
    found = estimates(halves())
    (summary,) = found["calibration_connectivity"].to_dicts()
    assert not summary["is_connected"]
    assert not summary["is_estimated"]
    assert "2 groups that share nobody" in summary["sentence"]
    assert summary["mean_level"] is None
    for table in ("calibration_component", "calibration_assessor"):
        assert set(found[table]["block"]) == {0, 1}, "each group by itself, never together"
    alone = estimates(ratings(1, prefix="x"))["calibration_assessor"]
    together = found["calibration_assessor"].filter(pl.col("assessor_key").str.contains("x"))
    assert together.drop("block").equals(alone.drop("block"))


def test_groups_too_small_by_themselves_give_no_number_at_all() -> None:
    pairs = ratings().with_columns(assessor=pl.col("learner").str.replace("L", "A"))
    found = estimates(pairs)
    assert found["calibration_connectivity"]["is_estimated"].to_list() == [False]
    assert found["calibration_component"].is_empty()
    assert found["calibration_assessor"].is_empty()


def test_every_level_that_is_a_target_gets_a_binary_model() -> None:
    targets = pl.DataFrame(
        {
            "programme_id": [None, "MED", "OTHER"],
            "scale_id": "entrustment_5",
            "scale_version": pl.Series([None, None, None], dtype=pl.String),
            "target_level": [4, 3, 2],
        }
    )
    effects = estimates(ratings(), targets)["calibration_target_effect"]
    assert set(effects["target_level"]) == {3, 4}
    assessors = effects.filter((pl.col("component") == "assessor") & (pl.col("target_level") == 3))
    assert assessors.sort("effect")["effect_id"][0] == "A-05"
    assert effects.filter(pl.col("component") == "mean")["effect_id"].to_list() == ["mean"] * 2


def test_a_target_on_a_version_of_the_scale_is_asked_of_that_version_only() -> None:
    targets = pl.DataFrame(
        {
            "programme_id": "MED",
            "scale_id": "entrustment_5",
            "scale_version": ["1", "2", None],
            "target_level": [4, 3, 2],
        }
    )
    both = pl.concat([ratings(), ratings(version="2")])
    effects = estimates(both, targets)["calibration_target_effect"]
    asked = effects.select("scale_version", "target_level").unique().sort(pl.all())
    assert asked.rows() == [("1", 2), ("1", 4), ("2", 2), ("2", 3)]


def test_a_rating_that_names_no_version_is_of_version_ten_and_not_of_nine() -> None:
    with duckdb.connect() as connection:
        connection.execute("create schema raw")
        connection.execute(
            "create table raw.scale_level as select * from (values ('five', '9', null), "
            "('five', '10', null)) as given (scale_id, scale_version, direction)"
        )
        connection.execute(
            "create table raw.instrument (instrument_id varchar, assurance_level varchar, "
            "method_family varchar, direction varchar)"
        )
        found = connection.execute(f"with {SCALE_AND_INSTRUMENT} select scale_version from scale")
        assert found.fetchall() == [("10",)]


def test_one_stray_pair_does_not_spoil_the_rest() -> None:
    stray = ratings().head(1).with_columns(learner=pl.lit("L-st"), assessor=pl.lit("A-st"))
    found = estimates(pl.concat([ratings(), stray]))
    (summary,) = found["calibration_connectivity"].to_dicts()
    assert not summary["is_connected"]
    assert summary["is_estimated"]
    assert "A-st" not in found["calibration_assessor"]["assessor_key"]
    assert summary["sentence"].endswith("What is estimated is about that group.")


def test_scales_are_never_pooled() -> None:
    found = estimates(pl.concat([ratings(1), ratings(2, scale="mini_cex_9")]))
    assert found["calibration_connectivity"]["scale_id"].to_list() == [
        "entrustment_5",
        "mini_cex_9",
    ]
    alone = estimates(ratings(1))["calibration_component"]
    together = found["calibration_component"].filter(pl.col("scale_id") == "entrustment_5")
    assert together.equals(alone)


@given(
    st.integers(0, 99),
    st.sampled_from([("prospective", "1"), ("retrospective", "2")]),
    st.booleans(),
)
@hypothesis_settings(max_examples=8, deadline=None)
def test_ratings_that_look_ahead_or_of_another_version_move_nothing_that_looks_back(
    seed: int, other: tuple[str, str], by_others: bool
) -> None:
    direction, version = other
    ahead = ratings(seed, direction=direction, version=version)
    if by_others:
        ahead = ahead.with_columns(assessor=pl.col("assessor").str.replace("A", "B"))
    targets = pl.DataFrame(
        {
            "programme_id": ["MED"],
            "scale_id": ["entrustment_5"],
            "scale_version": pl.Series([None], dtype=pl.String),
            "target_level": [4],
        }
    )
    together = estimates(pl.concat([ratings(), ahead]), targets)
    alone = estimates(ratings(), targets)
    for table in TABLES:
        found = together[table].filter(
            (pl.col("direction") == "retrospective") & (pl.col("scale_version") == "1")
        )
        assert found.equals(alone[table]), table
    assert set(together["calibration_connectivity"]["direction"]) == {"retrospective", direction}


def test_which_way_a_rating_looks_says_its_form_or_else_its_scale_or_its_instrument(
    home: Home, settings: Settings
) -> None:
    frame = ratings().with_columns(
        direction=pl.when(pl.int_range(pl.len()) < 60).then(pl.lit("prospective")),
        scale_version=pl.lit(None, pl.String),
    )
    put_into_raw(home, settings, frame)
    with open_warehouse(home, settings) as con:
        con.execute("delete from raw.scale_level")
        con.execute(
            "insert into raw.scale_level (scale_id, scale_version, direction) "
            "values ('entrustment_5', '3', 'prospective')"
        )

    def counted() -> dict[tuple[object, object], object]:
        calibrate(home, settings)
        return {
            (row["direction"], row["scale_version"]): row["n_ratings"]
            for row in raw(home, settings, "calibration_connectivity")
        }

    assert counted() == {("prospective", "3"): 240}
    with open_warehouse(home, settings) as con:
        con.execute("update raw.workplace_assessment set instrument_id = 'cbd'")
        con.execute("delete from raw.instrument")
        con.execute(
            "insert into raw.instrument (instrument_id, direction) values ('cbd', 'retrospective')"
        )
    assert counted() == {("prospective", "3"): 240}
    with open_warehouse(home, settings) as con:
        con.execute("update raw.scale_level set direction = null")
    assert counted() == {("prospective", "3"): 60, ("retrospective", "3"): 180}


def test_the_order_of_ratings_has_no_influence() -> None:
    shuffled = ratings().sample(fraction=1, shuffle=True, seed=4)
    assert all(estimates(shuffled)[t].equals(estimates(ratings())[t]) for t in TABLES)


def test_a_calibration_is_an_artefact_and_fills_raw(home: Home, settings: Settings) -> None:
    put_into_raw(home, settings, ratings())
    report = calibrate(home, settings)
    assert report.is_new
    assert report.n_ratings == 240
    assert current_version(home) == report.calibration_version
    folder = home.calibrations / str(report.calibration_version)
    manifest = json.loads((folder / MANIFEST).read_text())
    assert manifest["calibration_version"] == report.calibration_version
    assert manifest["sentences"] == report.scales
    for table in TABLES:
        rows = raw(home, settings, table)
        assert len(rows) == pl.read_parquet(folder / f"{table}.parquet").height
        assert len(rows) > 0 or table == "calibration_target_effect"
        assert not rows or {row["calibration_version"] for row in rows} == {
            report.calibration_version
        }


def test_the_same_ratings_give_the_same_version(home: Home, settings: Settings) -> None:
    put_into_raw(home, settings, ratings())
    first = calibrate(home, settings)
    put_into_raw(home, settings, ratings().reverse())
    second = calibrate(home, settings)
    assert second.calibration_version == first.calibration_version
    assert not second.is_new


def test_a_nightly_run_keeps_the_calibration_in_force(home: Home, settings: Settings) -> None:
    put_into_raw(home, settings, ratings())
    first = calibrate(home, settings, only_if_missing=True)
    put_into_raw(home, settings, ratings(seed=9))
    assert calibrate(home, settings, only_if_missing=True).calibration_version == (
        first.calibration_version
    )
    renewed = calibrate(home, settings)
    assert renewed.calibration_version != first.calibration_version
    assert {row["calibration_version"] for row in raw(home, settings, "calibration_assessor")} == {
        renewed.calibration_version
    }
    assert (home.calibrations / str(first.calibration_version)).is_dir()


def test_a_calibration_of_an_older_version_still_fills_what_it_knew(
    home: Home, settings: Settings
) -> None:
    put_into_raw(home, settings, ratings())
    report = calibrate(home, settings)
    folder = home.calibrations / str(report.calibration_version)
    (folder / "calibration_target_effect.parquet").unlink()
    older = pl.read_parquet(folder / "calibration_component.parquet").drop("block")
    older.write_parquet(folder / "calibration_component.parquet")
    calibrate(home, settings, only_if_missing=True)
    assert raw(home, settings, "calibration_target_effect") == []
    assert {row["block"] for row in raw(home, settings, "calibration_component")} == {None}


def test_without_ratings_there_is_no_calibration(home: Home, settings: Settings) -> None:
    put_into_raw(home, settings, ratings().head(0))
    assert calibrate(home, settings).calibration_version is None
    assert not (home.calibrations / CURRENT).exists()


def test_a_stopped_calibration_leaves_nothing_in_force(
    home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_into_raw(home, settings, ratings())

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("pipelines.warehouse.calibration.point", stop)
        with pytest.raises(KeyboardInterrupt):
            calibrate(home, settings)
    assert current_version(home) is None
    assert calibrate(home, settings).calibration_version == current_version(home)


def test_norms_are_of_the_stage_that_the_learner_was_in_and_frozen_with_the_calibration(
    home: Home, settings: Settings
) -> None:
    put_into_raw(home, settings, ratings())
    with open_warehouse(home, settings) as con:
        con.execute("update raw.workplace_assessment set observed_at = '2026-02-01 10:00:00+00'")
        con.execute("update raw.workplace_assessment set instrument_id = 'cbd'")
        con.execute(
            "insert into raw.learner_stage by name select distinct 'MED' as programme_id, "
            "learner_pseudonym, 'stage' as period_type, 'Y1' as period_id, "
            "date '2025-10-01' as starts_on, 'accepted' as present_outcome "
            "from raw.workplace_assessment"
        )
    calibrate(home, settings)
    norms = raw(home, settings, "calibration_level_norm")
    assert {(row["stage_id"], row["quarter"], row["instrument_id"]) for row in norms} == {
        ("Y1", 1, "cbd")
    }
    assert {row["n_learners"] for row in norms} == {20}
    (spread,) = raw(home, settings, "calibration_spread")
    assert float(str(spread["between_variance"])) > 0
    put_into_raw(home, settings, ratings(seed=9))
    calibrate(home, settings, only_if_missing=True)
    assert raw(home, settings, "calibration_level_norm") == norms


def test_what_respondents_and_learners_say_of_themselves_and_open_work_gives_no_norm(
    home: Home, settings: Settings
) -> None:
    put_into_raw(home, settings, ratings())
    with open_warehouse(home, settings) as con:
        con.execute("update raw.workplace_assessment set observed_at = '2026-02-01 10:00:00+00'")
        con.execute(
            "update raw.workplace_assessment set instrument_id = 'cbd', assurance_level = 'open'"
        )
    calibrate(home, settings)
    assert raw(home, settings, "calibration_level_norm") == []
    with open_warehouse(home, settings) as con:
        con.execute("update raw.workplace_assessment set assurance_level = 'observed'")
        con.execute(
            "update raw.workplace_assessment set assessor_role = 'self' "
            "where assessor_pseudonym <> 'p-A-00'"
        )
    calibrate(home, settings)
    assert {row["n_ratings"] for row in raw(home, settings, "calibration_level_norm")} == {40}


def meet(home: Home, settings: Settings, meeting_id: str) -> None:
    with open_warehouse(home, settings) as con:
        con.execute(
            "insert into raw.committee (meeting_id, present_outcome) values (?, 'accepted')",
            [meeting_id],
        )


def test_a_refit_before_a_freeze_is_kept_with_its_meeting(home: Home, settings: Settings) -> None:
    put_into_raw(home, settings, ratings())
    meet(home, settings, "2026-02")
    first = calibrate(home, settings, meeting_id="2026-02")
    calibrate(home, settings, meeting_id="2026-02")
    assert [(one["meeting_id"], one["calibration_version"]) for one in refits(home)] == [
        ("2026-02", first.calibration_version)
    ]
    put_into_raw(home, settings, ratings(2))
    meet(home, settings, "2026-02")
    second = calibrate(home, settings, meeting_id="2026-02")
    assert second.calibration_version != first.calibration_version
    assert [one["calibration_version"] for one in refits(home)] == [
        first.calibration_version,
        second.calibration_version,
    ]
    assert current_version(home) == second.calibration_version


def test_a_meeting_that_no_committee_has_is_refused(home: Home, settings: Settings) -> None:
    put_into_raw(home, settings, ratings())
    meet(home, settings, "2026-02")
    with pytest.raises(WarehouseError, match="there are: 2026-02"):
        calibrate(home, settings, meeting_id="2026-13")
    assert refits(home) == []
    assert current_version(home) is None


def test_a_warehouse_that_an_older_version_filled_is_refused_with_what_to_do(
    home: Home, settings: Settings
) -> None:
    put_into_raw(home, settings, ratings())
    with open_warehouse(home, settings) as con:
        con.execute("update raw.load_state set fingerprint = 'older'")
    with pytest.raises(WarehouseError, match="run `tessera run` first"):
        calibrate(home, settings)
    assert current_version(home) is None
