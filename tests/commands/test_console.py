"""What commands share."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from rich.console import Console

from pipelines.commands import console, run
from pipelines.runs import StageRecord


def test_a_rate_is_shown_where_it_is_known() -> None:
    assert console.rate_text(12_345.6, "records") == "12,346 records/s"
    assert console.rate_text(None, "records") == ""
    assert console.rate_text(1.0, None) == ""


def test_one_of_a_thing_is_named_in_the_singular() -> None:
    assert console.counted(1, "record") == "1 record"
    assert console.counted(2_000, "record") == "2,000 records"
    assert console.counted(0, "delivery", "deliveries") == "0 deliveries"


def test_a_terminal_shows_how_far_a_file_is_read_with_rate_and_time_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shown = tmp_path / "shown"
    with shown.open("w") as file:
        terminal = Console(file=file, force_terminal=True, width=120, highlight=False)
        monkeypatch.setattr(console, "err", terminal)
        monkeypatch.setattr(run, "err", terminal)
        with console.progress() as bars:
            told = run._Bars(bars)
            told.starts("read", 2)
            for done in (1, 2, 3):
                told.tells("read", done, 4, "MiB")
                bars.refresh()
            told.tells("validate", 10, 20, "records")
            bars.refresh()
            told.advances("read")
            told.ended(StageRecord("r", "read", "done", 1.5, None, None))
    text = shown.read_text()
    assert "3/4" in text
    assert "MiB/s" in text
    assert "10/20" in text
    assert "Read, validate, check, commit: 1.5 s" in text


def test_where_nobody_watches_only_long_stages_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shown = tmp_path / "shown"
    with shown.open("w") as file:
        plain = Console(file=file, force_terminal=False, highlight=False)
        monkeypatch.setattr(console, "err", plain)
        monkeypatch.setattr(run, "err", plain)
        with console.progress() as bars:
            told = run._Bars(bars)
            for stage, seconds in (("load", 0.4), ("build", 42.0)):
                told.starts(stage)
                told.tells(stage, 1, 2, "records")
                told.ended(StageRecord("r", stage, "done", seconds, None, None))
    assert shown.read_text() == "Build the marts with dbt: 42.0 s\n"


def test_a_refusal_keeps_brackets_that_are_in_the_name_of_a_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(typer.Exit):
        console.fail(console.USAGE, "rules/[draft]/[/old].yaml:1: no keys")
    assert "rules/[draft]/[/old].yaml:1: no keys" in capsys.readouterr().err
