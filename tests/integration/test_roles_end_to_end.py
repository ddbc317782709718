"""What each role sees of one made school, from its files to every export, and what it cannot get.

Respondents of multisource feedback are protected in each export: each of them wrote a word of their
own, and somebody tries to subtract. Then a learner disputes a data point, on the same home.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import polars as pl
import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.committee import binder, pack, views, words
from pipelines.committee.edition import Source, find
from pipelines.committee.people import everybody
from pipelines.committee.queries import open_edition, read
from pipelines.home import Home
from pipelines.run import Run, Wanted
from pipelines.settings import Settings
from pipelines.synth.cohort import make
from pipelines.synth.request import Request

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FEWEST = 5
LONG_AGO = 1_790_000_000
DISPUTED = "I was not on that ward on this day."
ANSWERED = "The form was meant for somebody else; its source was asked to withdraw it."


def tessera(home: Home, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*arguments, "--home", str(home.root)])
    return done.exit_code, done.output


def go(home: Home, settings: Settings) -> None:
    """Take in what lies in the inbox, as if it had lain there long, and publish."""
    for path in home.inbox.rglob("*"):
        if path.is_file():
            os.utime(path, (LONG_AGO, LONG_AGO))
    Run(home, settings, Wanted(pack=False)).go()


def pages_of(home: Home, settings: Settings, key: str) -> dict[str, str]:
    """Build what the committee and the learner see, and return the pages of the learner."""
    committee = pack.build(home, settings)
    own = views.build(home, settings, "learner", only=key).folder / key
    return {
        "committee": (committee / f"learners/{key}.html").read_text(encoding="utf-8"),
        "committee's evidence": (committee / f"evidence/{key}.html").read_text(encoding="utf-8"),
        "learner": (own / f"learners/{key}.html").read_text(encoding="utf-8"),
        "form": (own / "my-words.csv").read_text(encoding="utf-8-sig"),
    }


def disputed_with(form: str, words: str) -> tuple[str, str]:
    """Return the form with words about the first data point, and which point that is."""
    rows = list(csv.DictReader(form.splitlines()))
    chosen = next(row for row in rows if row["Kind"] == "dispute")
    chosen["Your words"] = words
    out = [",".join(rows[0])]
    out += [",".join('"' + cell.replace('"', '""') + '"' for cell in row.values()) for row in rows]
    return "\r\n".join(out) + "\r\n", chosen["Record"]


def essentials(page: str) -> str:
    return page[: page.index('class="overleaf"')]


@dataclass(frozen=True)
class School:
    """A home with an edition and everything that was made from it for people."""

    home: Home
    settings: Settings
    exports: Path
    """A folder for each export."""
    temporary: Path
    """Where temporary files were made meanwhile."""

    @property
    def source(self) -> Source:
        return find(self.home, None)

    def text_of(self, export: str) -> str:
        """Return all that an export says, whatever the form of its files."""
        found = []
        for path in sorted(p for p in (self.exports / export).rglob("*") if p.is_file()):
            if path.suffix == ".xlsx":
                found += [_cells(path)]
            elif path.suffix == ".parquet":
                found += [pl.read_parquet(path).write_ndjson()]
            else:
                found += [path.read_text(encoding="utf-8")]
        return "\n".join(found)


EXPORTS = ("committee", "workbook", "tables", "learner", "mentor", "programme", "binder", "person")


def _cells(path: Path) -> str:
    book = openpyxl.load_workbook(path, read_only=True)
    return "\n".join(
        str(cell)
        for sheet in book
        for row in sheet.iter_rows(values_only=True)
        for cell in row
        if cell is not None
    )


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    """A school in which every respondent of multisource feedback wrote a word of their own."""
    folder = tmp_path_factory.mktemp("roles")
    home = Home.open(folder / "home")
    (folder / "site" / "sources").mkdir(parents=True)
    spec = (ROOT / "pipelines/sources/specs/example_msf.yaml").read_text(encoding="utf-8")
    commented = "      assessor_role: Group\n      narrative_other: Comment\n"
    spec = spec.replace("      assessor_role: Group\n", commented).replace("drop: [Comment]\n", "")
    (folder / "site" / "sources" / "example_msf.yaml").write_text(spec, encoding="utf-8")
    make(Request(learners=12, years=1, seed=5, mess="none"), home.inbox, folder / "truth")
    _let_everybody_write(home.inbox / "example_msf" / "msf_to_20261120.csv")
    (folder / "temporary").mkdir()
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TESSERA_SITE", str(folder / "site"))
        patched.setenv("TMPDIR", str(folder / "temporary"))
        patched.setattr(tempfile, "tempdir", None)
        settings = Settings(home=home.root, workers=1)
        go(home, settings)
        exports = _export(home, settings, folder / "exports")
        yield School(home, settings, exports, folder / "temporary")


def _let_everybody_write(path: Path) -> None:
    """Write a word of its own into the comment of every response."""
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    for row in rows:
        row["Comment"] = f"canary{row['Response']}word"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    manifest = path.with_name(path.name + ".manifest.json")
    told = json.loads(manifest.read_text(encoding="utf-8"))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest.write_text(json.dumps(told | {"sha256": digest}), encoding="utf-8")


def _export(home: Home, settings: Settings, to: Path) -> Path:
    """Make every export, each in a folder of its own."""
    committee = pack.build(home, settings)
    shutil.copytree(
        committee, to / "committee", ignore=shutil.ignore_patterns("*.xlsx", "*.parquet")
    )
    (to / "workbook").mkdir()
    shutil.copy(committee / "workbook.xlsx", to / "workbook")
    shutil.copytree(committee / "data" / "tables", to / "tables")
    for role in ("learner", "mentor", "programme"):
        shutil.copytree(views.build(home, settings, role).folder, to / role)
    binder.bind(home, find(home, None).edition.as_of.year, to / "binder.zip")
    with zipfile.ZipFile(to / "binder.zip") as archive:
        archive.extractall(to / "binder")
    (to / "person").mkdir()
    people = everybody(home, settings)
    for row in read(find(home, None), sections=("learners",)).learners:
        identity = f"example_person:{people[row['learner_key']].ids['example_person']}"
        asked = ("identity", "export", identity, "--out", str(to / "held.zip"))
        assert tessera(home, *asked)[0] == 0
        with zipfile.ZipFile(to / "held.zip") as archive:
            archive.extractall(to / "person" / row["learner_key"])
        (to / "held.zip").unlink()
    return to


def words_of_respondents(school: School) -> tuple[set[str], set[str]]:
    """Return what respondents wrote: what is published in full batches, and what is not."""
    with duckdb.connect(str(school.home.warehouse), read_only=True) as connection:
        written = connection.execute(
            "select distinct narrative_other from raw.workplace_assessment "
            "where instrument_id = 'msf' and assessor_role <> 'self'"
        ).fetchall()
    with open_edition(school.source) as connection:
        out = connection.execute("select narrative_other from portfolio_msf_comment").fetchall()
    published = {str(row[0]) for row in out}
    return published, {str(row[0]) for row in written} - published


def people_of(home: Home) -> set[str]:
    """Return every name, e-mail address and id by which a source knows a learner or an assessor."""
    told = ("Given name", "Family name", "E-mail", "Student ID", "Staff ID")
    found = {
        row[column].casefold()
        for source in ("example_roster", "example_staff")
        for path in (home.inbox / source).glob("*.csv")
        for row in csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines())
        for column in told
        if row.get(column)
    }
    assert len(found) > 100
    return found


def named_in(files: Iterable[Path], people: set[str]) -> dict[str, set[str]]:
    """Return who is named in files, by the path of each file that names anybody."""
    named = {
        str(path): people & set(re.findall(r"[^\W_]+(?:@[\w.]+)?", _said_in(path).casefold()))
        for path in files
        if path.is_file() and not path.is_symlink()
    }
    assert named
    return {path: found for path, found in named.items() if found}


def _said_in(path: Path) -> str:
    """Return all that a file says, and what it is called."""
    if path.suffix == ".xlsx":
        return path.name + _cells(path)
    if path.suffix == ".parquet":
        return path.name + pl.read_parquet(path).write_ndjson()
    if path.suffix == ".duckdb":
        with duckdb.connect() as connection:
            connection.execute(f"attach '{path}' as file (read_only)")
            tables = connection.execute(
                "select schema_name, table_name from duckdb_tables() where database_name = 'file'"
            ).fetchall()
            return path.name + "".join(
                str(connection.execute(f'from file."{schema}"."{table}"').fetchall())
                for schema, table in tables
            )
    return path.name + path.read_bytes().decode("utf-8", "replace")


@pytest.mark.parametrize("export", ["committee", "workbook", "tables", "programme", "binder"])
def test_an_export_without_names_holds_no_name_address_or_id_of_a_person(
    school: School, export: str
) -> None:
    assert named_in((school.exports / export).rglob("*"), people_of(school.home)) == {}


def test_what_is_written_outside_the_restricted_folder_names_nobody(school: School) -> None:
    home = school.home
    files = [p for p in home.root.rglob("*") if not {home.inbox, home.restricted} & {*p.parents}]
    folders = {path.relative_to(home.root).parts[0] for path in files}
    assert {"calibrations", "editions", "log", "packs", "runs", "warehouse"} <= folders
    assert named_in(files, people_of(home)) == {}


def test_nothing_is_left_in_the_folder_of_temporary_files(school: School) -> None:
    assert list(school.temporary.rglob("*")) == []


@pytest.mark.parametrize("export", EXPORTS)
def test_what_one_respondent_wrote_is_in_no_export(school: School, export: str) -> None:
    published, kept = words_of_respondents(school)
    assert kept
    text = school.text_of(export)
    assert text
    assert not {word for word in kept if word in text}
    if export in ("workbook", "programme", "binder", "person"):
        assert not {word for word in published if word in text}


@pytest.mark.parametrize("export", EXPORTS)
def test_no_file_of_an_export_puts_a_level_or_a_respondent_beside_a_single_answer(
    school: School, export: str
) -> None:
    """Each record of every file that names an answer says nothing of what it was or whose."""
    with open_edition(school.source) as connection:
        ids = connection.execute(
            "select distinct evidence_id, record_id, record_key from fct_evidence where is_withheld"
        ).fetchall()
    single = {str(name) for row in ids for name in row}
    telling = ("level", "raw_label", "assessor_role", "assessor_key", "narrative_other", "score")
    for path in sorted((school.exports / export).rglob("*")):
        for record in _records(path):
            named = {str(v) for v in record.values() if isinstance(v, str)} & single
            if named:
                told = {name: record.get(name) for name in telling if record.get(name) is not None}
                assert told == {}, (path.name, named)


def _records(path: Path) -> Iterator[dict[str, Any]]:
    """Yield what a file holds as records, whatever its form; pages are read through their twins."""
    if path.suffix == ".parquet":
        yield from pl.read_parquet(path).iter_rows(named=True)
    elif path.suffix == ".jsonl":
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)
    elif path.suffix == ".json":
        yield from _dicts(json.loads(path.read_text(encoding="utf-8")))
    elif path.suffix == ".xlsx":
        for sheet in openpyxl.load_workbook(path, read_only=True):
            head, *rows = sheet.iter_rows(values_only=True)
            for row in rows:
                named = zip(head, row, strict=False)
                yield {str(name).casefold().replace(" ", "_"): value for name, value in named}


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _dicts(inner)


def groups_in(school: School, export: str) -> list[tuple[str, dict[str, Any]]]:
    """Return every group of respondents that an export tells of, with whose feedback it is."""
    return [
        (record.get("learner_key") or path.stem, record)
        for path in sorted((school.exports / export).rglob("*"))
        for record in _records(path)
        if {"respondent_group", "is_withheld"} <= record.keys() and "schema" not in path.name
    ]


@pytest.mark.parametrize("export", ["committee", "tables", "learner", "mentor"])
def test_a_group_that_is_withheld_follows_from_no_total(school: School, export: str) -> None:
    items: dict[tuple[Any, ...], dict[str, dict[str, Any]]] = {}
    for whose, g in groups_in(school, export):
        item = (whose, g["instrument_id"], g["competency_id"], g.get("scale_id"))
        items.setdefault(item, {})[g["respondent_group"]] = g
    assert items
    for groups in items.values():
        parts = [g for name, g in groups.items() if name not in ("others", "self")]
        withheld = [g for g in parts if g["is_withheld"]]
        assert {g["n_respondents"] for g in withheld} <= {None}
        assert {g["level_counts"] for g in withheld} <= {None}
        shown = [g["n_respondents"] for g in parts if not g["is_withheld"]]
        assert all(n % FEWEST == 0 for n in shown)
        if "others" in groups:
            assert (groups["others"]["n_respondents"] or 0) == sum(shown)


@pytest.mark.parametrize("export", ["programme", "binder"])
def test_no_count_of_too_few_learners_shows_or_is_left_by_subtraction(
    school: School, export: str
) -> None:
    pages = find(school.home, None).edition.programme_page
    n_tables = 0
    for path in sorted((school.exports / export / "tables").glob("*.csv")):
        whole, parts = pages[path.stem].counts_of_learners, pages[path.stem].parts_of_learners
        for row in csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()):
            told = {name: row.get(words.plain(name), "") for name in (*whole, *parts)}
            shown = {name: int(text) for name, text in told.items() if text.isdigit()}
            n_tables += bool(shown)
            rest_on = [row.get(words.plain(n), "") for n in pages[path.stem].counts_of_assessors]
            assert not {*rest_on} & {"1", "2", "3", "4"}
            left = [shown[whole[0]] - shown[part] for part in parts if shown.get(part)]
            held = [shown[part] for part in parts if shown.get(part)]
            left += [abs(one - other) for one, other in combinations(held, 2)]
            assert all(n == 0 or n >= FEWEST for n in [*shown.values(), *left]), (path.name, row)
            assert not {"Learner key", "Assessor key"} & row.keys()
    assert n_tables


def test_a_dispute_goes_from_the_learners_form_to_an_answer_that_both_sides_read(
    school: School,
) -> None:
    home, settings = school.home, school.settings
    staff = next(
        row["Staff ID"]
        for path in (home.inbox / "example_staff").glob("*.csv")
        for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    )
    key = next(
        str(row["learner_key"])
        for row in read(find(home, None), sections=("learners", "evidence")).learners
        if row["meeting_id"]
    )
    before = pages_of(home, settings, key)
    assert DISPUTED not in before["committee"]
    assert tessera(home, "dispute", "list")[0] == 0

    returned, evidence_id = disputed_with(before["form"], DISPUTED)
    (home.inbox / "learner_words").mkdir(exist_ok=True)
    (home.inbox / "learner_words" / "my-words.csv").write_text(returned, encoding="utf-8")
    go(home, settings)
    raised = pages_of(home, settings, key)
    for reader in ("committee", "learner"):
        assert DISPUTED in essentials(raised[reader]), reader
        assert "not answered yet" in raised[reader], reader
        assert "owner assessment unit" in raised[reader], reader
    marked = raised["committee's evidence"]
    assert f'#{evidence_id}">{evidence_id}</a> <strong>disputed</strong>' in marked
    code, listed = tessera(home, "dispute", "list", "--json")
    assert code == 1
    told: dict[str, Any] = json.loads(listed)
    assert (told["about_evidence_id"], told["dispute_status"]) == (evidence_id, "raised")

    asked = ("dispute", "answer", told["record_id"], "--by", staff, "--text", ANSWERED)
    code, said = tessera(home, *asked)
    assert code == 0, said
    go(home, settings)
    answered = pages_of(home, settings, key)
    for reader in ("committee", "learner"):
        assert ANSWERED in essentials(answered[reader]), reader
        assert "<strong>answered</strong>" in answered[reader], reader
        assert "not answered yet" not in answered[reader], reader
    assert tessera(home, "dispute", "list")[0] == 0
