"""What a meeting saw is kept: frozen once, reprinted byte for byte, removed only with a record."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.committee import freeze, pack, site
from pipelines.committee.freeze import ARCHIVE, FreezeError, Frozen, Removal, RemovedError
from pipelines.committee.proof import problems_of_frozen
from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.warehouse.editions import MANIFEST, read_edition, to_json
from tests.committee.edition import database_of, publish_edition, seal_again

pytestmark = pytest.mark.slow

MEETING = "M-2026-11"
ERASED = Removal(
    record_id="ER-7",
    kind="erasure",
    reason="asked for by the learner",
    removed_at=datetime(2027, 1, 2, tzinfo=UTC),
    removed_by="data protection officer",
    archive_sha256="0" * 64,
)


def _freeze(home: Home) -> Frozen:
    return freeze.freeze(home, Settings(home=home.root), MEETING, "the registrar")


def _bytes(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def _archive(home: Home, frozen: Frozen) -> Path:
    return home.packs / "frozen" / MEETING / frozen.freeze_id / ARCHIVE


def test_a_reprint_gives_every_byte_of_the_pack_that_was_frozen(
    fresh: Home, tmp_path: Path
) -> None:
    frozen = _freeze(fresh)
    built = _bytes(fresh.packs / frozen.edition_id)
    data = freeze.reprint(fresh, frozen)
    assert freeze.unpack(data, tmp_path / "reprint") == frozen.n_files
    assert _bytes(tmp_path / "reprint") == built
    assert hashlib.sha256(data).hexdigest() == frozen.archive_sha256


def test_a_reprint_needs_neither_the_edition_nor_the_pack(
    fresh: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = _freeze(fresh)
    shutil.rmtree(fresh.packs / frozen.edition_id)
    shutil.rmtree(fresh.editions)
    monkeypatch.setattr(pack, "pages_version", lambda: "of a later Tessera")
    assert hashlib.sha256(freeze.reprint(fresh, frozen)).hexdigest() == frozen.archive_sha256


def test_freezing_the_same_pack_again_gives_the_record_that_stands(fresh: Home) -> None:
    first = _freeze(fresh)
    again = freeze.freeze(fresh, Settings(home=fresh.root), MEETING, "somebody else")
    assert again == first
    assert freeze.frozen_packs(fresh) == [first]


def test_a_newer_edition_is_frozen_beside_the_older_and_is_what_the_meeting_finds(
    fresh: Home,
) -> None:
    first = _freeze(fresh)
    publish_edition(fresh, 3)
    second = _freeze(fresh)
    assert [f.freeze_id for f in freeze.frozen_packs(fresh, MEETING)] == [
        first.freeze_id,
        second.freeze_id,
    ]
    assert freeze.frozen_pack(fresh, MEETING) == second
    assert freeze.frozen_pack(fresh, MEETING, first.freeze_id) == first


def test_a_meeting_that_the_edition_does_not_know_is_refused_with_those_it_knows(
    fresh: Home,
) -> None:
    with pytest.raises(FreezeError, match=f"nobody on the agenda of meeting X; it knows {MEETING}"):
        freeze.freeze(fresh, Settings(home=fresh.root), "X", "the registrar")
    assert freeze.frozen_packs(fresh) == []


def test_a_meeting_without_learners_is_refused(tmp_path: Path) -> None:
    home = Home.open(tmp_path)
    publish_edition(home, 0)
    with pytest.raises(FreezeError, match="no meeting has learners"):
        _freeze(home)


def test_changed_bytes_are_never_reprinted(fresh: Home) -> None:
    frozen = _freeze(fresh)
    archive = _archive(fresh, frozen)
    archive.write_bytes(archive.read_bytes() + b" ")
    with pytest.raises(FreezeError, match="not what was frozen"):
        freeze.reprint(fresh, frozen)


def test_a_pack_is_proved_by_an_edition_that_was_damaged_and_written_again(fresh: Home) -> None:
    frozen = _freeze(fresh)
    path = fresh.editions / "current" / MANIFEST
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    with duckdb.connect(str(database_of(fresh))) as con:
        con.execute("create table other_bytes as select 1 as a")
        con.execute("drop table other_bytes")
    seal_again(fresh)
    assert hashlib.sha256(path.read_bytes()).hexdigest() != before
    (problem,) = problems_of_frozen(fresh, frozen)
    assert "is not the one it was then" in problem.message

    edition = read_edition(path.parent)
    mended = edition.model_copy(update={"earlier_manifests": (before,)})
    path.write_bytes(to_json(mended))
    assert list(problems_of_frozen(fresh, frozen)) == []

    table = "tables/committee_agenda.parquet"
    (path.parent / table).write_bytes(b"other rows")
    files = mended.files | {table: hashlib.sha256(b"other rows").hexdigest()}
    path.write_bytes(to_json(mended.model_copy(update={"files": files})))
    (problem,) = problems_of_frozen(fresh, frozen)
    assert "not that of the edition" in problem.message


def test_a_removed_pack_names_its_record_and_keeps_no_byte(fresh: Home) -> None:
    frozen = _freeze(fresh)
    freeze.remove(fresh, frozen, ERASED)
    assert not _archive(fresh, frozen).exists()
    with pytest.raises(RemovedError, match=r"2027-01-02 by erasure record ER-7: asked for"):
        freeze.reprint(fresh, frozen)
    assert freeze.frozen_packs(fresh) == [frozen]


def test_a_failure_on_the_way_freezes_nothing(fresh: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise RuntimeError("stopped")

    monkeypatch.setattr(site.Pages, "quality", stop)
    with pytest.raises(RuntimeError):
        _freeze(fresh)
    assert freeze.frozen_packs(fresh) == []


@pytest.mark.parametrize("meeting", ["../x", "", "a/b", ".hidden", "x" * 65])
def test_a_meeting_id_that_cannot_name_a_folder_is_refused(fresh: Home, meeting: str) -> None:
    with pytest.raises(FreezeError, match="cannot name a folder"):
        freeze.frozen_pack(fresh, meeting)


def _tessera(home: Home, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["pack", *arguments, "--home", str(home.root), "--json"])
    return done.exit_code, done.stdout


def test_the_commands_freeze_list_and_reprint(fresh: Home, tmp_path: Path) -> None:
    code, told = _tessera(fresh, "freeze", "--meeting", MEETING, "--by", "the registrar")
    assert code == 0
    (listed,) = [json.loads(line) for line in _tessera(fresh, "list")[1].splitlines()]
    assert listed == json.loads(told) | {
        "is_released": False, "because": None, "addendum_ids": [],
    }  # fmt: skip
    for to in (tmp_path / "out", tmp_path / "out.zip"):
        code, printed = _tessera(fresh, "reprint", "--meeting", MEETING, "--out", str(to))
        assert code == 0
        assert json.loads(printed)["archive_sha256"] == json.loads(told)["archive_sha256"]
        assert _tessera(fresh, "reprint", "--meeting", MEETING, "--out", str(to))[0] == 2
    assert (tmp_path / "out" / "index.html").exists()
    assert _tessera(fresh, "reprint", "--meeting", "other", "--out", "x")[0] == 2
    freeze.remove(fresh, freeze.frozen_pack(fresh, MEETING), ERASED)
    assert _tessera(fresh, "reprint", "--meeting", MEETING, "--out", str(tmp_path / "y"))[0] == 1
