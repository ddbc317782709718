"""An erased person is found nowhere, everything else stays, and the ledger still balances."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner, Result

from pipelines.cli import app
from pipelines.committee import addendum, freeze, proof, release
from pipelines.committee.freeze import Frozen
from pipelines.committee.people import open_registry
from pipelines.erasure import ErasureError, erase
from pipelines.identity.decisions import Identity, decisions
from pipelines.identity.pseudonyms import Folding
from pipelines.intake import erase as erase_module
from pipelines.intake import erase_rows, sheet
from pipelines.intake.erased import erasures
from pipelines.intake.ledger import ledger
from pipelines.intake.quarantine import show
from pipelines.intake.replay import replay
from pipelines.sources import catalogue
from pipelines.warehouse.connection import open_warehouse
from pipelines.warehouse.load import load
from tests.committee.edition import FULL, publish_edition

ROSTER = (
    "Student;Given;Family;Other\n"
    "canary77;Zyxwanda;Qwvfamily;canary78\n"
    "s2;Ada;Muster;\n"
)  # fmt: skip
FORMS = (
    "Form;Student;EPA;Rating;Assessor;Observed;Comment\n"
    "F1;CANARY77;EPA1;3;t1;05.03.2026;fine\n"
    'F2;s2;EPA1;4;t1;05.03.2026;"Like Zyxwanda Qwvfamily,\nonly better"\n'
    "F3;canary78;EPA1;Lvl x;t1;05.03.2026;refused one of Qwvfamily\n"
    "F4;s2;EPA2;Lvl y;canary77;05.03.2026;a refused one that she assessed\n"
    "F5;s2;EPA3;5;canary77;06.03.2026;an accepted one that she assessed\n"
    "F6;s2;EPA4;Lvl z;t1;06.03.2026;another refused one\n"
)
CANARIES = ("canary77", "canary78", "zyxwanda", "qwvfamily")


@pytest.fixture
def school(clinic: Any, roster_spec: str) -> Any:
    folded = "person_ids: {fold_case: true}\n"
    clinic.spec("roster", roster_spec + folded)
    forms = (clinic.site / "sources" / "forms.yaml").read_text()
    clinic.spec("forms", forms + folded)
    clinic.drop("roster", "r.csv", ROSTER)
    clinic.drop("forms", "a.csv", FORMS)
    clinic.take_in()
    load(clinic.home, clinic.settings)
    return clinic


def texts_of(path: Path) -> str:
    """Return everything that a file holds as text, whatever it is packed in."""
    return texts_in(path, path.read_bytes())


def texts_in(path: Path, content: bytes) -> str:
    if content[:4] == b"PAR1":
        return str(pl.read_parquet(io.BytesIO(content)).to_dicts())
    if content[8:12] == b"DUCK":
        with duckdb.connect(str(path), read_only=True) as con:
            tables = con.execute(
                "select schema_name || '.' || table_name from duckdb_tables()"
            ).fetchall()
            dumped = [str(con.execute(f"from {table}").fetchall()) for (table,) in tables]
        return " ".join(dumped) + content.decode("latin-1")
    if content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inside = [(name, archive.read(name)) for name in archive.namelist()]
        return " ".join(name + texts_in(path, data) for name, data in inside)
    return content.decode("latin-1") + content.decode("utf-16-le", "ignore")


def found(home: Any, words: tuple[str, ...] = CANARIES) -> dict[str, list[str]]:
    """Return the files of a home that hold a canary, each with what it holds."""
    everything = {
        path.relative_to(home.root).as_posix(): texts_of(path).lower()
        for path in home.root.rglob("*")
        if path.is_file()
    }
    held = {name: [w for w in words if w in text] for name, text in everything.items()}
    return {name: words for name, words in held.items() if words}


def go(school: Any, who: str = "numbers:canary77", **options: Any) -> Any:
    given = {"by": "A. Muster", "reason": "request of the person"} | options
    foldings = {"numbers": [Folding(fold_case=True)]}
    return erase(school.home, school.settings, Identity.parse(who), foldings=foldings, **given)


def test_the_canaries_are_there_before(school: Any) -> None:
    assert len(found(school.home)) >= 8


def test_no_file_of_the_home_holds_the_person_afterwards(school: Any) -> None:
    report = go(school)
    assert found(school.home) == {}
    assert not any("still name" in note for note in report.notes)
    assert report.n_records == 3
    load(school.home, school.settings)
    assert found(school.home) == {}


def test_old_and_new_hash_of_every_file_are_on_record(school: Any) -> None:
    report = go(school)
    (kept,) = erasures(school.home)
    assert kept == report
    changed = {file.path: file for file in kept.files}
    assert any(path.startswith("restricted/archive/") for path in changed)
    assert any(path.endswith("workplace_assessment.parquet") for path in changed)
    assert any(path.startswith("restricted/quarantine/") for path in changed)
    assert changed["inbox/forms/a.csv"].new_sha256 is None
    for file in kept.files:
        assert len(file.old_sha256) == 64
        assert file.new_sha256 != file.old_sha256
    assert decisions(school.home)[-1].action == "erase"


def test_records_of_others_stay_with_a_tombstone_for_the_assessor(school: Any) -> None:
    go(school)
    assert school.totals() == {"accepted": 3, "quarantined": 2}
    load(school.home, school.settings)
    with open_warehouse(school.home, school.settings) as con:
        rows = con.execute(
            "select form.record_id, form.narrative_strengths, assessor.namespace_id "
            "from raw.workplace_assessment as form left join raw.identity as assessor "
            "on form.assessor_pseudonym = assessor.pseudonym and assessor.role = 'assessor' "
            "order by 1"
        ).fetchall()
    assert rows == [
        ("F2", "Like [erased],\nonly better", "numbers"),
        ("F5", "an accepted one that she assessed", "erased"),
    ]


def test_the_archive_is_read_again_without_the_person_and_rows_keep_their_numbers(
    school: Any,
) -> None:
    go(school)
    before = {(r.source_row, r.problems[0]["code"]) for r in show(school.home)}
    spec = (school.site / "sources" / "forms.yaml").read_text()
    school.spec("forms", spec.replace("title: Forms", "title: Mended forms"))
    assert len(school.take_in()) == 1
    assert found(school.home) == {}
    assert school.totals() == {"accepted": 3, "quarantined": 2}
    assert {(r.source_row, r.problems[0]["code"]) for r in show(school.home)} == before


def test_an_archive_of_forms_is_kept_without_the_person(clinic: Any, roster_spec: str) -> None:
    folded = "person_ids: {fold_case: true}\n"
    forms = (clinic.site / "sources" / "forms.yaml").read_text() + folded
    zipped = forms.replace('"*.csv"', '"*.zip"').replace("name: delimited", "name: zip")
    clinic.spec("roster", roster_spec + folded)
    clinic.spec("forms", zipped)
    clinic.drop("roster", "r.csv", ROSTER)
    clinic.drop("forms", "a.zip", "")
    path = clinic.home.inbox / "forms" / "a.zip"
    stamp = path.stat().st_mtime
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ward 1/a.csv", FORMS)
        archive.writestr("ward 2/b.csv", FORMS.splitlines()[0] + "\nF9;s2;EPA1;4;t1;05.03.2026;\n")
    os.utime(path, (stamp, stamp))
    clinic.take_in()
    load(clinic.home, clinic.settings)
    report = go(clinic)
    assert found(clinic.home) == {}
    assert not any("frozen" in note or "removed" in note for note in report.notes)
    before = {(r.source_row, r.problems[0]["code"]) for r in show(clinic.home)}
    clinic.spec("forms", zipped.replace("title: Forms", "title: Mended forms"))
    assert len(clinic.take_in()) == 1
    assert found(clinic.home) == {}
    assert clinic.totals() == {"accepted": 4, "quarantined": 2}
    assert {(r.source_row, r.problems[0]["code"]) for r in show(clinic.home)} == before


def test_a_namesake_keeps_the_name(school: Any) -> None:
    school.drop("roster", "more.csv", "Student;Given;Family\ns5;Ada;Qwvfamily\n")
    school.take_in()
    go(school)
    assert set(found(school.home, ("canary77", "canary78", "zyxwanda"))) == set()
    archived = [path.read_bytes() for path in school.home.archive.rglob("*") if path.is_file()]
    assert any(b"s5;Ada;Qwvfamily" in content for content in archived)


def test_a_legal_hold_refuses_erasure_with_its_reason(school: Any) -> None:
    home = ["--home", str(school.home.root)]
    given = ["--by", "B. Beispiel", "--reason", "appeal 12/2027"]
    assert run(school, "hold", "numbers:canary78", *given, *home).exit_code == 0
    before = found(school.home)
    with pytest.raises(ErasureError, match=r"legal hold .* B\. Beispiel: appeal 12/2027"):
        go(school)
    assert found(school.home) == before
    assert list(erasures(school.home)) == []
    assert run(school, "release", "numbers:CANARY77", *given, *home).exit_code == 0
    go(school)
    assert found(school.home) == {}


def test_nothing_is_erased_while_deliveries_wait_to_be_read(school: Any) -> None:
    from pipelines.intake import receive

    school.drop("forms", "b.csv", FORMS.replace("F1", "F9"))
    receive.receive(school.home, school.settings, settle=0)
    with pytest.raises(ErasureError, match="wait to be read"):
        go(school)


def test_the_person_is_not_taken_in_again(school: Any) -> None:
    go(school)
    school.drop("forms", "a.csv", FORMS)
    assert school.take_in() == []
    refused = [entry for entry in ledger(school.home) if entry.status == "refused"]
    assert "erased" in str(refused[0].reason)
    (school.home.inbox / "forms" / "a.csv").unlink()
    assert found(school.home) == {}

    other = FORMS.replace("F1;", "F11;").replace("Like Zyxwanda Qwvfamily", "Like nobody")
    school.drop("forms", "c.csv", other)
    (taken,) = school.take_in()
    assert taken.reasons["erased_person"] == 2
    assert all(
        "canary" not in json.dumps(r.model_dump(mode="json")).lower() or r.source_row == 4
        for r in show(school.home, delivery_id=taken.delivery_id)
    )
    go(school)
    assert found(school.home) == {}


def test_a_replay_that_names_the_person_is_rewritten_too(school: Any, tmp_path: Path) -> None:
    target = tmp_path / "refused.csv"
    chosen = [r for r in show(school.home) if r.is_refused]
    sheet.write(chosen, target)
    text = target.read_text(encoding="utf-8-sig")
    rows = [
        sheet.Row(row.where, row.cells | {"correction: level": "3"}) for row in sheet.read(target)
    ]
    assert "canary78" in text
    declared = catalogue.load(school.settings)
    replay(school.home, school.settings, rows, by="A. Muster", catalogue=declared)
    school.take_in()
    assert school.totals() == {"accepted": 8, "superseded": 3}
    target.unlink()
    go(school)
    assert found(school.home) == {}
    assert school.totals() == {"accepted": 5, "superseded": 2}
    spec = (school.site / "sources" / "forms.yaml").read_text()
    school.spec("forms", spec.replace("title: Forms", "title: Mended forms"))
    school.take_in()
    assert school.totals() == {"accepted": 5, "superseded": 2}
    assert found(school.home) == {}


def test_decisions_about_the_person_lose_their_ids(school: Any) -> None:
    home = ["--home", str(school.home.root)]
    given = ["--by", "B. Beispiel", "--reason", "the family Qwvfamily said so"]
    merged = run(school, "merge", "numbers:canary77", "numbers:s9", *given, *home)
    assert merged.exit_code == 0, merged.output
    go(school)
    assert found(school.home) == {}
    assert decisions(school.home)[0].reason == "the family [erased] said so"


def test_the_command_says_what_it_would_do_and_does_it_when_told(school: Any) -> None:
    asked = ["numbers:canary77", "--by", "A. Muster", "--reason", "request 7"]
    home = ["--home", str(school.home.root)]
    result = run(school, "erase", *asked, *home)
    assert result.exit_code == 1
    assert "canary77" not in result.output
    assert found(school.home)
    result = run(school, "erase", *asked, "--yes", "--json", *home)
    assert result.exit_code == 1, result.output
    assert json.loads(result.stdout)["n_records"] == 3
    assert found(school.home) == {}


def run(school: Any, *arguments: str) -> Result:
    runner = CliRunner(env={"TESSERA_SITE": str(school.site)})
    return runner.invoke(app, ["identity", *arguments])


def key_of(school: Any, role: str) -> str:
    registry = open_registry(school.home, school.settings)
    (key,) = (
        person.person_key
        for person in registry.persons(Identity.parse("numbers:canary77"))
        if person.role == role
    )
    return key


def frozen_with(school: Any) -> tuple[str, Frozen]:
    """Freeze a pack in which the person has a page; return their key."""
    key = key_of(school, "learner")
    publish_edition(school.home, 3, keys=[key])
    return key, freeze.freeze(school.home, school.settings, "M-2026-11", "Zyxwanda Qwvfamily")


def command(school: Any, *arguments: str) -> Result:
    given = ["--home", str(school.home.root)]
    return CliRunner().invoke(app, [*arguments, *given], env={"TESSERA_SITE": str(school.site)})


@pytest.mark.slow
def test_a_frozen_pack_loses_the_files_of_the_person_and_keeps_the_bytes_of_all_others(
    school: Any, tmp_path: Path
) -> None:
    key, frozen = frozen_with(school)
    before = dict(freeze.members(freeze.reprint(school.home, frozen)))
    assert f"learners/{key}.html" in before
    erased = command(school, "identity", "erase", "numbers:canary77", "--by", "A. Muster",
                     "--reason", "request of the person", "--yes", "--json")  # fmt: skip
    assert erased.exit_code == 1, erased.output
    report = json.loads(erased.stdout)
    assert found(school.home, (*CANARIES, key.lower())) == {}
    assert any("frozen packs held the person" in note for note in report["notes"])
    out = tmp_path / "reprint"
    reprinted = command(school, "pack", "reprint", "--meeting", "M-2026-11", "--out", str(out))
    assert reprinted.exit_code == 1
    assert f"by erasure record {report['erasure_id']}: request of the person" in " ".join(
        reprinted.output.split()
    )
    left = {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    assert f"learners/{FULL}.html" in left
    assert all(before[name] == data for name, data in left.items())
    assert not any(key in name for name in left)
    assert "index.html" not in left
    verified = command(school, "pack", "verify", "--meeting", "M-2026-11")
    assert verified.exit_code == 0, verified.output


@pytest.mark.slow
def test_an_addendum_loses_the_person_too_and_says_so(school: Any) -> None:
    key, frozen = frozen_with(school)
    publish_edition(school.home, 3, seed=8, keys=[key])
    added = addendum.add(school.home, frozen, "the registrar")
    assert key in added.learners
    report = go(school)
    assert found(school.home, (*CANARIES, key.lower())) == {}
    (now,) = addendum.addenda(school.home, frozen)
    assert key not in now.learners
    with pytest.raises(freeze.RemovedError, match=f"by erasure record {report.erasure_id}"):
        addendum.reprint(school.home, frozen, now)
    assert list(proof.problems_of_frozen(school.home, frozen)) == []


@pytest.mark.slow
def test_what_is_left_of_a_frozen_pack_stands_after_the_next_erasure(school: Any) -> None:
    _, frozen = frozen_with(school)
    first = go(school)
    with pytest.raises(freeze.RemovedError, match=first.erasure_id) as once:
        freeze.reprint(school.home, frozen)
    removal = freeze.removal_of(school.home, frozen)
    assert removal is not None
    assert once.value.remaining is not None
    assert hashlib.sha256(once.value.remaining).hexdigest() == removal.remaining_sha256
    go(school, "numbers:s2")
    assert freeze.removal_of(school.home, frozen) == removal


@pytest.mark.slow
def test_who_released_a_pack_is_taken_out_of_the_answer_and_the_answer_stays(school: Any) -> None:
    _, frozen = frozen_with(school)
    key = key_of(school, "assessor")
    answer = release.Answer(
        chosen="Approve", account="z.account", answered_at=datetime(2026, 11, 28, 9, tzinfo=UTC)
    )
    told = release.Release(
        freeze_id=frozen.freeze_id, meeting_id=frozen.meeting_id, edition_id=frozen.edition_id,
        archive_sha256=frozen.archive_sha256, is_released=True,
        because="approved by 'z.account', chair on 2026-11-28", answer=answer, person_key=key,
        member_role="chair", recorded_at=answer.answered_at,
    )  # fmt: skip
    path = freeze.place_of(school.home, frozen) / "release-0001.json"
    path.write_text(told.model_dump_json(), encoding="utf-8")
    go(school)
    (now,) = release.releases(school.home, frozen)
    assert now.is_released
    assert found(school.home, (*CANARIES, key.lower(), "z.account")) == {}


def test_views_that_may_name_the_person_are_removed(school: Any) -> None:
    page = school.home.views / "mentor" / "e1" / "A-1" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("<h1>Zyxwanda Qwvfamily</h1>")
    go(school)
    assert not school.home.views.exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "gb18030"])
@pytest.mark.parametrize("before", [0, 13, 14, 15, 16, 17, 31, 200])
def test_a_name_is_found_wherever_a_block_of_the_file_cuts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, before: int
) -> None:
    monkeypatch.setattr(erase_rows, "BLOCK_BYTES", 16)
    target = SimpleNamespace(words={"Mary Canary", "x7"})
    file = tmp_path / "file"
    file.write_bytes(("." * before + "MARY canary" + "." * 40).encode(encoding))
    assert erase_module._bytes_hold(file, target)
    file.write_bytes(("." * before + "Mary Cannery" + "." * 40).encode(encoding))
    assert not erase_module._bytes_hold(file, target)
    assert not erase_module._bytes_hold(tmp_path / "gone", target)
