"""The warehouse file is there whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.warehouse import connection
from pipelines.warehouse.connection import WarehouseError, open_warehouse


def test_a_kill_while_the_file_is_made_leaves_none_that_cannot_be_opened(
    home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_short(path: str, **_: Any) -> None:
        Path(path).write_bytes(b"half a header")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(connection.duckdb, "connect", cut_short)
        with pytest.raises(KeyboardInterrupt), open_warehouse(home, settings):
            pass
    assert not home.warehouse.exists()
    with open_warehouse(home, settings) as con:
        assert con.execute("select 1").fetchall() == [(1,)]


def test_a_file_that_another_process_made_meanwhile_is_kept(home: Home, settings: Settings) -> None:
    with open_warehouse(home, settings) as con:
        con.execute("create table kept (n integer)")
    connection._make(home.warehouse)
    with open_warehouse(home, settings, read_only=True) as con:
        assert con.execute("select count(*) from kept").fetchall() == [(0,)]
    assert [path.name for path in home.warehouse.parent.glob("*build*")] == ["build.duckdb"]


def test_there_is_nothing_to_read_before_something_was_loaded(
    home: Home, settings: Settings
) -> None:
    with (
        pytest.raises(WarehouseError, match="run `tessera run` first"),
        open_warehouse(home, settings, read_only=True),
    ):
        pass
