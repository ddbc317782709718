from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from expectations.edition import Candidate, suites
from expectations.engine import Engine
from expectations.outcome import verdict_of

COUNTS = {"dim_learner": 2, "fct_evidence": 20}

GOOD = """
    create table dim_learner as
        select * from (values ('L-1', 'MED', 'active'), ('L-2', 'MED', 'withdrawn'))
        as t (learner_key, programme_id, enrolment_status);
    create table fct_evidence as
        select
            'k' || n || '0123456789012' as record_key,
            'E-' || upper(left('k' || n || '0123456789012', 12)) as evidence_id,
            'epa-1' as competency_id,
            'L-1' as learner_key
        from range(20) as t (n);
    create table fct_ai_declaration as
        select 'd10123456789012' as record_key, 'L-1' as learner_key;
    create table portfolio_competency_status as
        select
            'L-1' as learner_key, 'MED' as programme_id, 'year-3' as stage_id,
            'epa-1' as competency_id, 'default' as rule_set_id, '1' as rule_version,
            'on_track' as status, '20 data points by 3 assessors.' as status_reason,
            20 as n_data_points, 3 as n_assessors, 2 as n_methods,
            4 as required_data_points, 3 as required_assessors, 2 as required_methods,
            (select list(evidence_id) from fct_evidence) as evidence_ids;
    create table portfolio_signal as
        select
            'S-1' as signal_id, 'talk with the learner' as sentence, '1' as rule_version,
            'mentor' as owner_role, ['E-D10123456789'] as evidence_ids;
    create table committee_agenda as
        select learner_key, programme_id from dim_learner;
    create table programme_delivery as
        select
            'd1' as delivery_id, 'committed' as status, 10 as rows_read,
            6 as accepted, 1 as duplicate, 1 as superseded, 0 as voided, 2 as quarantined;
    create table programme_demographic_count as
        select * from (values ('sex', 'a', 7), ('sex', 'b', null))
        as t (attribute, value, n_learners_at_least);
"""

BREAKERS = {
    "edition.ledger_balances": "update programme_delivery set accepted = 5",
    "edition.nothing_held": "update programme_delivery set status = 'held'",
    "edition.no_names": "alter table dim_learner add column family_name varchar",
    "edition.small_cells_hidden": "update programme_demographic_count set n_learners_at_least = 4",
    "edition.has_learners": "delete from dim_learner",
    "edition.learner_once": "insert into dim_learner values ('L-1', 'MED', 'active')",
    "edition.evidence_has_learner": "update fct_evidence set learner_key = 'L-9'",
    "edition.evidence_once": "insert into fct_evidence from fct_evidence",
    "edition.status_vocabulary": "update portfolio_competency_status set status = 'failed'",
    "edition.status_needs_evidence": "update portfolio_competency_status set n_methods = 1",
    "edition.status_explained": "update portfolio_competency_status set status_reason = ' '",
    "edition.status_once": "insert into portfolio_competency_status "
    "from portfolio_competency_status",
    "edition.status_evidence_exists": "update portfolio_competency_status "
    "set evidence_ids = ['E-GONE']",
    "edition.signal_explained": "update portfolio_signal set sentence = null",
    "edition.signal_evidence_exists": "update portfolio_signal set evidence_ids = ['E-GONE']",
    "edition.agenda_covers_active": "delete from committee_agenda",
    "edition.agenda_once": "insert into committee_agenda values ('L-1', 'MED')",
    "edition.agenda_knows_learners": "insert into committee_agenda values ('L-9', 'MED')",
    "edition.no_great_loss": "delete from fct_evidence where evidence_id like 'E-K1%'",
    "edition.no_small_loss": "delete from fct_evidence where evidence_id like '%K0%'",
}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "build.duckdb"
    with duckdb.connect(path) as con:
        con.execute(GOOD)
    return path


@pytest.fixture
def attached(engine: Engine, database: Path) -> Iterator[Engine]:
    yield engine
    engine.detach("candidate")


def test_every_promise_has_a_breaker() -> None:
    promised = {
        item.meta["rule"]
        for suite in suites(Candidate(counts=COUNTS))
        for item in suite.expectations
        if item.meta
    }
    assert promised == set(BREAKERS)


def test_a_good_candidate_keeps_every_promise(attached: Engine, database: Path) -> None:
    attached.attach(database, "candidate")
    findings = attached.validate(suites(Candidate(counts=COUNTS)))
    assert [finding.sentence for finding in findings if not finding.is_kept] == []


@pytest.mark.parametrize("rule", sorted(BREAKERS))
def test_broken_marts_break_the_promise(attached: Engine, database: Path, rule: str) -> None:
    with duckdb.connect(database) as con:
        con.execute(BREAKERS[rule])
    attached.attach(database, "candidate")
    suite = next(
        suite
        for suite in suites(Candidate(counts=COUNTS))
        if any(item.meta and item.meta["rule"] == rule for item in suite.expectations)
    )
    kept = tuple(item for item in suite.expectations if item.meta and item.meta["rule"] == rule)
    (finding,) = attached.validate([dataclasses.replace(suite, expectations=kept)])
    assert not finding.is_kept
    assert "Could not be judged" not in finding.sentence
    assert "{" not in finding.sentence
    assert "None" not in finding.sentence


@pytest.mark.parametrize("name", ["statuses", "signals"])
def test_a_data_point_without_an_id_hides_none_that_is_missing(
    attached: Engine, database: Path, name: str
) -> None:
    with duckdb.connect(database) as con:
        con.execute("insert into fct_evidence (evidence_id) values (null)")
        con.execute("update portfolio_competency_status set evidence_ids = ['E-GONE']")
        con.execute("update portfolio_signal set evidence_ids = ['E-GONE']")
    attached.attach(database, "candidate")
    (suite,) = [suite for suite in suites(Candidate()) if suite.name == name]
    broken = [finding.sentence for finding in attached.validate([suite]) if not finding.is_kept]
    assert broken == [f"1 data point that {name} name is not in the edition."]


def test_a_mart_that_is_missing_fails_the_audit(attached: Engine, database: Path) -> None:
    with duckdb.connect(database) as con:
        con.execute("drop table portfolio_signal")
    attached.attach(database, "candidate")
    findings = attached.validate(suites(Candidate()))
    assert verdict_of(findings) == "fail"
    broken = [finding for finding in findings if not finding.is_kept]
    assert {finding.suite for finding in broken} == {"signals"}
    assert all("Could not be judged" in finding.sentence for finding in broken)


def test_without_an_edition_before_there_is_no_history_to_keep() -> None:
    assert "history" not in {suite.name for suite in suites(Candidate())}


@pytest.mark.parametrize(
    "column", ["given_name", "learner_names", "email", "learner_id", "assessor_pseudonym", "name"]
)
def test_columns_that_name_people_are_found(attached: Engine, database: Path, column: str) -> None:
    with duckdb.connect(database) as con:
        con.execute(f'alter table portfolio_signal add column "{column}" varchar')
    attached.attach(database, "candidate")
    (suite,) = [suite for suite in suites(Candidate()) if suite.name == "privacy"]
    assert verdict_of(attached.validate([suite])) == "fail"


@pytest.mark.parametrize("column", ["mentor_key", "filename", "threshold_name", "emails_sent_on"])
def test_columns_that_name_no_person_are_left_alone(
    attached: Engine, database: Path, column: str
) -> None:
    with duckdb.connect(database) as con:
        con.execute(f'alter table portfolio_signal add column "{column}" varchar')
    attached.attach(database, "candidate")
    (suite,) = [suite for suite in suites(Candidate()) if suite.name == "privacy"]
    assert verdict_of(attached.validate([suite])) == "pass"
