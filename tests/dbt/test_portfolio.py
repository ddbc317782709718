"""What must hold for statuses whatever the evidence, and what the governance kit must give."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.dbt.conftest import PROJECT, Built, dbt
from tests.dbt.pa_gov_kit import pa_gov_programme
from tests.warehouses import connected

REPOSITORY = Path(__file__).parents[2]
PORTFOLIO = sorted(
    [
        *PROJECT.glob("models/intermediate/portfolio/*.sql"),
        *PROJECT.glob("models/marts/portfolio/*.sql"),
        *PROJECT.glob("models/marts/committee/*.sql"),
    ]
)
DEMANDS = {
    "n_data_points": "required_data_points",
    "n_assessors": "required_assessors",
    "n_methods": "methods_min",
    "n_roles": "roles_min",
    "n_contexts": "contexts_min",
    "n_recent": "recent_min",
    "n_narratives": "narratives_min",
    "n_actionable": "actionable_min",
    "n_rated": "rated_min",
}
NOT_ENOUGH = "not_enough_evidence"

count = st.integers(min_value=0, max_value=8)
share = st.integers(min_value=0, max_value=100).map(lambda whole: whole / 100)


@st.composite
def cells(draw: st.DrawFn) -> dict[str, Any]:
    low, middle, high = sorted(draw(st.tuples(share, share, share)))
    return {
        **{name: draw(count) for name in (*DEMANDS, *DEMANDS.values())},
        "n_flags": draw(st.integers(min_value=0, max_value=2)),
        "n_flags_counted": draw(st.integers(min_value=0, max_value=2)),
        "flags_ask_for_discussion": draw(st.booleans()),
        "n_at_target": draw(count),
        "n_latest_at_target": draw(count),
        "target_level": draw(st.none() | st.integers(min_value=1, max_value=5)),
        "level_median": draw(
            st.none() | st.integers(min_value=2, max_value=10).map(lambda n: n / 2)
        ),
        "share_at_target": middle,
        "share_low": low,
        "share_high": high,
        "summary": draw(st.sampled_from([1, 2])),
        "above_low_min": 0.5,
        "latest_at_target_min": 2,
        "on_track_share_min": 0.5,
        "discussion_high_max": 0.5,
        "discussion_gap_min": 1,
        "flags_window_days": None,
        "window_days": 182,
    }


class Judge:
    """The compiled SQL of the status, on cells of one's own."""

    def __init__(self, built: Built) -> None:
        nodes = built.manifest["nodes"]
        read = nodes["model.tessera.int_cells__weighed"]["relation_name"]
        compiled = nodes["model.tessera.int_cells__judged"]["compiled_code"]
        self.connection = connected(built.warehouse)
        self.connection.execute(f"create temp table cells as select * from {read} limit 0")
        self.sql = f"select * from ({compiled.replace(read, 'cells')}) order by competency_id"

    def judge(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        self.connection.execute("delete from cells")
        for number, row in enumerate(rows):
            named = row | {"competency_id": f"{number:03d}"}
            self.connection.execute(
                f"insert into cells ({', '.join(named)}) values ({', '.join('?' * len(named))})",
                [*named.values()],
            )
        cursor = self.connection.execute(self.sql)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, found, strict=True)) for found in cursor.fetchall()]


@pytest.fixture(scope="module")
def judge(built: Built) -> Iterator[Judge]:
    judging = Judge(built)
    yield judging
    judging.connection.close()


some_cells = st.lists(cells(), min_size=1, max_size=20)
frugal = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(rows=some_cells)
@frugal
def test_a_status_above_not_enough_evidence_meets_every_demand(
    judge: Judge, rows: list[dict[str, Any]]
) -> None:
    for row, found in zip(rows, judge.judge(rows), strict=True):
        enough = row["target_level"] is not None and all(
            row[have] >= row[need] for have, need in DEMANDS.items()
        )
        assert (found["status"] != NOT_ENOUGH) == enough
        assert found["has_enough_evidence"] == enough
        assert (found["shortfalls"] == []) == enough


@pytest.mark.slow
@given(rows=some_cells, more=st.sampled_from(sorted(DEMANDS.values())))
@frugal
def test_a_stricter_demand_takes_a_status_away_or_leaves_it_as_it_is(
    judge: Judge, rows: list[dict[str, Any]], more: str
) -> None:
    before = judge.judge(rows)
    after = judge.judge([row | {more: row[more] + 1} for row in rows])
    for old, new in zip(before, after, strict=True):
        assert new["status"] in {old["status"], NOT_ENOUGH}


@given(rows=some_cells)
@frugal
def test_a_flag_never_makes_a_status_better_and_never_hides_what_is_missing(
    judge: Judge, rows: list[dict[str, Any]]
) -> None:
    for found in judge.judge([row | {"flags_ask_for_discussion": True} for row in rows]):
        assert found["status"] in {NOT_ENOUGH, "needs_discussion"}


def test_what_is_declared_about_ai_plays_no_part_in_a_status(manifest: dict[str, Any]) -> None:
    nodes = manifest["nodes"]
    waiting = ["model.tessera.portfolio_competency_status"]
    seen: set[str] = set()
    while waiting:
        current = waiting.pop()
        # Which learners there are is known from every kind of record, declarations among them.
        if current in seen or current.endswith(".int_learners__unioned"):
            continue
        seen.add(current)
        waiting.extend(nodes.get(current, {}).get("depends_on", {}).get("nodes", []))
    assert [name for name in seen if "ai_use" in name or "ai_declaration" in name] == []


@pytest.mark.parametrize("path", PORTFOLIO, ids=lambda path: path.stem)
def test_no_threshold_is_written_in_sql(path: Path) -> None:
    sql = path.read_text(encoding="utf-8")
    assert re.findall(r"(?:[<>]=?|between)\s*(?:[2-9]|\d\d|0\.)", sql) == []


def test_what_closes_a_signal_states_no_threshold_which_a_site_may_have_changed() -> None:
    with (PROJECT / "seeds" / "signal_rule.csv").open(encoding="utf-8", newline="") as file:
        told = {row["rule_id"]: row["closes_when"] for row in csv.DictReader(file)}
    number = re.compile(r"\d|\b(?:two|three|four|five|half|year|month|week|day)s?\b")
    assert told
    assert [rule for rule, words in told.items() if number.search(words)] == []


@pytest.mark.parametrize("path", PORTFOLIO, ids=lambda path: path.stem)
def test_levels_are_never_averaged(path: Path) -> None:
    sql = path.read_text(encoding="utf-8")
    assert "avg(" not in sql
    assert "sum(level" not in sql


def _kit() -> Path:
    data = os.environ.get("TESSERA_TEST_DATA", REPOSITORY.parent / "shared" / "data")
    kit = Path(data) / "pa_gov_kit"
    if not kit.is_dir():
        pytest.skip(f"the shared test data are not at {data}; set TESSERA_TEST_DATA")
    return kit


@pytest.mark.real
def test_the_governance_kit_has_18_decision_ready_cells_of_300(tmp_path: Path) -> None:
    kit = _kit()
    warehouse = tmp_path / "build.duckdb"
    pa_gov_programme(kit).write(warehouse)
    build = dbt(
        warehouse,
        tmp_path / "target",
        "build",
        *("--select", "+portfolio_competency_status"),
        *("--resource-type", "model", "--resource-type", "seed"),
    )
    assert build.exit_code == 0, build.output
    columns = {
        "n_obs": "n_data_points",
        "n_assessors": "n_assessors",
        "n_roles": "n_roles",
        "n_recent_56d": "n_recent",
        "n_settings": "n_settings",
        "n_case_types": "n_case_types",
        "n_narratives": "n_narratives",
        "n_actionable_ge20": "n_actionable",
        "n_flags": "n_flags",
        "median_level": "level_median",
        "expected_level": "target_level",
    }
    rows = build.query(
        f"select learner_key, competency_id, has_enough_evidence, {', '.join(columns.values())} "
        "from marts.portfolio_competency_status where rule_set_id = 'pa_gov_1_0'"
    )
    found = {
        (key.removeprefix("L-"), epa): (met, *(None if n is None else float(n) for n in numbers))
        for key, epa, met, *numbers in rows
    }
    with (kit / "derived_evidence_standard_asof_2026-02-21.csv").open(encoding="utf-8") as file:
        expected = {
            (row["Learner_ID"], row["EPA_ID"]): (
                row["min_evidence"] == "True",
                *(float(row[name]) if row[name] else None for name in columns),
            )
            for row in csv.DictReader(file)
        }
    assert found == expected
    assert len(found) == 300
    assert sum(met for met, *_ in found.values()) == 18
    default = build.query(
        "select distinct status from marts.portfolio_competency_status where is_default"
    )
    assert default == [(NOT_ENOUGH,)], "one form is no mix of methods"
