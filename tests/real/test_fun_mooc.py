"""Real statements in any order, doubled and split, make the same tables."""

from __future__ import annotations

import gzip
import json
import random
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.contracts import CONTRACTS
from pipelines.home import Home
from pipelines.identity.vault import open_keys
from pipelines.intake import ledger
from pipelines.intake.check import check
from pipelines.intake.read import read
from pipelines.intake.receive import receive
from pipelines.intake.segment import commit
from pipelines.intake.validate import validate
from pipelines.settings import Settings
from pipelines.warehouse.connection import open_warehouse
from pipelines.warehouse.hashing import table_hash
from pipelines.warehouse.load import load
from tests.real.real_data import SITE, data_folder

STATEMENTS = data_folder() / "xapi" / "fun_mooc_statements.jsonl.gz"
FIELDS = CONTRACTS["exam_response"].model_fields
PEOPLE = {"learner_id", "examiner_id"}
pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif(not STATEMENTS.exists(), reason="the shared test data are not here"),
]


@dataclass(frozen=True)
class Told:
    """What came of some files."""

    table: str
    n_rows: int
    outcomes: dict[str, int]


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    with gzip.open(STATEMENTS) as file:
        return [line for line in file if line.strip()]


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a vault that all homes share, so that one person has one pseudonym."""
    home = Home.open(tmp_path_factory.mktemp("vault"))
    open_keys(home)
    return home.vault


def take_in(
    folder: Path, vault: Path, files: Iterable[Iterable[bytes]], *, last_first: bool = False
) -> Told:
    """Take files of statements in, in one order or the other, and load them."""
    home = Home.open(folder)
    shutil.copytree(vault, home.vault, dirs_exist_ok=True)
    settings = Settings(home=home.root, site=SITE)
    inbox = home.inbox / "fun_mooc"
    inbox.mkdir()
    for number, content in enumerate(files):
        (inbox / f"part-{number}.jsonl").write_bytes(b"".join(content))
    pending = receive(home, settings, settle=0).pending
    for delivery_id in sorted(pending, reverse=last_first):
        for stage in (read, validate, check, commit):
            stage(home, settings, delivery_id)
    load(home, settings)
    fields = [name.replace("_id", "_pseudonym") if name in PEOPLE else name for name in FIELDS]
    accepted = f"""(
        select record_key, known_at, {", ".join(fields)}
        from raw.exam_response where present_outcome = 'accepted'
    )"""
    with open_warehouse(home, settings) as con:
        n_rows = con.execute(f"select count(*) from {accepted}").fetchall()[0][0]
        table = table_hash(con, accepted)
    entries = ledger.ledger(home)
    outcomes = {
        name: sum(getattr(entry, name) for entry in entries)
        for name in ("accepted", "duplicate", "superseded", "voided", "quarantined")
    }
    assert sum(outcomes.values()) == sum(entry.rows_read for entry in entries)
    return Told(table, n_rows, outcomes)


@pytest.fixture(scope="module")
def plain(lines: list[bytes], vault: Path, tmp_path_factory: pytest.TempPathFactory) -> Told:
    return take_in(tmp_path_factory.mktemp("plain"), vault, [lines])


def test_every_statement_is_taken_in(plain: Told) -> None:
    assert plain.n_rows == 22_000
    assert plain.outcomes["accepted"] == 22_000


@pytest.mark.slow
def test_any_order_of_statements_gives_the_same_table(lines, vault, plain, tmp_path) -> None:
    shuffled = random.Random(7).sample(lines, len(lines))
    assert take_in(tmp_path / "home", vault, [shuffled]) == plain


@pytest.mark.slow
def test_statements_sent_twice_count_once(lines, vault, plain, tmp_path) -> None:
    doubled = take_in(tmp_path / "home", vault, [lines + lines[::-1]])
    assert (doubled.table, doubled.n_rows) == (plain.table, plain.n_rows)
    assert doubled.outcomes["duplicate"] == 22_000


@pytest.mark.slow
@pytest.mark.parametrize("last_first", [False, True])
def test_split_and_overlapping_files_give_the_same_table(
    lines, vault, plain, tmp_path, last_first
) -> None:
    parts = [lines[:9_000], lines[7_000:16_000], lines[15_000:]]
    split = take_in(tmp_path / "home", vault, parts, last_first=last_first)
    assert (split.table, split.n_rows) == (plain.table, plain.n_rows)
    assert split.outcomes["duplicate"] == 3_000


@pytest.mark.slow
@pytest.mark.parametrize("voids_first", [False, True])
def test_a_voided_statement_is_out_whatever_came_first(
    lines, vault, plain, tmp_path, voids_first
) -> None:
    ids = [json.loads(line)["id"] for line in lines[:500]]
    voids = [_voiding(number, target) for number, target in enumerate(ids)]
    voids_of_voids = [
        _voiding(500 + number, json.loads(void)["id"]) for number, void in enumerate(voids)
    ]
    parts = [lines, [*voids, *voids_of_voids]]
    told = take_in(tmp_path / "home", vault, parts[::-1] if voids_first else parts)
    without = take_in(tmp_path / "without", vault, [lines[500:]])
    assert (told.table, told.n_rows) == (without.table, 21_500)
    assert told.outcomes["voided"] == 500


def _voiding(number: int, target: str) -> bytes:
    statement = {
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "actor": {"mbox": "mailto:records@example.org"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/voided"},
        "object": {"objectType": "StatementRef", "id": target.upper()},
        "timestamp": "2022-01-01T00:00:00Z",
    }
    return json.dumps(statement).encode() + b"\n"
