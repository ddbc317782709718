"""An edition is rewritten without a person, verifies again, and keeps its old hashes on record."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.home import Home, write_atomically
from pipelines.settings import Settings
from pipelines.warehouse.connection import open_warehouse
from pipelines.warehouse.editions import read_edition, verify
from pipelines.warehouse.erase import erase_from_edition
from pipelines.warehouse.publish import publish

WORD = "Qwvfamily"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def published(home: Home, settings: Settings, candidate: Callable[..., str]) -> Path:
    edition_id = candidate(home, settings)
    with open_warehouse(home, settings) as con:
        con.execute(
            f"""
            create or replace table marts.portfolio_status as
            select * from (values
                ('L-1', ['E-1', 'L-1'], 'developing'),
                ('L-2', ['E-2', 'L-1'], 'like {WORD}, but'),
                ('L-3', null, 'L-1')
            ) as t (learner_key, evidence_ids, status)
            """
        )
    publish(home, settings)
    return home.editions / edition_id


def erased(folder: Path, **options: Any) -> tuple[bool, list[str]]:
    changed: list[str] = []

    def change(path: Path, content: bytes | None) -> None:
        changed.append(path.relative_to(folder).as_posix())
        assert content is not None
        write_atomically(path, content)

    given: dict[str, Any] = {
        "change": change,
        "keys": {"L-1": "L-stone"},
        "pattern": rf"(?i)(^|[^\pL\pN])(?:{WORD})($|[^\pL\pN])",
        "scrub": lambda text: re.sub(WORD, "[erased]", text),
    } | options
    is_held = erase_from_edition(folder, erasure_id="e1", erased_at=NOW, **given)
    return is_held, changed


def test_rows_about_the_person_go_and_other_rows_lose_key_and_name(
    home: Home, settings: Settings, candidate: Callable[..., str]
) -> None:
    folder = published(home, settings, candidate)
    before = read_edition(folder)
    assert erased(folder)[0]
    with duckdb.connect(str(folder / "portfolio.duckdb"), read_only=True) as con:
        rows = con.execute("from portfolio_status order by 1").fetchall()
        evidence = con.execute("select count(*) from fct_evidence").fetchall()
        parquet = con.execute(
            f"from '{folder}/tables/portfolio_status.parquet' order by 1"
        ).fetchall()
    assert (
        rows
        == parquet
        == [
            ("L-2", ["E-2", "L-stone"], "like [erased], but"),
            ("L-3", None, "L-stone"),
        ]
    )
    assert evidence == [(100,)]
    assert verify(folder) == []
    after = read_edition(folder)
    assert after.edition_id == before.edition_id
    assert after.counts["portfolio_status"] == 2
    (told,) = after.erasures
    assert told["table_hashes"]["portfolio_status"] == [
        before.table_hashes["portfolio_status"],
        after.table_hashes["portfolio_status"],
    ]
    assert "fct_evidence" not in told["table_hashes"]


def test_a_name_goes_also_where_no_key_of_the_person_is_left(
    home: Home, settings: Settings, candidate: Callable[..., str]
) -> None:
    folder = published(home, settings, candidate)
    assert erased(folder, keys={})[0]
    with duckdb.connect(str(folder / "portfolio.duckdb"), read_only=True) as con:
        rows = con.execute("from portfolio_status order by 1").fetchall()
    assert rows[1] == ("L-2", ["E-2", "L-1"], "like [erased], but")
    assert len(rows) == 3


def test_an_edition_that_does_not_hold_the_person_is_left_alone(
    home: Home, settings: Settings, candidate: Callable[..., str]
) -> None:
    folder = published(home, settings, candidate)
    before = (folder / "edition.json").read_bytes()
    assert erased(folder, keys={"L-9": "L-stone"}, pattern="") == (False, [])
    assert (folder / "edition.json").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        {"edition.json", "portfolio.duckdb", "tables"} | {p.name for p in folder.glob("data_docs")}
    )


def test_of_parts_only_those_that_hold_the_person_are_written_again(
    home: Home, settings: Settings, in_parts: Callable[..., Path]
) -> None:
    folder = in_parts(home, settings, 1)
    again = in_parts(home, settings, 2)
    before = read_edition(again)
    is_held, changed = erased(again, keys={"E-45": "E-stone"})
    assert is_held
    part = "tables/fct_evidence/2026-01.parquet"
    assert [name for name in changed if "fct_evidence" in name] == [part]
    assert verify(again) == verify(folder) == []
    after = read_edition(again)
    (told,) = after.erasures
    assert told["table_hashes"]["fct_evidence"] == [
        before.table_hashes["fct_evidence"],
        after.table_hashes["fct_evidence"],
    ]
    with duckdb.connect() as con:
        ids = con.execute(f"select distinct evidence_id from '{again / part}'").fetchall()
    assert ("E-stone",) in ids
    assert ("E-45",) not in ids
    assert after.fingerprints.keys() == before.fingerprints.keys()
    moved = {n for n in after.fingerprints if after.fingerprints[n] != before.fingerprints[n]}
    assert moved == {part}


@pytest.mark.parametrize("n_changes", range(3))
def test_an_erasure_that_was_cut_off_is_done_to_its_end_by_the_next(
    home: Home, settings: Settings, candidate: Callable[..., str], n_changes: int
) -> None:
    folder = published(home, settings, candidate)
    original = read_edition(folder).table_hashes
    done = 0

    def cut_off(path: Path, content: bytes | None) -> None:
        nonlocal done
        if done == n_changes:
            raise KeyboardInterrupt
        done += 1
        assert content is not None
        write_atomically(path, content)

    with pytest.raises(KeyboardInterrupt):
        erased(folder, change=cut_off)
    assert erased(folder)[0]
    assert verify(folder) == []
    (told,) = read_edition(folder).erasures
    assert told["table_hashes"]["portfolio_status"][0] == original["portfolio_status"]
    for path in folder.rglob("*"):
        assert not path.is_file() or WORD.encode() not in path.read_bytes()
    assert erased(folder) == (False, [])
