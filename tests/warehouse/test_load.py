"""`raw` is a function of the log: whatever came before, the same log gives the same tables."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import polars as pl
import pytest

from pipelines.contracts import CONTRACTS, versions
from pipelines.home import Home
from pipelines.intake.ledger import ledger, tally, tally_as_loaded
from pipelines.intake.records import segment_name
from pipelines.settings import Settings
from pipelines.warehouse import load as load_module
from pipelines.warehouse import raw_events
from pipelines.warehouse.connection import open_warehouse
from pipelines.warehouse.hashing import table_hash
from pipelines.warehouse.load import load, newest_known_at
from pipelines.warehouse.raw_schema import raw_tables


def day(number: int) -> datetime:
    return datetime.fromisoformat(f"2024-03-{number:02d}T12:00:00+00:00")


def result(record_id: str, score: int = 1, **more: Any) -> dict[str, Any]:
    return {"record_id": record_id, "person": "007", "score": score, **more}


def outcomes(home: Home, settings: Settings, kind: str = "exam_result") -> dict[str, list[str]]:
    with open_warehouse(home, settings, read_only=True) as con:
        rows = con.execute(
            f"select record_id, list(present_outcome order by known_at, source_row) "
            f"from raw.{kind} group by record_id"
        ).fetchall()
    return dict(rows)


def hashes(home: Home, settings: Settings) -> dict[str, str]:
    with open_warehouse(home, settings, read_only=True) as con:
        counts = {t: con.execute(f"select count(*) from raw.{t}").fetchall() for t in raw_tables()}
        return {t: table_hash(con, f"raw.{t}") for t, ((n,),) in counts.items() if n}


def test_every_table_stands_after_loading_nothing(home: Home, settings: Settings) -> None:
    report = load(home, settings)
    assert report.is_unchanged
    assert report.newest_known_at is None
    assert "rule_set" in raw_tables()
    assert hashes(home, settings).keys() <= raw_tables().keys()


def test_events_receipts_and_identities_are_loaded(
    home: Home, settings: Settings, log: Any
) -> None:
    log.deliver("a", known_at=day(1), exam_result=[result("r1"), result("r2")])
    report = load(home, settings)
    assert report.deliveries_added == 1
    assert report.events == {"exam_result": 2}
    assert report.newest_known_at == day(1)
    with open_warehouse(home, settings, read_only=True) as con:
        assert con.execute("select count(*) from raw.receipt").fetchall() == [(1,)]
        assert con.execute(
            "select count(distinct person_key) from raw.exam_result "
            "join raw.identity on learner_pseudonym = pseudonym"
        ).fetchall() == [(1,)]
        assert con.execute("select count(*) > 0 from raw.scale_level").fetchall() == [(True,)]
        assert con.execute("select count(*) > 0 from raw.instrument").fetchall() == [(True,)]


def test_the_target_that_a_site_gives_its_scale_is_loaded(
    home: Home, settings: Settings, log: Any, tmp_path: Path
) -> None:
    codes = tmp_path / "site" / "codes"
    codes.mkdir(parents=True)
    (codes / "scales.csv").write_text(
        "scale_id,scale_version,level,level_label,direction,description,is_target,source\n"
        "handover_4,1,1,Not ready,retrospective,,,local choice\n"
        "handover_4,1,2,Alone,retrospective,,yes,local choice\n",
        encoding="utf-8",
    )
    of_site = settings.model_copy(update={"site": codes.parent})
    log.deliver("a", known_at=day(1), exam_result=[result("r1")])
    load(home, of_site)
    with open_warehouse(home, of_site, read_only=True) as con:
        targets = con.execute("select scale_id, level from raw.scale_level where is_target")
        assert targets.fetchall() == [("handover_4", 2)]


def test_loading_again_changes_nothing(home: Home, settings: Settings, log: Any) -> None:
    log.deliver("a", known_at=day(1), exam_result=[result("r1")])
    load(home, settings)
    before = hashes(home, settings)
    assert load(home, settings).is_unchanged
    assert hashes(home, settings) == before


def test_a_newer_version_supersedes_and_a_repeat_is_a_duplicate(
    home: Home, settings: Settings, log: Any
) -> None:
    log.deliver("a", known_at=day(1), exam_result=[result("r1"), result("r2")])
    load(home, settings)
    log.deliver("b", known_at=day(2), exam_result=[result("r1", score=2), result("r2")])
    load(home, settings)
    assert outcomes(home, settings) == {
        "r1": ["superseded", "accepted"],
        "r2": ["accepted", "duplicate"],
    }


def test_a_void_withdraws_a_record_that_came_before_or_comes_after(
    home: Home, settings: Settings, log: Any
) -> None:
    log.deliver("a", known_at=day(1), exam_result=[result("r1")])
    load(home, settings)
    log.deliver("b", known_at=day(2), void=[{"record_id": "r1"}, {"record_id": "r2"}])
    load(home, settings)
    log.deliver("c", known_at=day(3), exam_result=[result("r2")])
    load(home, settings)
    assert outcomes(home, settings) == {"r1": ["voided"], "r2": ["voided"]}


def test_raw_and_ledger_tell_the_same_outcomes(home: Home, settings: Settings, log: Any) -> None:
    log.deliver("a", known_at=day(1), exam_result=[result("r1"), result("r2"), result("r3")])
    log.deliver("b", known_at=day(2), exam_result=[result("r1", 5), result("r2")])
    log.deliver("c", known_at=day(3), void=[{"record_id": "r3"}])
    report = load(home, settings)
    for outcome in ("accepted", "duplicate", "superseded", "voided"):
        told = sum(getattr(entry, outcome) for entry in ledger(home))
        assert report.outcomes.get(outcome, 0) == told
    assert tally_as_loaded(home, report.statuses, report.records) == tally(ledger(home))


def test_a_new_interpretation_replaces_the_old_one(
    home: Home, settings: Settings, log: Any
) -> None:
    log.deliver("a", known_at=day(1), exam_result=[result("r1"), result("r2")])
    log.deliver("b", known_at=day(2), exam_result=[result("r1", score=2)])
    load(home, settings)
    log.deliver("b", known_at=day(2), interpretation="i2", exam_result=[result("r2", score=2)])
    report = load(home, settings)
    assert (report.deliveries_added, report.deliveries_removed) == (1, 1)
    assert outcomes(home, settings) == {"r1": ["accepted"], "r2": ["superseded", "accepted"]}


def test_a_withdrawal_still_holds_after_its_delivery_is_read_again(
    home: Home, settings: Settings, log: Any
) -> None:
    log.deliver("a", known_at=day(1), exam_result=[result("r1"), result("r2")])
    log.deliver("b", known_at=day(2), void=[{"record_id": "r1"}])
    load(home, settings)
    log.deliver("b", known_at=day(2), interpretation="i2", void=[{"record_id": "r1"}])
    load(home, settings)
    assert outcomes(home, settings) == {"r1": ["voided"], "r2": ["accepted"]}
    stepwise = hashes(home, settings)
    home.warehouse.unlink()
    load(home, settings)
    assert hashes(home, settings) == stepwise


def test_a_delivery_that_leaves_the_log_leaves_raw(
    home: Home, settings: Settings, log: Any
) -> None:
    log.deliver("a", known_at=day(1), exam_result=[result("r1")])
    load(home, settings)
    alone = hashes(home, settings)
    gone = log.deliver("b", known_at=day(2), exam_result=[result("r1", score=2)])
    load(home, settings)
    shutil.rmtree(home.deliveries / gone)
    shutil.rmtree(home.receipts / gone)
    load(home, settings)
    assert hashes(home, settings) == alone


def test_events_of_a_held_delivery_do_not_count_and_its_refusals_are_told(
    home: Home, settings: Settings, log: Any
) -> None:
    refused = [{"code": "held", "message": "The delivery is held.", "owner": "assessment_unit"}]
    log.deliver("a", known_at=day(1), status="held", refused=refused, exam_result=[result("r1")])
    report = load(home, settings)
    assert report.events == {}
    assert report.refused == 1


@pytest.mark.slow
def test_incremental_loads_equal_one_load(home: Home, settings: Settings, log: Any) -> None:
    read = [(number, "i1") for number in range(1, 6)]
    for number, interpretation in [*read, *((number, "i2") for number, _ in read)]:
        log.deliver(
            f"d{number}",
            known_at=day(number),
            interpretation=interpretation,
            exam_result=[result(f"r{i}", score=i * number % 3) for i in range(1, 4)],
            void=[{"record_id": f"r{number}"}] if number % 2 else [],
        )
        load(home, settings)
    stepwise = hashes(home, settings)
    home.warehouse.unlink()
    load(home, settings)
    assert hashes(home, settings) == stepwise


@pytest.mark.slow
def test_loading_tells_how_many_of_the_new_events_are_in(
    home: Home, settings: Settings, log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_events, "FILES_AT_ONCE", 1)
    log.deliver("a", known_at=day(1), exam_result=[result("r1"), result("r2")])
    log.deliver("b", known_at=day(2), exam_result=[result("r3")], learner=[{"record_id": "l1"}])
    told: list[tuple[int, int]] = []
    load(home, settings, progress=lambda done, total: told.append((done, total)))
    assert [total for _, total in told] == [4] * len(told)
    assert [done for done, _ in told] == [1, 3, 4] or [done for done, _ in told] == [1, 2, 4]
    again: list[tuple[int, int]] = []
    assert load(home, settings, progress=lambda *now: again.append(now)).is_unchanged
    assert again == []


def test_a_delivery_in_several_files_is_loaded_as_one_in_a_single_file_is(
    home: Home, settings: Settings, log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_events, "FILES_AT_ONCE", 2)
    rows = [result(f"r{n}", n) for n in range(9)] + [result("r0", 100), result("r8", 8)]
    delivery = log.deliver("a", known_at=day(1), exam_result=rows)
    load(home, settings)
    whole = hashes(home, settings)
    (path,) = (home.deliveries / delivery).glob("*/exam_result.parquet")
    frame = pl.read_parquet(path)
    for number in range(1, 6):
        part = frame.slice(2 * number - 2, 2 if number < 5 else None)
        part.write_parquet(path.with_name(segment_name("exam_result", number, of=5)))
    path.unlink()
    shutil.rmtree(home.warehouse.parent)
    load(home, settings)
    assert hashes(home, settings) == whole
    assert [(e.rows_read, e.duplicate) for e in ledger(home)] == [(11, 1)]


def test_known_at_leaves_out_what_came_later_and_resolves_again(
    home: Home, settings: Settings, log: Any
) -> None:
    log.deliver("a", known_at=day(1), exam_result=[result("r1")])
    log.deliver("b", known_at=day(5), exam_result=[result("r1", score=2), result("r9")])
    load(home, settings)
    everything = hashes(home, settings)
    report = load(home, settings, known_at=day(2))
    assert outcomes(home, settings) == {"r1": ["accepted"]}
    assert report.newest_known_at == day(1)
    with open_warehouse(home, settings, read_only=True) as con:
        assert con.execute("select count(*) from raw.intake_record").fetchall() == [(1,)]
        assert con.execute("select count(*) from raw.receipt").fetchall() == [(1,)]
    load(home, settings)
    assert hashes(home, settings) == everything


def test_known_at_keeps_rows_whose_own_column_says_that_they_were_known(
    home: Home, settings: Settings, log: Any
) -> None:
    log.deliver("a", known_at=day(9), exam_result=[result("r1", known_at=day(1)), result("r2")])
    load(home, settings, known_at=day(2))
    assert outcomes(home, settings) == {"r1": ["accepted"]}


def test_nothing_is_known_later_than_its_delivery(home: Home, settings: Settings, log: Any) -> None:
    log.deliver("a", known_at=day(2), exam_result=[result("r1", known_at=day(28))])
    assert load(home, settings).newest_known_at == day(2)


@pytest.mark.slow
def test_the_order_of_loading_does_not_matter(
    home: Home, settings: Settings, log: Any, tmp_path: Any
) -> None:
    deliveries = [
        log.deliver("a", known_at=day(1), exam_result=[result("r1"), result("r2")]),
        log.deliver("b", known_at=day(2), exam_result=[result("r1", score=2)]),
        log.deliver("c", known_at=day(3), void=[{"record_id": "r2"}]),
    ]
    load(home, settings)
    expected = hashes(home, settings)
    shelf = tmp_path / "shelf"
    for order in ((2, 1, 0), (1, 2, 0)):
        shutil.copytree(home.deliveries, shelf)
        shutil.rmtree(home.deliveries)
        home.deliveries.mkdir()
        home.warehouse.unlink()
        for number in order:
            (shelf / deliveries[number]).rename(home.deliveries / deliveries[number])
            load(home, settings)
        shelf.rmdir()
        assert hashes(home, settings) == expected


def test_segments_of_an_older_contract_are_upcast(
    home: Home, settings: Settings, log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = log.deliver("a", known_at=day(1), exam_result=[result("r1", grade="old")])
    contract = CONTRACTS["exam_result"]
    monkeypatch.setattr(contract, "contract_version", contract.contract_version + 1)

    def step(frame: pl.LazyFrame) -> pl.LazyFrame:
        return frame.with_columns(grade=pl.lit("new"))

    monkeypatch.setitem(versions.UPCASTS, ("exam_result", contract.contract_version - 1), step)
    log.deliver("b", known_at=day(2), exam_result=[result("r2", grade="present")])
    load(home, settings)
    with open_warehouse(home, settings, read_only=True) as con:
        rows = con.execute("select record_id, grade from raw.exam_result order by 1").fetchall()
    assert rows == [("r1", "new"), ("r2", "present")]
    assert delivery


def test_a_field_newer_than_the_segment_is_filled_with_nothing(
    home: Home, settings: Settings, log: Any
) -> None:
    delivery = log.deliver("a", known_at=day(1), exam_result=[result("r1")])
    (path,) = (home.deliveries / delivery).glob("*/exam_result.parquet")
    pl.read_parquet(path).drop("grade").write_parquet(path)
    load(home, settings)
    with open_warehouse(home, settings, read_only=True) as con:
        assert con.execute("select grade from raw.exam_result").fetchall() == [(None,)]


def test_tables_of_another_shape_are_made_again_and_filled(
    home: Home, settings: Settings, log: Any
) -> None:
    log.deliver("a", known_at=day(1), exam_result=[result("r1")])
    load(home, settings)
    with open_warehouse(home, settings) as con:
        con.execute("update raw.load_state set fingerprint = 'of another version'")
        con.execute("alter table raw.exam_result drop column grade")
    assert load(home, settings).deliveries_added == 1
    assert outcomes(home, settings) == {"r1": ["accepted"]}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "stage"),
    [
        (raw_events, "_parts"),
        (load_module, "replace_pointers"),
        (load_module, "reference_tables"),
    ],
)
def test_a_load_that_is_stopped_leaves_what_was_there(
    home: Home,
    settings: Settings,
    log: Any,
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    stage: str,
) -> None:
    log.deliver("a", known_at=day(1), exam_result=[result("r1")])
    load(home, settings)
    before = hashes(home, settings)
    log.deliver("b", known_at=day(2), exam_result=[result("r1", score=2)])
    whole = getattr(module, stage)

    def stopped(*arguments: Any) -> Any:
        whole(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, stage, stopped)
        with pytest.raises(KeyboardInterrupt):
            load(home, settings)
    assert hashes(home, settings) == before
    assert load(home, settings).deliveries_added == 1
    assert outcomes(home, settings) == {"r1": ["superseded", "accepted"]}


def test_the_newest_known_at_of_an_empty_warehouse_is_nothing(
    home: Home, settings: Settings
) -> None:
    load(home, settings)
    with open_warehouse(home, settings, read_only=True) as con:
        assert newest_known_at(con) is None


def test_times_are_utc_whatever_the_machine_says(home: Home, settings: Settings, log: Any) -> None:
    log.deliver("a", known_at=day(1), exam_result=[result("r1")])
    load(home, settings)
    with open_warehouse(home, settings, read_only=True) as con:
        assert con.execute("select cast(known_at as varchar) from raw.exam_result").fetchall() == [
            ("2024-03-01 12:00:00+00",)
        ]
    assert isinstance(con, duckdb.DuckDBPyConnection)
