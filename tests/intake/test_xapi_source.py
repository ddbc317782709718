"""The shipped source of xAPI statements, from the inbox to the ledger."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.home import Home
from pipelines.intake.check import check
from pipelines.intake.ledger import LedgerEntry, ledger
from pipelines.intake.quarantine import causes
from pipelines.intake.read import read
from pipelines.intake.receive import receive
from pipelines.intake.segment import commit
from pipelines.intake.validate import validate
from pipelines.settings import Settings

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


class School:
    """A home with the shipped sources."""

    def __init__(self, root: Path) -> None:
        self.home = Home.open(root)
        self.settings = Settings(home=self.home.root, site=None)

    def take_in(self, *files: Path | Iterable[dict[str, Any]]) -> list[LedgerEntry]:
        inbox = self.home.inbox / "xapi_wba"
        inbox.mkdir(exist_ok=True)
        for number, file in enumerate(files):
            target = inbox / f"{number}-{len(list(inbox.iterdir()))}.jsonl"
            if isinstance(file, Path):
                shutil.copyfile(file, target)
            else:
                target.write_text("\n".join(map(json.dumps, file)))
        for delivery_id in receive(self.home, self.settings, settle=0).pending:
            for stage in (read, validate, check, commit):
                stage(self.home, self.settings, delivery_id)
        return ledger(self.home)

    def accepted(self, kind: str) -> pl.DataFrame:
        """Return the events of a kind, of whatever delivery."""
        paths = sorted(self.home.deliveries.rglob(f"{kind}.parquet"))
        return pl.concat([pl.read_parquet(path) for path in paths])


@pytest.fixture
def school(tmp_path: Path) -> School:
    return School(tmp_path / "home")


def outcomes(entries: list[LedgerEntry]) -> dict[str, int]:
    names = ("accepted", "duplicate", "superseded", "voided", "quarantined")
    totals = {name: sum(getattr(entry, name) for entry in entries) for name in names}
    assert sum(totals.values()) == sum(entry.rows_read for entry in entries)
    return {name: n for name, n in totals.items() if n}


def test_the_examples_of_the_profile_become_records(school: School) -> None:
    found = school.take_in(EXAMPLES / "xapi_wba.jsonl", EXAMPLES / "xapi_ai.jsonl")
    assert outcomes(found) == {"accepted": 6, "voided": 1}
    assert sum(entry.rows_read for entry in found) == 7  # the void is one for each kind
    forms = school.accepted("workplace_assessment").sort("record_id")
    assert forms["competency_id"].to_list() == ["EPA-1", "EPA-2", "EPA-1"]
    assert forms["level"].to_list() == [3, 2, 4]
    assert forms["form_record_id"].to_list() == ["8841", "8841", "8842"]
    assert forms["narrative_improvements"][0] == "Say aloud what you are ruling out."
    declared = school.accepted("ai_use_declaration").sort("record_id")
    assert declared["status"].to_list() == ["used", "not_used"]
    assert declared["task_id"].to_list() == ["ESSAY-1", "ESSAY-2"]


def test_one_person_is_one_pseudonym_in_both_kinds(school: School) -> None:
    school.take_in(EXAMPLES / "xapi_wba.jsonl", EXAMPLES / "xapi_ai.jsonl")
    found = {
        *school.accepted("workplace_assessment")["learner_pseudonym"],
        *school.accepted("ai_use_declaration")["learner_pseudonym"],
    }
    assert len(found) == 1


def test_a_statement_that_breaks_a_rule_waits_in_the_quarantine_with_its_requirement(
    school: School,
) -> None:
    statements = [
        json.loads(line)
        for name in ("xapi_wba.jsonl", "xapi_ai.jsonl")
        for line in (EXAMPLES / name).read_text().splitlines()
    ]
    statements[0]["timestamp"] = "yesterday"
    found = school.take_in(statements)
    assert outcomes(found) == {"accepted": 5, "voided": 1, "quarantined": 1}
    (cause,) = causes(school.home)
    assert cause.code == "xapi_bad_format"
    assert "XAPI-00022" in str(cause.suggestion)


def test_statements_of_other_verbs_are_left_alone(school: School) -> None:
    with (EXAMPLES / "xapi_ai.jsonl").open() as file:
        good, other = map(json.loads, file)
    found = school.take_in([good, other | {"verb": {"id": "https://example.org/verbs/opened"}}])
    assert outcomes(found) == {"accepted": 1}
