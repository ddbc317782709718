"""The watcher of the inbox announces whole files, once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.triggers.inbox import NAMED_AT_MOST, InboxTrigger, Look, look


class Store:
    """Airflow's store of an asset, in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    async def aget(self, key: str, default: str) -> str:
        return self.kept.get(key, default)

    async def aset(self, key: str, value: str) -> None:
        self.kept[key] = value


def announced(looks: list[Look], store: Store | None = None) -> list[dict[str, Any]]:
    """Return what a trigger announces of these looks at an inbox."""

    async def stream() -> AsyncIterator[Look]:
        for one in looks:
            yield one

    async def collect() -> list[dict[str, Any]]:
        trigger = InboxTrigger()
        trigger.asset_state_store = store  # type: ignore[assignment]
        return [event.payload async for event in trigger.filter_shared_stream(stream())]

    return asyncio.run(collect())


def files(*names: str) -> dict[str, Any]:
    return {"files": list(names), "n_files": len(names)}


WHOLE = {"forms/a.csv": [10, 1]}


def test_a_file_is_announced_at_the_second_look_that_finds_it_the_same() -> None:
    assert announced([WHOLE]) == []
    assert announced([WHOLE, WHOLE]) == [files("forms/a.csv")]


def test_a_file_that_still_grows_is_not_announced() -> None:
    growing: list[Look] = [{"forms/a.csv": [size, size]} for size in range(5)]
    assert announced(growing) == []
    assert announced([*growing, growing[-1]]) == [files("forms/a.csv")]


def test_a_file_is_announced_once() -> None:
    assert announced([WHOLE] * 10) == [files("forms/a.csv")]


def test_a_file_that_was_replaced_is_announced_again() -> None:
    other = {"forms/a.csv": [10, 2]}
    assert announced([WHOLE, WHOLE, other, other]) == [files("forms/a.csv")] * 2


def test_a_second_file_is_announced_by_itself() -> None:
    both = WHOLE | {"exams/b.csv": [3, 3]}
    assert announced([WHOLE, WHOLE, both, both]) == [files("forms/a.csv"), files("exams/b.csv")]


def test_many_files_are_counted_and_the_first_are_named() -> None:
    many: Look = {f"forms/{n:04}.csv": [1, 1] for n in range(NAMED_AT_MOST + 1)}
    (event,) = announced([many, many])
    assert event["n_files"] == NAMED_AT_MOST + 1
    assert len(event["files"]) == NAMED_AT_MOST


def test_what_was_announced_is_remembered_over_a_restart() -> None:
    store = Store()
    assert announced([WHOLE, WHOLE], store) == [files("forms/a.csv")]
    assert announced([WHOLE, WHOLE, WHOLE], store) == []
    both = WHOLE | {"exams/b.csv": [3, 3]}
    assert announced([both, both], store) == [files("exams/b.csv", "forms/a.csv")]


def test_looking_sees_files_of_all_sources_and_passes_over_unfinished_ones(tmp_path: Path) -> None:
    kept = ["forms/a.csv", "exams/2026/b.jsonl"]
    passed_over = ["forms/a.csv.part", "forms/b.tmp", "forms/.hidden.csv", ".lock/c.csv"]
    for name in [*kept, *passed_over]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "forms" / "gone.csv").symlink_to(tmp_path / "nowhere")
    assert set(look(tmp_path)) == set(kept)


def test_an_inbox_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    assert look(tmp_path / "inbox") == {}


def test_a_trigger_is_made_again_from_what_it_writes_down(tmp_path: Path) -> None:
    from airflow._shared.module_loading import import_string

    trigger = InboxTrigger(str(tmp_path), seconds=2)
    path, arguments = trigger.serialize()
    again = import_string(path)(**arguments)
    assert again.serialize() == trigger.serialize()


def test_triggers_on_one_folder_share_one_listing(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    assert (
        InboxTrigger(str(link)).shared_stream_key()
        == InboxTrigger(str(tmp_path)).shared_stream_key()
    )


def test_the_inbox_of_the_home_is_watched_where_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESSERA_HOME", str(tmp_path))
    key = InboxTrigger().shared_stream_key()
    assert isinstance(key, tuple)
    assert key[1] == os.path.realpath(tmp_path / "inbox")


def test_running_alone_it_finds_a_dropped_file(tmp_path: Path) -> None:
    async def first() -> Any:
        async for event in InboxTrigger(str(tmp_path), seconds=0.01).run():
            return event.payload
        return None

    (tmp_path / "forms").mkdir()
    (tmp_path / "forms" / "a.csv").write_text("x")
    assert asyncio.run(asyncio.wait_for(first(), timeout=10)) == files("forms/a.csv")
