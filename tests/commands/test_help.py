"""Whoever asks a command for help sees how it is called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from pipelines.cli import app


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
