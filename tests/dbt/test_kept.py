"""After any history kept tables are what a build from nothing gives: dbt's SQL, in one process."""

from __future__ import annotations

import re
from itertools import zip_longest
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.rules import load_catalogue
from pipelines.warehouse.kept import FINGERPRINTS
from pipelines.warehouse.load import replace_rules
from pipelines.warehouse.raw_schema import raw_tables
from tests.dbt.conftest import PROJECT, Built, dbt
from tests.dbt.example_school import PROGRAMME, example_school
from tests.dbt.histories import ANY_COLUMN, CHANGES, COLUMNS, Event
from tests.dbt.kept_engine import Engine, differing, load_nodes
from tests.dbt.raw_builder import KNOWN_AT, insert
from tests.warehouses import copied, opened

LAST_STEP = 30
MADE = {"table", "incremental"}
"""How dbt materializes what a build writes."""


class School:
    """An engine over the example school, which can be set back to its first build."""

    def __init__(self, built: Built, compiled: Path) -> None:
        self.con = duckdb.connect(":memory:")
        self.con.execute("set TimeZone = 'UTC'; set threads = 1")
        self.con.execute("attach ':memory:' as build; attach ':memory:' as marts")
        self.con.execute("attach ':memory:' as first; use build")
        example_school().write_into(self.con)
        replace_rules(self.con, load_catalogue())
        self.engine = Engine(self.con, load_nodes(built, compiled), built.warehouse)
        self.engine.build(whole=True)
        tables = [node.relation for node in self.engine.nodes if node.materialized in MADE]
        self.tables = [f"raw.{table}" for table in raw_tables()] + tables
        for schema in sorted({table.split(".")[0] for table in self.tables}):
            self.con.execute(f"create schema first.{schema}")
        for table in self.tables:
            self.con.execute(f"create table first.{table} as from {table}")

    def set_back(self) -> Engine:
        """Undo all that happened since everything was built from nothing."""
        for table in self.tables:
            self.con.execute(f"delete from {table}")
            self.con.execute(f"insert into {table} from first.{table}")
        return self.engine


@pytest.fixture(scope="module")
def compiled(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What dbt makes of every model where all tables stand."""
    folder = tmp_path_factory.mktemp("kept")
    warehouse = copied(built.warehouse, folder)
    done = dbt(warehouse, folder / "target", "compile")
    assert done.exit_code == 0, done.output
    return folder / "target"


@pytest.fixture(scope="module")
def school(built: Built, compiled: Path) -> School:
    return School(built, compiled)


History = list[tuple[list[Event], int | None]]
"""What happens before each build, and after how many tables it is stopped."""

events = st.builds(Event, st.sampled_from(sorted(CHANGES)), st.integers(0, 999))
steps = st.lists(
    st.tuples(
        st.lists(events, min_size=1, max_size=3),
        # Most builds end; some are stopped after so many tables.
        st.one_of(st.none(), st.none(), st.integers(0, LAST_STEP)),
    ),
    min_size=1,
    max_size=3,
)


cheap = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.slow
@settings(cheap, max_examples=4)
@given(steps)
def test_after_any_history_kept_tables_are_those_of_a_build_from_nothing(
    school: School, history: History
) -> None:
    live(school, history)


@pytest.mark.soak
@settings(cheap, max_examples=400)
@given(steps)
def test_after_any_of_hundreds_of_histories_it_is_the_same(
    school: School, history: History
) -> None:
    live(school, history)


@pytest.mark.soak
@pytest.mark.parametrize("lot", range(len(COLUMNS)))
def test_whatever_column_has_other_values_it_is_the_same(school: School, lot: int) -> None:
    live(school, [([Event(ANY_COLUMN, lot)], None)])


def live(school: School, history: History) -> None:
    """Let a history happen, and hold kept tables against their whole models after each build."""
    engine = school.set_back()
    for happening, stopped_after in history:
        for event in happening:
            event.happen(school.con)
        if engine.build(stop_after=stopped_after) is not None:
            assert engine.differing() == []
    engine.build()
    assert engine.differing() == []


@pytest.mark.histories
def test_whatever_happens_shows_in_kept_tables(school: School) -> None:
    engine = school.set_back()
    names = sorted(CHANGES)
    for pair in zip_longest(names[::2], names[1::2]):
        for name in filter(None, pair):
            Event(name, 7).happen(school.con)
        engine.build()
        assert engine.differing() == [], pair


def test_rows_that_fingerprints_are_made_of_have_one_list_at_most(built: Built) -> None:
    """The engine's hash of a row does not tell where one list ends and the next begins."""
    nodes = {node["unique_id"]: node for node in built.nodes("model")}
    hashed = {
        parent
        for uid, node in nodes.items()
        if uid.endswith(FINGERPRINTS)
        for parent in node["depends_on"]["nodes"]
        if parent in nodes and not parent.endswith(FINGERPRINTS)
    }
    assert len(hashed) > 15
    for uid in sorted(hashed):
        columns = nodes[uid]["columns"].values()
        lists = [c["name"] for c in columns if (c["data_type"] or "").endswith("[]")]
        assert len(lists) <= 1, (uid, lists)


def test_the_engine_takes_two_lists_for_one(school: School) -> None:
    """If this fails, the rule above may go, and the sizes of lists in `tables.py` too."""
    two, one = "select ['a'] as x, ['b'] as y", "select ['a', 'b'] as x, [] as y"
    found = school.con.execute(
        f"select (select hash(e) from ({two}) as e) = (select hash(e) from ({one}) as e)"
    )
    assert found.fetchall() == [(True,)]


def test_whoever_has_rows_in_a_kept_table_has_a_fingerprint(school: School) -> None:
    engine = school.set_back()
    assert engine.without_fingerprint() == []
    for name in sorted(CHANGES):
        Event(name, 3).happen(school.con)
    engine.build(whole=True)
    assert engine.without_fingerprint() == []


def test_who_did_not_move_is_left_alone(school: School) -> None:
    engine = school.set_back()
    assert set((engine.build() or {}).values()) == {0}
    n_learners = school.con.execute(
        "select count(*) from raw.kept_learner where scope = 'evidence'"
    ).fetchall()[0][0]
    school.con.execute(
        """
        update raw.workplace_assessment set narrative_other = 'A word more.'
        where record_key = (
            select min(record_key) from raw.workplace_assessment where present_outcome = 'accepted'
        )
        """
    )
    moved = engine.build() or {}
    assert set(moved.values()) == {1}
    assert n_learners > 2


def moved(school: School, scope: str) -> set[str]:
    """Return who was made anew by the last build."""
    rows = school.con.execute(
        f"select learner_key from intermediate.int_{scope}__fingerprinted where is_moved"
    ).fetchall()
    return {learner_key for (learner_key,) in rows}


def learners(school: School) -> set[str]:
    """Return everybody who has a fingerprint."""
    rows = school.con.execute(
        "select learner_key from intermediate.int_portfolio__fingerprinted"
    ).fetchall()
    return {learner_key for (learner_key,) in rows}


AUTUMN, SPRING = "task-essay-1", "task-essay-2"
"""The records of one task, by the days on which they hold; one essay is of autumn."""


@pytest.mark.parametrize(
    ("record_id", "change", "whose"),
    [
        (AUTUMN, "due_on = date '2025-10-01'", {"L-ana"}),
        (AUTUMN, "competency_ids = ['EPA02'], cut_score = 13", {"L-ana"}),
        (SPRING, "module_id = 'LAW-2026'", {"L-ana", "L-ben", "L-cora", "L-guest"}),
        (SPRING, "ai_policy_level = 1", set()),
        ("task-item-1", "answer_key = 'C'", set()),
        ("task-unused", "due_on = date '2026-02-03'", set()),
    ],
)
def test_a_changed_task_moves_only_those_whose_evidence_names_it(
    school: School, record_id: str, change: str, whose: set[str]
) -> None:
    engine = school.set_back()
    school.con.execute(f"update raw.task set {change} where record_id = ?", [record_id])
    engine.build()
    assert moved(school, "evidence") == moved(school, "portfolio") == whose
    assert engine.differing() == []


def test_a_task_that_comes_late_moves_only_those_whose_evidence_named_it(school: School) -> None:
    engine = school.set_back()
    Event("a task comes after its results", 7).happen(school.con)
    engine.build()
    assert moved(school, "evidence") == {"L-ben"}
    assert moved(school, "timeline") == {"L-ben"}
    assert engine.differing() == []


def test_a_cut_score_moves_only_those_who_sat_then(school: School) -> None:
    engine = school.set_back()
    insert(
        school.con,
        "cut_score",
        {
            "cut_score_id": "of-one-sitting",
            "programme_id": PROGRAMME,
            "task_id": "ESSAY",
            "sitting_id": "S1",
            "method": "angoff",
            "cut_score": 7,
            "known_at": KNOWN_AT,
        },
    )
    engine.build()
    assert moved(school, "evidence") == {"L-ben"}
    assert engine.differing() == []


@pytest.mark.parametrize(
    ("task_id", "whose"),
    [
        ("ESSAY", {"L-ana", "L-ben", "L-cora", "L-guest"}),
        ("MCQ", {"L-ana"}),
    ],
)
def test_another_title_moves_only_the_timelines_in_which_the_task_stands(
    school: School, task_id: str, whose: set[str]
) -> None:
    """An essay stands there as a data point, the other exam as what somebody declared about it."""
    engine = school.set_back()
    school.con.execute("update raw.task set title = 'Another title' where task_id = ?", [task_id])
    engine.build()
    assert moved(school, "evidence") == set()
    assert moved(school, "timeline") == whose
    assert engine.differing() == []


def test_another_calibration_moves_everybody_among_peers_and_nobody_else(school: School) -> None:
    engine = school.set_back()
    Event("another calibration comes into use", 7).happen(school.con)
    engine.build()
    assert moved(school, "portfolio") == set()
    assert moved(school, "peers") == learners(school)
    assert engine.differing() == []
    for table in ("int_standings__found", "int_stringency__summed"):
        assert school.con.execute(f"select count(*) > 0 from intermediate.{table}").fetchall()[0][0]


@pytest.mark.parametrize(
    "name", ["roles belong to another group", "more respondents are asked for"]
)
def test_what_answers_show_by_moves_the_answers_of_everybody(school: School, name: str) -> None:
    engine = school.set_back()
    Event(name, 7).happen(school.con)
    engine.build()
    assert moved(school, "portfolio") == set()
    assert moved(school, "respondents") == learners(school)
    assert engine.differing() == []
    answers = "select count(*) > 0 from intermediate.int_respondents__ranked"
    assert school.con.execute(answers).fetchall()[0][0]


def test_a_link_to_another_framework_moves_everybody(school: School) -> None:
    engine = school.set_back()
    Event("competencies map to another framework", 7).happen(school.con)
    engine.build()
    assert moved(school, "evidence") == set()
    assert moved(school, "portfolio") == learners(school)
    assert engine.differing() == []


def test_a_plan_that_changes_only_the_version_of_its_scale_moves_everybody(school: School) -> None:
    engine = school.set_back()
    at_target = "select count(*) from intermediate.int_cell_evidence__assigned where is_at_target"
    assert school.con.execute(at_target).fetchall() > [(0,)]
    school.con.execute("update raw.assessment_plan set target_scale_version = 'another'")
    engine.build()
    assert moved(school, "evidence") == moved(school, "portfolio") == learners(school)
    assert engine.differing() == []
    assert school.con.execute(at_target).fetchall() == [(0,)]


def test_a_plan_that_ends_as_days_pass_moves_those_whose_stage_it_was_for(school: School) -> None:
    engine = school.set_back()
    school.con.execute(
        "update raw.assessment_plan set valid_to = (select as_of from raw.build_input) + 5"
    )
    engine.build()
    planned = """
        select count(*) from intermediate.int_learner_stages__spanned
        where is_current and plan_from_on is not null
    """
    assert school.con.execute(planned).fetchall() > [(0,)]
    Event("days pass", 10).happen(school.con)
    engine.build()
    assert moved(school, "evidence") == set()
    assert moved(school, "portfolio")
    assert engine.differing() == []
    assert school.con.execute(planned).fetchall() == [(0,)]


def test_what_intake_noted_moves_only_the_oddities_of_that_learner(school: School) -> None:
    engine = school.set_back()
    school.con.execute(
        """
        insert into raw.note by name
        select event_id, record_key, 'exam_result' as kind, 'late' as code
        from raw.exam_result where learner_pseudonym in (
            select pseudonym from raw.identity where person_key = 'L-ben'
        )
        """
    )
    engine.build()
    assert moved(school, "evidence") == set()
    assert moved(school, "oddities") == {"L-ben"}
    assert engine.differing() == []


def test_a_table_made_for_two_learners_at_a_time_is_that_of_all_at_once(
    built: Built, compiled: Path
) -> None:
    nodes = load_nodes(built, compiled)
    with opened(built.warehouse) as con:
        learners = "select count(*) from intermediate.int_evidence__fingerprinted where is_moved"
        assert con.execute(learners).fetchall()[0][0] > 2
        assert differing(con, nodes) == []
    made = (built.target / "run/tessera/models/marts/core/fct_evidence.sql").read_text()
    assert "set variable learner_share = 1;" in made


def test_those_who_moved_are_made_two_at_a_time_too(
    built: Built, compiled: Path, tmp_path: Path
) -> None:
    warehouse = copied(built.warehouse, tmp_path)
    kept = [node.name for node in load_nodes(built, compiled) if node.is_kept]
    done = dbt(warehouse, tmp_path / "target", "run", "--select", *kept)
    assert done.exit_code == 0, done.output
    assert "set variable learner_share = 1;" in (done.target / "logs" / "dbt.log").read_text()
    with opened(warehouse) as con:
        assert differing(con, load_nodes(built, compiled)) == []


def test_a_kept_table_reads_the_records_of_those_who_moved_and_whoever_comes_next_everybodys(
    school: School,
) -> None:
    engine = school.set_back()
    con, everybody = school.con, learners(school)
    assert len(everybody) > 1
    (fact,) = [node for node in engine.nodes if node.name == "fct_evidence"]
    scope = "intermediate.int_evidence__fingerprinted"
    con.execute(f"update {scope} set is_moved = learner_key = 'L-ben'")
    assert {"L-ben"} < staged(school)
    con.execute(engine.hook(f"drop_moved('{scope}')", fact))
    assert staged(school) == {"L-ben"}
    con.execute(engine.hook("give_back_share()", fact))
    assert {"L-ben"} < staged(school)


def test_what_shares_a_table_out_is_all_given_back() -> None:
    macros = (PROJECT / "macros" / "kept.sql").read_text(encoding="utf-8")
    given_back = macros[macros.index("macro give_back_share") :]
    given_back = given_back[: given_back.index("endmacro")]
    told = set(re.findall(r"set variable (\w+)", macros))
    assert told
    assert set(re.findall(r"'(\w+)'", given_back)) == told


def staged(school: School) -> set[str]:
    """Return whose workplace assessments can be read just now."""
    rows = "select distinct learner_key from staging.stg_workplace_assessment"
    return {key for (key,) in school.con.execute(rows).fetchall()}


def test_another_instant_of_handing_in_moves_that_learner_and_another_time_zone_everybody(
    school: School,
) -> None:
    """The day of handing in is not in the fingerprint, but what it is made of."""
    engine = school.set_back()
    school.con.execute(
        """
        update raw.workplace_assessment set submitted_at = submitted_at + interval 1 day
        where record_key = (
            select min(record_key) from raw.workplace_assessment
            where present_outcome = 'accepted' and submitted_at is not null
        )
        """
    )
    engine.build()
    assert len(moved(school, "evidence")) == 1
    assert engine.differing() == []
    school.con.execute("update raw.build_input set time_zone = 'Pacific/Auckland'")
    engine.build()
    assert moved(school, "evidence") == learners(school)
    assert engine.differing() == []


def test_the_day_of_judgement_alone_moves_nobody_s_evidence(school: School) -> None:
    engine = school.set_back()
    Event("days pass", 30).happen(school.con)
    moved = engine.build() or {}
    assert moved["evidence"] == 0


@pytest.mark.parametrize("days", [1, 30, 120])
def test_days_move_the_statuses_of_those_alone_who_have_other_ones(
    school: School, days: int
) -> None:
    engine = school.set_back()
    school.con.execute(
        "create or replace temp table before as from marts.portfolio_competency_status"
    )
    Event("days pass", days).happen(school.con)
    engine.build()
    changed = school.con.execute(
        """
        select distinct learner_key from (
            (from marts.portfolio_competency_status except all from before)
            union all
            (from before except all from marts.portfolio_competency_status)
        )
        """
    ).fetchall()
    assert moved(school, "cells") == {learner_key for (learner_key,) in changed}
    assert engine.differing() == []


def test_another_rule_set_moves_everybody_s_statuses_and_nothing_that_they_rest_on(
    school: School,
) -> None:
    engine = school.set_back()
    Event("other rules change", 7).happen(school.con)
    engine.build()
    assert moved(school, "portfolio") == set()
    assert moved(school, "cells") >= learners(school)
    assert engine.differing() == []


def test_a_table_that_nobody_vouches_for_is_made_anew(school: School) -> None:
    engine = school.set_back()
    school.con.execute("delete from raw.kept_learner")
    school.con.execute("update marts.fct_evidence set level = 1, learner_key = 'L-nobody'")
    assert "fct_evidence" in engine.differing()
    engine.build()
    assert engine.differing() == []


def test_a_row_that_should_not_stand_is_seen(school: School) -> None:
    engine = school.set_back()
    school.con.execute("delete from marts.portfolio_narrative_pick where 'newest' in pick_reasons")
    assert engine.differing() == ["portfolio_narrative_pick"]
