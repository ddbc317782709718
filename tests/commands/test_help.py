"""Whoever asks a command for help sees how it is called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from pipelines.cli import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "docker").glob("*.md")]
CALL = re.compile(r"(?:`|^|: )tessera ([a-z][^`\n]*)", re.MULTILINE)


def commands(command: Any = None, name: str = "tessera") -> Iterator[Any]:
    """Yield every group and every command, by its name."""
    command = get_command(app) if command is None else command
    yield pytest.param(name, command, id=name)
    for part, below in sorted(getattr(command, "commands", {}).items()):
        yield from commands(below, f"{name} {part}")


EVERY = list(commands())


@pytest.mark.parametrize(("name", "command"), EVERY)
def test_the_help_of_every_command_shows_an_example(name: str, command: Any) -> None:
    assert f": {name} " in f"{command.help} {command.epilog} ".replace("\n", " ")


@pytest.mark.parametrize(("name", "command"), EVERY)
def test_every_option_says_what_it_is_for(name: str, command: Any) -> None:
    assert [option.name for option in command.params if not getattr(option, "help", None)] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_a_document_names_is_there_with_its_options(path: Path) -> None:
    by_name = dict(case.values for case in EVERY)
    for call in CALL.findall(path.read_text(encoding="utf-8").replace("\\\n", " ")):
        words = ["tessera", *call.split()]
        n = max(n for n in range(1, len(words) + 1) if " ".join(words[:n]) in by_name)
        command = by_name[" ".join(words[:n])]
        assert n > 1, f"there is no command of `tessera {call}`"
        taken = {
            name for option in command.params for name in (*option.opts, *option.secondary_opts)
        }
        options = {word.partition("=")[0] for word in words[n:] if word.startswith("--")}
        assert options <= {*taken, "--help"} or hasattr(command, "commands"), call
