"""`tessera quarantine export` and `replay`: output, exit codes, and what comes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner, Result

from pipelines.cli import app

FORMS = (
    "Form;Student;EPA;Rating;Assessor;Observed;Comment\n"
    "F1;s1;EPA1;Lvl three;t1;05.03.2026;fine\n"
    "F2;s2;EPA1;Lvl four;t1;05.03.2026;fine\n"
)


def run(clinic: Any, *arguments: object) -> Result:
    runner = CliRunner(env={"TESSERA_SITE": str(clinic.site)})
    told = [str(argument) for argument in arguments]
    return runner.invoke(app, ["quarantine", *told, "--home", str(clinic.home.root)])


@pytest.fixture
def exported(clinic: Any, tmp_path: Path) -> Path:
    clinic.drop("forms", "a.csv", FORMS)
    clinic.take_in()
    target = tmp_path / "refused.xlsx"
    result = run(clinic, "export", target)
    assert result.exit_code == 1, result.output
    assert "tessera quarantine replay" in result.stdout
    book = load_workbook(target)
    page = book["workplace_assessment"]
    header = [cell.value for cell in page[1]]
    page.cell(2, header.index("correction: level") + 1).value = 3
    page.cell(3, header.index("level") + 1).value = "4"
    book.save(target)
    return target


def test_a_replay_says_what_enters_and_which_rows_were_not_taken(
    clinic: Any, exported: Path
) -> None:
    result = run(clinic, "replay", exported, "--by", "A. Muster", "--receive-only")
    assert result.exit_code == 1
    assert "1 corrected records enter as forms-" in result.stdout
    assert "row 3: level was changed" in result.stdout
    again = run(clinic, "replay", exported, "--by", "A. Muster", "--receive-only", "--json")
    told = json.loads(again.stdout)
    assert (told["replayed"], told["already"], len(told["refused"])) == (0, 1, 1)
    clinic.take_in()
    assert clinic.totals() == {"accepted": 1, "superseded": 1, "quarantined": 1}


@pytest.mark.slow
def test_a_replay_is_judged_at_once_by_the_real_stages(clinic: Any, exported: Path) -> None:
    result = run(clinic, "replay", exported, "--by", "A. Muster", "--json")
    told = json.loads(result.stdout)
    assert (told["accepted"], told["still_wrong"]) == (1, 0)
    assert clinic.totals() == {"accepted": 1, "superseded": 1, "quarantined": 1}


def test_wrong_use_is_told_with_exit_code_2(clinic: Any, exported: Path, tmp_path: Path) -> None:
    nobody = run(clinic, "replay", exported, "--by", "admin")
    assert nobody.exit_code == 2
    assert "names nobody" in nobody.stderr
    missing = run(clinic, "replay", tmp_path / "none.xlsx", "--by", "A. Muster")
    assert missing.exit_code == 2
    assert "cannot be opened" in missing.stderr
    assert run(clinic, "export", tmp_path / "a.ods").exit_code == 2


def test_what_is_settled_is_listed_with_how_and_by_which_delivery(clinic: Any) -> None:
    none = run(clinic, "list", "--settled")
    assert (none.exit_code, none.stdout.strip()) == (
        0,
        "No refusal was settled by a later delivery.",
    )
    clinic.drop("forms", "a.csv", FORMS)
    clinic.take_in()
    clinic.drop("forms", "b.csv", FORMS.replace("Lvl three", "3"))
    (record,) = clinic.take_in()
    listed = run(clinic, "list", "--settled")
    assert listed.exit_code == 0, listed.output
    assert "unknown_label: 1 record of forms, workplace_assessment" in listed.stdout
    assert record.delivery_id in listed.stdout
    (line,) = run(clinic, "list", "--settled", "--json").stdout.splitlines()
    told = json.loads(line)
    assert (told["source"], told["n_records"]) == ("forms", 1)
    assert told["settled_by"] == record.delivery_id
    waiting = run(clinic, "list", "--json")
    assert [json.loads(line)["n_records"] for line in waiting.stdout.splitlines()] == [2]


def test_what_is_held_as_a_whole_is_to_be_looked_for_in_the_ledger(clinic: Any) -> None:
    clinic.drop("forms", "a.csv", FORMS)
    clinic.take_in()
    result = run(clinic, "show", "--code", "held")
    assert result.exit_code == 2
    assert "tessera ledger" in result.stderr
