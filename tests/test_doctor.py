"""Each check of the doctor finds what it looks for, and nothing in a good home."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from pipelines import doctor
from pipelines.cli import app
from pipelines.committee import pack
from pipelines.doctor import CHECKS, GOOD, Finding, examine
from pipelines.home import Home
from pipelines.settings import Settings
from tests.committee.edition import publish_edition
from tests.warehouse.conftest import Log, day


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a home with a delivery in the log, a warehouse, an edition and its pack."""
    home = Home.open(tmp_path_factory.mktemp("good") / "home")
    delivery_id = Log(home).deliver(
        "a", known_at=day(1), exam_result=[{"record_id": "r1", "person": "p1", "score": 1}]
    )
    sha256 = next(
        json.loads(path.read_bytes())["sha256"]
        for path in (home.receipts / delivery_id).glob("*.json")
    )
    archived = home.archive / sha256[:2] / sha256
    archived.parent.mkdir(parents=True)
    archived.write_bytes(b"bytes")
    with duckdb.connect(str(home.warehouse)) as con:
        con.execute("create schema raw; create table raw.intake_record as select 1 as x")
    publish_edition(home, 3)
    pack.build(home, Settings(home=home.root))
    return home.root


@pytest.fixture
def home(good: Path, tmp_path: Path) -> Home:
    """A copy of that home, for tests that break things."""
    shutil.copytree(good, tmp_path / "home", symlinks=True)
    return Home.open(tmp_path / "home")


def found(home: Home, site: Path | None = None) -> dict[str, Finding]:
    return {f.check: f for f in examine(home, Settings(home=home.root, site=site))}


def test_a_good_home_has_nothing_that_is_broken(home: Home) -> None:
    told = found(home)
    assert list(told) == list(CHECKS)
    assert {f.check: f.message for f in told.values() if f.state != "ok"} == {}
    assert all(told[name].message == GOOD[name] for name in CHECKS)


def _open_to_others(home: Home) -> None:
    home.restricted.chmod(0o755)


def _lose_keys(home: Home) -> None:
    (home.vault / "keys.json").unlink()


def _lose_archive(home: Home) -> None:
    shutil.rmtree(home.archive)
    home.archive.mkdir()


def _unbalance(home: Home) -> None:
    (path,) = home.deliveries.rglob("intake.json")
    path.write_text(path.read_text().replace('"rows_read": 1', '"rows_read": 2'))


def _spoil_warehouse(home: Home) -> None:
    home.warehouse.write_bytes(b"not a database" * 100)


def _touch_edition(home: Home) -> None:
    next((home.editions / "current").rglob("*.parquet")).write_bytes(b"")


def _dangle(home: Home) -> None:
    shutil.rmtree((home.editions / "current").resolve())


def _touch_pack(home: Home) -> None:
    (home.packs / "current" / "index.html").write_text("other")


@pytest.mark.parametrize(
    ("check", "spoil", "words"),
    [
        ("restricted", _open_to_others, "open to others"),
        ("restricted", _lose_keys, "has no keys"),
        ("log", _lose_archive, "lost the file"),
        ("log", _unbalance, "2 records were read and 1 have"),
        ("warehouse", _spoil_warehouse, "not a valid DuckDB"),
        ("editions", _touch_edition, "the bytes are not those published"),
        ("editions", _dangle, "points to no edition"),
        ("pack", _touch_pack, "the bytes are not those that were built"),
    ],
)
def test_what_is_broken_is_found_with_a_remedy(
    home: Home, check: str, spoil: Callable[[Home], None], words: str
) -> None:
    spoil(home)
    finding = found(home)[check]
    assert finding.state == "broken"
    assert words in finding.message
    assert finding.remedy


def test_a_faulty_declaration_is_found(home: Home, tmp_path: Path) -> None:
    (tmp_path / "site" / "sources").mkdir(parents=True)
    (tmp_path / "site" / "sources" / "mine.yaml").write_text("source: mine\nreader: {name: none}\n")
    finding = found(home, tmp_path / "site")["declarations"]
    assert finding.state == "broken"
    assert "mine.yaml" in finding.message


def test_little_room_asks_for_attention(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: SimpleNamespace(free=1024**3))
    assert found(home)["space"].state == "attention"


def test_a_writer_asks_for_attention(home: Home) -> None:
    with home.writing():
        assert found(home)["lock"].state == "attention"


@pytest.mark.parametrize(
    ("version", "words"), [("1.4.0", "not a version"), (None, "not installed")]
)
def test_a_library_of_another_version_is_found(
    home: Home, monkeypatch: pytest.MonkeyPatch, version: str | None, words: str
) -> None:
    known = doctor.metadata.version

    def told(name: str) -> str:
        if name != "duckdb":
            return known(name)
        if version is None:
            raise doctor.metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(doctor.metadata, "version", told)
    finding = found(home)["packages"]
    assert finding.state == "broken"
    assert words in finding.message


def test_a_check_that_stumbles_says_so_and_the_others_go_on(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: Any) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setitem(CHECKS, "log", stumble)
    told = found(home)
    assert told["log"].message == "ZeroDivisionError: by nothing"
    assert told["pack"].state == "ok"


def test_the_command_tells_machines_each_finding_and_the_worst_as_exit_code(home: Home) -> None:
    good = CliRunner().invoke(app, ["doctor", "--home", str(home.root), "--json"])
    assert good.exit_code == 0
    assert [json.loads(line)["check"] for line in good.stdout.splitlines()] == list(CHECKS)
    _touch_pack(home)
    assert CliRunner().invoke(app, ["doctor", "--home", str(home.root)]).exit_code == 3
