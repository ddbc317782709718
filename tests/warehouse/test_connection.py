"""The warehouse file is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.warehouse import connection
from pipelines.warehouse.connection import (
    OLDEST_READER,
    WarehouseError,
    copy_warehouse,
    open_warehouse,
    transaction,
)


def test_a_kill_while_the_file_is_made_leaves_none_that_cannot_be_opened(
    home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_short(begun: Path, path: Path) -> None:
        begun.write_bytes(b"half a header")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(connection.os, "link", cut_short)
        with pytest.raises(KeyboardInterrupt), open_warehouse(home, settings):
            pass
    assert not home.warehouse.exists()
    assert not home.marts.exists()
    with open_warehouse(home, settings) as con:
        assert con.execute("select 1").fetchall() == [(1,)]


def test_a_file_that_another_process_made_meanwhile_is_kept(home: Home, settings: Settings) -> None:
    with open_warehouse(home, settings) as con:
        con.execute("create table kept (n integer)")
        con.execute("create table marts.kept_too (n integer)")
    connection._make(home.warehouse, "latest")
    connection._make(home.marts, OLDEST_READER)
    with open_warehouse(home, settings, read_only=True) as con:
        assert con.execute("select count(*) from kept").fetchall() == [(0,)]
        assert con.execute("select count(*) from marts.kept_too").fetchall() == [(0,)]
    assert sorted(path.name for path in home.warehouse.parent.iterdir()) == [
        "build.duckdb",
        "build.marts.duckdb",
    ]


def test_marts_that_lie_in_the_warehouse_of_an_older_version_are_read_until_they_are_made_anew(
    home: Home, settings: Settings
) -> None:
    with duckdb.connect(str(home.warehouse)) as con:
        con.execute("create schema marts; create table marts.fct_evidence as select 1 as level")
    with open_warehouse(home, settings, read_only=True) as con:
        assert con.execute("select level from marts.fct_evidence").fetchall() == [(1,)]
    with open_warehouse(home, settings) as con:
        con.execute("create table marts.fct_evidence as select 2 as level")
    with open_warehouse(home, settings, read_only=True) as con:
        assert con.execute("select level from marts.fct_evidence").fetchall() == [(2,)]
    with duckdb.connect(str(home.marts), read_only=True) as con:
        assert con.execute("select level from fct_evidence").fetchall() == [(2,)]


def test_there_is_nothing_to_read_before_something_was_loaded(
    home: Home, settings: Settings
) -> None:
    with (
        pytest.raises(WarehouseError, match="run `tessera run` first"),
        open_warehouse(home, settings, read_only=True),
    ):
        pass


def test_a_warehouse_without_marts_of_its_own_is_not_copied(
    home: Home, settings: Settings, tmp_path: Path
) -> None:
    copy = Home.open(tmp_path / "copy")
    with duckdb.connect(str(home.warehouse)) as con:
        con.execute("create schema marts; create table marts.fct_evidence as select 1 as level")
    with pytest.raises(WarehouseError, match=r"build\.marts\.duckdb .* run `tessera run` first"):
        copy_warehouse(home, copy)
    with open_warehouse(home, settings) as con:
        con.execute("create table marts.fct_evidence as select 2 as level")
    copy_warehouse(home, copy)
    with open_warehouse(copy, settings, read_only=True) as con:
        assert con.execute("select level from marts.fct_evidence").fetchall() == [(2,)]


def test_a_transaction_that_is_stopped_leaves_what_was_there_and_may_be_followed_by_another(
    home: Home, settings: Settings
) -> None:
    with open_warehouse(home, settings) as con:
        con.execute("create table counted as select 1 as n")
        with pytest.raises(duckdb.ConversionException), transaction(con):
            con.execute("update counted set n = 2; select cast('none' as integer)")
        assert con.execute("from counted").fetchall() == [(1,)]
        with transaction(con):
            con.execute("update counted set n = 3")
        assert con.execute("from counted").fetchall() == [(3,)]
