"""A plan that names the version of the scale of its targets: from the CSV to the marts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.home import Home
from pipelines.intake.ledger import ledger
from pipelines.run import Run, Wanted
from pipelines.settings import Settings

SHARED = """
owner: assessment_unit
files: "*.csv"
reader: {name: delimited, delimiter: ",", encoding: utf-8}
time_zone: Europe/Vienna
person_namespace: ward
known_at: {from: receipt}
"""
PLAN = f"""
source: ward_plan
title: Assessment plan of the ward year
{SHARED}
snapshot: full
values: {{programme_id: WARD, plan_id: main, plan_version: "1", stage_id: year_3, source: handbook}}
records:
  - kind: assessment_plan
    record_id: "{{Task}}"
    fields:
      competency_id: Task
      target_scale_id: Scale
      target_scale_version: Version
      target_level: Level
"""
FORMS = f"""
source: ward_forms
title: Forms of the ward
{SHARED}
values: {{programme_id: WARD, instrument_id: mini_cex, scale_id: ward_5, learner_id: "7"}}
records:
  - kind: workplace_assessment
    record_id: "{{Form}}"
    fields:
      competency_id: Task
      scale_version: Version
      level: Level
      assessor_id: Seen by
      observed_at: {{column: Day, at: noon}}
"""
ROSTER = f"""
source: ward_roster
title: Roster of the ward
{SHARED}
values: {{programme_id: WARD}}
records:
  - kind: learner
    record_id: "{{Student}}"
    fields: {{learner_id: Student}}
  - kind: learner_stage
    record_id: "{{Student}}-stage"
    fields:
      learner_id: Student
      period_type: {{value: stage}}
      period_id: {{value: year_3}}
      starts_on: {{value: "2025-10-01"}}
"""
SCALES = "scale_id,scale_version,level,level_label,direction,description,source\n" + "".join(
    f"ward_5,{version},{level},{words} {level},retrospective,,local choice\n"
    for version, words in (("1", "Step"), ("2", "Stage"))
    for level in range(1, 6)
)
HEADER = "Task,Scale,Version,Level\n"
TAKEN = (
    "Form,Task,Version,Level,Seen by,Day\n"
    "f1,T1,1,4,d1,2026-02-01\n"
    "f2,T1,2,3,d2,2026-02-02\n"
    "f3,T1,2,5,d3,2026-02-03\n"
    "f4,T1,,5,d4,2026-02-04\n"
)
"""A rating of the older version, two of the newer, and one that names none: of the newer too."""

pytestmark = pytest.mark.slow


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    site = tmp_path / "site"
    for name, text in (
        ("sources/ward_plan.yaml", PLAN),
        ("sources/ward_forms.yaml", FORMS),
        ("sources/ward_roster.yaml", ROSTER),
        ("codes/scales.csv", SCALES),
    ):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text, encoding="utf-8")
    return Settings(home=tmp_path / "home", site=site)


def send(home: Home, source: str, text: str) -> None:
    inbox = home.inbox / source
    inbox.mkdir(parents=True, exist_ok=True)
    (inbox / f"{source}.csv").write_text(text, encoding="utf-8")


def run(home: Home, settings: Settings) -> None:
    Run(home, settings, Wanted(pack=False)).go()


def rows(home: Home, sql: str) -> list[tuple[Any, ...]]:
    edition = (home.editions / "current").resolve()
    with duckdb.connect(str(edition / "portfolio.duckdb"), read_only=True) as con:
        return con.execute(sql).fetchall()


FACTS = """
    select level, target_level, target_scale_version, is_at_or_above_target
    from fct_evidence order by occurred_on
"""
CELL = """
    select target_scale_id, target_scale_version, n_rated, n_at_target, n_rated_apart,
        n_at_target_apart
    from portfolio_competency_status where is_default
"""


def test_levels_are_held_against_the_version_that_the_plan_names_and_follow_it(
    settings: Settings,
) -> None:
    home = Home.open(settings.home)
    send(home, "ward_roster", "Student\n7\n")
    send(home, "ward_forms", TAKEN)
    send(home, "ward_plan", HEADER + "T1,ward_5,,4\n")
    run(home, settings)
    assert rows(home, FACTS) == [
        (4, 4, None, True),
        (3, 4, None, False),
        (5, 4, None, True),
        (5, 4, None, True),
    ]
    assert rows(home, CELL) == [("ward_5", None, 3, 2, 1, 1)]

    send(home, "ward_plan", HEADER + "T1,ward_5,1,4\n")
    run(home, settings)
    of_version_1 = rows(home, FACTS), rows(home, CELL)
    assert of_version_1 == (
        [(4, 4, "1", True), (3, None, "1", None), (5, None, "1", None), (5, None, "1", None)],
        [("ward_5", "1", 1, 1, 3, 0)],
    )

    send(home, "ward_plan", HEADER + "T1,ward_5,3,4\n")
    run(home, settings)
    (held,) = [entry for entry in ledger(home) if entry.status == "held"]
    assert "row 1, target_scale_id ward_5, target_scale_version 3, target_level 4" in held.reason
    assert (rows(home, FACTS), rows(home, CELL)) == of_version_1
