"""What docs/add-an-instrument.md promises: a form that no code knows, by configuration alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.sources.workbooks import MOMENT, Cell, shown, workbook

REPOSITORY = Path(__file__).parents[2]
GUIDE = REPOSITORY / "docs" / "add-an-instrument.md"
FIRST_CARD = 46082.5  # noon of 1 March 2026

CARDS: list[list[Cell]] = [
    ["Handover cards, printed on request"],
    [],
    ["Card", "Student", "Task", "How it went", "Seen by", "Function", "When", "Keep", "Change",
     "Worried", "State"],
    ["c1", "0007", "H1", "With prompts", "D1", "Doctor", shown(FIRST_CARD, MOMENT),
     "Named the sickest patient first", "=SUM(slower)", None, "final"],
    ["c2", "0007", "H1", "On their own", "N1", "Nurse", shown(FIRST_CARD + 7, MOMENT),
     None, "Ask for questions at the end", True, "final"],
    ["c3", "0008", "H2", "Mostly alone", "D1", "Doctor", shown(FIRST_CARD + 8, MOMENT),
     "Calm", None, False, "final"],
    ["c4", "0008", "H2", "Alone", "D1", "Doctor", shown(FIRST_CARD + 9, MOMENT),
     "Calm", None, None, "withdrawn"],
    ["c5", "0008", "H2", "Very well", "D1", "Doctor", shown(FIRST_CARD + 9, MOMENT),
     "Calm", None, None, "final"],
]  # fmt: skip
TASKS: list[list[Cell]] = [
    ["Task", "Title", "Cards needed", "Level expected"],
    ["H1", "Hand over a patient", 4, 3],
    ["H2", "Take over a patient", 2, 4],
]
STUDENTS: list[list[Cell]] = [
    ["Student", "Coach", "Year", "Since", "Until"],
    ["0007", "D9", "year_3", "2025-10-01", "2026-09-30"],
    ["0008", "D9", "year_3", "2025-10-01", "2026-09-30"],
]
pytestmark = pytest.mark.slow


def files_of_the_guide() -> dict[str, str]:
    """Return the files that the guide shows, by the name in front of each."""
    text = GUIDE.read_text(encoding="utf-8")
    return dict(
        re.findall(r"^`((?:codes|sources)/[\w.]+)`:\n\n```\w+\n(.*?)```", text, re.M | re.S)
    )


def tessera(site: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipelines", *map(str, arguments)],
        env=os.environ | {"TESSERA_SITE": str(site)},
        cwd=REPOSITORY,
        text=True,
        capture_output=True,
        check=False,
    )


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "handover.xlsx"
    path.write_bytes(workbook({"Cards": CARDS, "Tasks": TASKS, "Students": STUDENTS}))
    return path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tmp_path_factory.mktemp("site")
    files = files_of_the_guide()
    assert len(files) == 4
    for name, text in files.items():
        (site / name).parent.mkdir(exist_ok=True)
        (site / name).write_text(text, encoding="utf-8")
    return site


def test_the_draft_finds_sheets_fields_and_formats(export: Path, tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    done = tessera(
        tmp_path, "source", "new", export, "--source", "handover_cards", "--programme", "WARD",
        "--json",
    )  # fmt: skip
    said = json.loads(done.stdout)
    cards, *others = said["records"]
    assert [cards["part"], *(block["part"] for block in others)] == ["Cards", "Tasks", "Students"]
    assert cards["kind"] == "workplace_assessment"
    assert {"learner_id", "competency_id", "assessor_id", "observed_at"} <= cards["fields"].keys()
    assert "no scale has these labels" in cards["remarks"]["level"][0]
    assert (tmp_path / "sources" / "handover_cards.yaml").exists()


def test_the_spec_of_the_guide_is_in_order_and_tells_what_becomes_of_each_row(
    site: Path, export: Path
) -> None:
    spec = site / "sources" / "handover_cards.yaml"
    checked = tessera(site, "source", "check", spec)
    assert checked.returncode == 0, checked.stdout
    done = tessera(site, "check", "--kind", "handover_cards", export, "--json")
    *verdicts, last = map(json.loads, done.stdout.splitlines())
    (refused,) = [verdict for verdict in verdicts if not verdict["ok"]]
    assert refused["place"] == "Cards, row 8"
    assert refused["errors"][0]["code"] == "unknown_label"
    assert last["summary"]["readable"] is True


def test_the_cards_are_in_the_published_portfolio(site: Path, export: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    inbox = home / "inbox" / "handover_cards"
    inbox.mkdir(parents=True)
    (inbox / export.name).write_bytes(export.read_bytes())
    done = tessera(site, "run", "--home", home, "--as-of", "2026-03-20", "--no-pack")
    assert done.returncode in (0, 1), done.stdout + done.stderr
    edition = (home / "editions" / "current").resolve()
    with duckdb.connect(str(edition / "portfolio.duckdb"), read_only=True) as connection:
        evidence = connection.execute(
            "select instrument_id, competency_id, scale_id, level, is_flagged, assessor_role "
            "from fct_evidence order by all"
        ).fetchall()
        timeline = connection.execute(
            "select title, competency_title, detail, level, target_level from portfolio_timeline "
            "where event_kind = 'workplace_assessment' order by event_at"
        ).fetchall()
    assert evidence == [
        ("handover_card", "H1", "handover_4", 2, False, "registrar"),
        ("handover_card", "H1", "handover_4", 4, True, "nurse"),
        ("handover_card", "H2", "handover_4", 3, False, "registrar"),
    ]
    assert [(row[1], *row[3:]) for row in timeline] == [
        ("Hand over a patient", 2, 3),
        ("Hand over a patient", 4, 3),
        ("Take over a patient", 3, 4),
    ]
    assert all("Handover card" in row[0] for row in timeline)
    waiting = tessera(site, "quarantine", "list", "--home", home, "--json")
    (cause,) = map(json.loads, waiting.stdout.splitlines())
    assert (cause["code"], cause["n_records"]) == ("unknown_label", 1)
