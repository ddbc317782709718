"""The reader of xAPI statements, and the shipped source that takes the profile."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.contracts.problems import describe
from pipelines.settings import Settings
from pipelines.sources import catalogue
from pipelines.sources.catalogue import load
from pipelines.sources.checks import wanted
from pipelines.sources.readers import Unreadable, Wanted
from pipelines.sources.readers.xapi import XapiOptions, XapiStatements
from pipelines.sources.xapi import check, report
from tests.sources.xapi.statements import FULL, SHORT, changed

ROOT = Path(__file__).parents[2]
COLUMNS = ("record", "actor.person", "result.score.raw", "context.extensions[ex:epa]")
OPTIONS = XapiOptions(prefixes={"ex": "https://example.org/ext/"})
OTHER = FULL | {"id": "0b6a5f0e-6f5a-4d0e-8a3a-1f1f6f2d9a77"}
BAD = FULL | {"id": "7"}


def read(
    path: Path, data: bytes | str, columns: tuple[str, ...] = COLUMNS, options: Any = OPTIONS
) -> tuple[pl.DataFrame, dict[int, tuple[str, str]], Any]:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    reading = XapiStatements.open(path, options, Wanted(frozenset(columns)))
    chunks = list(reading.chunks)
    problems = pl.concat([chunk.problems for chunk in chunks])
    originals = pl.concat([chunk.originals for chunk in chunks])
    assert originals["source_row"].to_list() == list(range(1, originals.height + 1))
    rows = pl.concat([chunk.rows for chunk in chunks])
    return rows, {row: (code, said) for row, code, said in problems.rows()}, reading


def lines(*statements: Any) -> str:
    return "\n".join(map(json.dumps, statements))


LAYOUTS = {
    "lines": lines(FULL, BAD, OTHER),
    "lines with a blank one": f"\n{lines(FULL, BAD)}\n\n{lines(OTHER)}\n",
    "an array": json.dumps([FULL, BAD, OTHER]),
    "an array over lines": json.dumps([FULL, BAD, OTHER], indent=2),
    "an array with a statement a line": f"[\n{lines(FULL)},\n{lines(BAD)},\n{lines(OTHER)}\n]",
    "an answer": json.dumps({"statements": [FULL, BAD, OTHER], "more": "/more/1"}),
    "an answer over lines": json.dumps({"more": "", "statements": [FULL, BAD, OTHER]}, indent=1),
    "batches": lines([FULL, BAD], OTHER),
    "answers": lines({"statements": [FULL], "more": "x"}, {"statements": [BAD, OTHER]}),
    "with a byte order mark": "\ufeff" + lines(FULL, BAD, OTHER),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_statements_are_the_rows_whatever_holds_them(tmp_path: Path, layout: str) -> None:
    rows, bad, _ = read(tmp_path / "file", LAYOUTS[layout])
    assert rows.select("source_row", *COLUMNS).rows() == [
        (1, FULL["id"], "learner@example.org", "5", "EPA-1"),
        (3, OTHER["id"], "learner@example.org", "5", "EPA-1"),
    ]
    assert set(bad) == {2}


def test_a_refused_statement_says_its_requirement(tmp_path: Path) -> None:
    _, bad, _ = read(tmp_path / "file", lines(FULL, BAD))
    code, said = bad[2]
    assert code == "xapi_bad_format"
    assert "XAPI-00027" in said


def test_a_line_that_is_no_json_is_refused_alone(tmp_path: Path) -> None:
    data = '{"id": \n' + lines(FULL) + '\n{"id": 1, "id": 1}\n' + lines(OTHER)
    rows, bad, _ = read(tmp_path / "file", data)
    assert rows["source_row"].to_list() == [2, 4]
    assert {row: code for row, (code, _) in bad.items()} == {1: "not_json", 3: "duplicate_key"}


@pytest.mark.parametrize("data", ["", " \n", "[]", "[", '{"more": ""'])
def test_a_file_without_statements_says_so(tmp_path: Path, data: str) -> None:
    with pytest.raises(Unreadable):
        read(tmp_path / "file", data)


def test_numbers_keep_their_spelling(tmp_path: Path) -> None:
    data = lines(FULL).replace('"raw": 5', '"raw": 5.500')
    rows, _, _ = read(tmp_path / "file", data)
    assert rows["result.score.raw"].to_list() == ["5.500"]


def test_values_become_text_as_json_has_them(tmp_path: Path) -> None:
    statement = changed(
        FULL,
        "result.extensions",
        {
            "https://example.org/ext/tools": [{"name": "ü", "n": 1.50}],
            "https://example.org/ext/yes": True,
        },
    )
    names = ("result.extensions[ex:tools]", "result.extensions[ex:yes]", "result.success")
    rows, _, _ = read(tmp_path / "file", lines(statement), names)
    assert rows.select(names).rows() == [('[{"name": "ü", "n": 1.5}]', "true", "true")]


def test_properties_and_keys_of_extensions_that_nothing_takes_are_known(tmp_path: Path) -> None:
    _, _, reading = read(tmp_path / "file", lines(FULL))
    assert {"stored", "authority", "result.extensions[ex:level]"} <= reading.seen


def test_the_version_is_that_of_statements_that_name_none(tmp_path: Path) -> None:
    statement = SHORT | {"timestamp": "2026-01-01t00:00:00z"}
    options = OPTIONS.model_copy(update={"version": "2.0"})
    assert read(tmp_path / "a", lines(statement))[1]
    assert not read(tmp_path / "b", lines(statement), options=options)[1]


def test_every_code_of_a_refusal_has_words() -> None:
    known = [f"xapi_{code}" for code in report._WORDS] + list(check.JSON_CODES)
    for code in known:
        assert describe(code, "").message != describe("invalid", "").message


@pytest.mark.parametrize(
    "column",
    ["result.extensions[https://example.org/x/ai-probability]", "result.ai_score", "ai_score"],
)
def test_a_detectors_score_is_refused_wherever_it_stands(column: str) -> None:
    catalogue = load(Settings(site=None))
    assert "detector" in str(catalogue.reason_to_refuse(catalogue.sources["xapi_wba"], column))


def profile() -> list[dict[str, str]]:
    path = ROOT / "pipelines/sources/xapi/profile.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


FOLDERS = {"verb": "verbs", "activity-type": "activity-types", "extension": "extensions"}
BASE = "https://w3id.org/tessera/xapi"


@pytest.mark.parametrize("term", profile(), ids=lambda term: term["name"])
def test_every_term_of_the_profile_is_documented_and_taken(term: dict[str, str]) -> None:
    iri = f"{BASE}/{FOLDERS[term['term']]}/{term['name']}"
    assert iri in (ROOT / "docs/xapi-profile.md").read_text(encoding="utf-8")
    spec = catalogue.load(Settings(site=None)).sources["xapi_wba"]
    if term["term"] == "extension":
        assert f"{term['place']}[tessera:{term['name']}]" in wanted(spec).columns
        kinds = [record for record in spec.records if term["kind"] in (record.kind, "both")]
        assert kinds
        assert all(term["field"] in {*record.fields, *spec.values} for record in kinds)


def test_examples_use_terms_of_the_profile_only() -> None:
    terms = {f"{BASE}/{FOLDERS[term['term']]}/{term['name']}" for term in profile()}
    files = sorted((ROOT / "docs/examples").glob("xapi_*.jsonl"))
    used = {
        part
        for path in files
        for part in path.read_text(encoding="utf-8").split('"')
        if part.startswith(BASE)
    }
    assert used
    assert used <= terms
