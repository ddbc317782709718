from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.warehouse.audit import audit, refusal
from pipelines.warehouse.build import audit_record, build_record
from pipelines.warehouse.connection import WarehouseError, attach_marts
from pipelines.warehouse.editions import CURRENT, DATA_DOCS, MANIFEST
from pipelines.warehouse.inputs import BuildInputs

GOOD = """
    create table marts.dim_learner as
        select 'L-1' as learner_key, 'MED' as programme_id, 'active' as enrolment_status;
    create table marts.fct_evidence as
        select 'k' || n || '0123456789012' as record_key, 'E-' || n as evidence_id,
            'epa-1' as competency_id, 'L-1' as learner_key
        from range(4) as t (n);
    create table marts.fct_ai_declaration as select 'd1' as record_key, 'L-1' as learner_key;
    create table marts.portfolio_competency_status as
        select 'L-1' as learner_key, 'MED' as programme_id, 'year-3' as stage_id,
            'epa-1' as competency_id, 'default' as rule_set_id, '1' as rule_version,
            'on_track' as status, 'enough' as status_reason,
            4 as n_data_points, 3 as n_assessors, 2 as n_methods,
            4 as required_data_points, 3 as required_assessors, 2 as required_methods,
            ['E-1'] as evidence_ids;
    create table marts.portfolio_signal as
        select 'talk' as sentence, '1' as rule_version, 'mentor' as owner_role,
            []::varchar[] as evidence_ids;
    create table marts.committee_agenda as select learner_key, programme_id from marts.dim_learner;
    create table marts.programme_delivery as
        select 'd1' as delivery_id, 'committed' as status, 10 as rows_read, 6 as accepted,
            1 as duplicate, 1 as superseded, 0 as voided, 2 as quarantined;
    create table marts.programme_demographic_count as
        select 'sex' as attribute, 'a' as value, 7 as n_learners_at_least;
"""


def inputs(as_of: date = date(2026, 3, 1)) -> BuildInputs:
    return BuildInputs(
        as_of=as_of,
        known_at=datetime.combine(as_of, datetime.min.time(), UTC),
        time_zone="UTC",
        receipts=(),
        interpretations=(),
        contract_versions={},
        rule_sets=(),
        calibration_version=None,
        reference_hashes={},
        code_version="test",
    )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    opened = Home.open(tmp_path / "home")
    with duckdb.connect(opened.warehouse) as con:
        attach_marts(con, opened.warehouse)
        con.execute(GOOD)
    stands(opened, inputs())
    return opened


@pytest.fixture
def settings(home: Home) -> Settings:
    return Settings(home=home.root)


def stands(home: Home, made_from: BuildInputs) -> None:
    """Say that a build of these inputs stands in the warehouse."""
    build_record(home).write_text(json.dumps({"inputs": made_from.model_dump(mode="json")}))


def last_edition(home: Home, **counts: int) -> None:
    """Make a current edition with these counts, of the same day, told as editions tell it."""
    folder = home.editions / "e1"
    folder.mkdir()
    last = inputs().model_dump(mode="json")
    manifest = {"as_of": last["as_of"], "known_at": last["known_at"], "counts": counts}
    (folder / MANIFEST).write_text(json.dumps(manifest))
    (home.editions / CURRENT).symlink_to("e1")


def change(home: Home, statement: str) -> None:
    with duckdb.connect(home.warehouse) as con:
        attach_marts(con, home.warehouse)
        con.execute(statement)


def test_a_good_build_passes_and_is_shown(home: Home, settings: Settings) -> None:
    report = audit(home, settings)
    assert report.verdict == "pass"
    assert report.broken == []
    record = json.loads(audit_record(home).read_text())
    assert (record["build_id"], record["verdict"]) == (inputs().build_id, "pass")
    assert len(record["results"]) == report.n_promises
    index = home.warehouse.parent / DATA_DOCS / "index.html"
    assert f"{report.n_promises} promises were judged, 0 are broken." in index.read_text()


def test_a_refusal_says_what_is_broken_and_what_stands(home: Home, settings: Settings) -> None:
    change(home, "update marts.programme_delivery set accepted = 5")
    said = refusal(home, audit(home, settings))
    assert "there is no edition yet. In 1 of 1 delivery the outcomes do not sum" in said
    last_edition(home, fct_evidence=0)
    assert "the last good edition stays current" in refusal(home, audit(home, settings))


def test_a_broken_critical_promise_fails_the_build(home: Home, settings: Settings) -> None:
    change(home, "update marts.programme_delivery set accepted = 5")
    report = audit(home, settings)
    assert report.verdict == "fail"
    assert [finding["rule"] for finding in report.broken] == ["edition.ledger_balances"]
    assert json.loads(audit_record(home).read_text())["verdict"] == "fail"


@pytest.mark.slow
def test_great_loss_since_the_last_edition_fails_the_build(home: Home, settings: Settings) -> None:
    last_edition(home, fct_evidence=40, dim_learner=1, a_mart_that_is_gone=3)
    report = audit(home, settings)
    assert report.verdict == "fail"
    assert report.broken[0]["rule"] == "edition.no_great_loss"
    assert "tessera run --accept-loss WHY" in refusal(home, report)


@pytest.mark.slow
def test_a_loss_that_is_meant_passes_and_its_reason_is_kept(home: Home, settings: Settings) -> None:
    last_edition(home, fct_evidence=40, dim_learner=1)
    report = audit(home, settings, accept_loss="a source was withdrawn")
    assert report.verdict == "pass"
    record = json.loads(audit_record(home).read_text())
    assert record["accepted_loss"] == "a source was withdrawn"


@pytest.mark.slow
def test_what_is_judged_of_evidence_may_come_and_go(home: Home, settings: Settings) -> None:
    last_edition(home, portfolio_signal=400, dim_learner=9)
    report = audit(home, settings)
    assert report.verdict == "pass"
    assert [finding["rule"] for finding in report.broken] == ["edition.no_small_loss"]


def test_a_build_of_an_earlier_day_may_hold_less(home: Home, settings: Settings) -> None:
    last_edition(home, fct_evidence=40)
    stands(home, inputs(date(2026, 2, 1)))
    assert audit(home, settings).verdict == "pass"


@pytest.mark.slow
def test_the_warehouse_is_free_after_the_audit(home: Home, settings: Settings) -> None:
    audit(home, settings)
    change(home, "create table marts.after_audit as select 1 as x")


def test_without_a_finished_build_there_is_nothing_to_audit(home: Home, settings: Settings) -> None:
    build_record(home).unlink()
    with pytest.raises(WarehouseError, match="no finished build"):
        audit(home, settings)
