"""What is wrong with what a command is given is said, with what to do, and no half page is left."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.committee import pack
from pipelines.home import Home
from pipelines.settings import Settings
from tests.committee.edition import EMPTY, database_of
from tests.committee.markup import Page
from tests.committee.people import MEETING

COMMANDS = [
    ("pack", "build"),
    ("pack", "build", "--role", "learner"),
    ("pack", "build", "--role", "programme"),
    ("pack", "freeze", "--meeting", MEETING, "--by", "A. Muster"),
    ("pack", "binder", "--year", "2026", "--out", "out.zip"),
    ("decision", "form", "--meeting", MEETING, "--vocabulary", "local_1", "--out", "out.csv"),
    ("decision", "export", "--out", "out.csv"),
    ("dispute", "list"),
]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    monkeypatch.delenv("TESSERA_SITE", raising=False)


def tessera(home: Home, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*arguments, "--home", str(home.root)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, " ".join(done.output.split())


def damage(path: Path) -> None:
    """Change one byte of a database, in a block that is read when it is opened."""
    data = bytearray(path.read_bytes())
    data[4096 * 3 + 64] ^= 0xFF
    path.write_bytes(data)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_damaged_edition_is_said_and_nothing_is_made_from_it(
    fresh: Home, command: tuple[str, ...]
) -> None:
    damage(database_of(fresh))
    code, told = tessera(fresh, *command)
    assert code in (2, 3)
    assert "damaged and cannot be read" in told or "are not those published" in told
    assert "restore it from a backup" in told
    assert not list(Path().iterdir())
    assert not list(fresh.packs.rglob("*.html"))


def test_a_meeting_without_learners_is_said_with_the_meetings_that_there_are(fresh: Home) -> None:
    for command in (
        ("pack", "freeze", "--meeting", "PC-NONE", "--by", "A. Muster"),
        ("decision", "form", "--meeting", "PC-NONE", "--vocabulary", "arcp", "--out", "out.csv"),
    ):
        code, told = tessera(fresh, *command)
        assert code == 2
        assert "nobody on the agenda of meeting PC-NONE" in told
        assert MEETING in told
    assert not list(Path().iterdir())


def test_a_learner_without_evidence_or_decision_has_a_whole_page_that_says_so(home: Home) -> None:
    folder = pack.build(home, Settings(home=home.root))
    page = Page(folder / f"learners/{EMPTY}.html").text
    assert "do not have enough evidence yet: a task for the programme" in page
    assert "No comments yet." in page
    assert "No decision on record." in page
    assert "How this was computed" in page
    behind = Page(folder / f"evidence/{EMPTY}.html").text
    assert "No evidence has arrived for this learner yet." in behind
