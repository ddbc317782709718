"""What a site decides, and what follows from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.settings import Settings


@pytest.mark.parametrize(
    ("given", "taken"),
    [("4GB", 1_000_000_000), ("1.5 GiB", 1_000_000_000), ("512MB", 512_000_000), ("64KiB", 65_536)],
)
def test_intake_takes_a_gigabyte_of_what_duckdb_may_take_and_no_more_than_that(
    given: str, taken: int
) -> None:
    assert Settings(memory_limit=given).intake_memory_limit == f"{taken}B"


def test_a_site_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=r"there is no folder .*nowhere: make it"):
        Settings(site=tmp_path / "nowhere")


@pytest.mark.parametrize(
    "unread",
    ["rules/s.yml", "rules/S.YAML", "source/ours.yaml", "code/scales.csv", "signals.yaml"],
)
def test_what_a_site_declares_and_nothing_reads_is_refused_by_name(
    tmp_path: Path, unread: str
) -> None:
    path = tmp_path / unread
    path.parent.mkdir(exist_ok=True)
    path.write_text("", encoding="utf-8")
    with pytest.raises(ValidationError, match=f"nothing reads {re.escape(str(path))}: only"):
        Settings(site=tmp_path)


def test_a_site_may_hold_what_is_read_and_papers_of_its_own(tmp_path: Path) -> None:
    for name in (
        *("sources/ours.yaml", "sources/lookup.csv", "rules/ours.yaml", "codes/scales.csv"),
        *("README.md", "marks.csv", "rules/minutes.pdf", ".github/checks.yml", ".lint.yaml"),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    assert Settings(site=tmp_path).site == tmp_path


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESSERA_SITE", "")
    assert Settings().site is None


@pytest.mark.parametrize(
    "command", [["rules", "show"], ["doctor"], ["run"], ["source", "list"], ["source", "check"]]
)
def test_commands_refuse_a_site_that_is_not_there_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("TESSERA_SITE", str(tmp_path / "nowhere"))
    monkeypatch.setenv("TESSERA_HOME", str(tmp_path / "home"))
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 2
    assert "TESSERA_SITE: there is no folder" in done.stderr
    assert not (tmp_path / "home").exists()
