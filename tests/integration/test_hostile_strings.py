"""The list of naughty strings on every road: in by each reader, out by each kind of output."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.committee.render import _environment
from pipelines.home import Home
from pipelines.intake import sheet
from pipelines.intake.feeds import load_feeds
from pipelines.intake.quarantine import RefusedRecord, show
from pipelines.intake.read import read
from pipelines.intake.receive import receive
from pipelines.intake.records import active_records, interpretation_folder
from pipelines.intake.segment import commit
from pipelines.intake.staging import Staging
from pipelines.intake.validate import validate
from pipelines.settings import Settings
from pipelines.warehouse.load import load
from tests.real.real_data import data_folder
from tests.sources.workbooks import workbook

LIST = data_folder() / "nasty" / "blns" / "blns.json"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not LIST.exists(), reason=f"no shared test data in {data_folder()}"),
]
Rows = list[tuple[str, str]]


def as_csv(rows: Rows) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows([("n", "text"), *rows])
    return buffer.getvalue().encode()


def as_parquet(rows: Rows) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"n": [n for n, _ in rows], "text": [t for _, t in rows]}), buffer)
    return buffer.getvalue()


WRITERS: dict[str, Callable[[Rows], bytes]] = {
    "delimited": as_csv,
    "jsonl": lambda rows: "\n".join(json.dumps({"n": n, "text": t}) for n, t in rows).encode(),
    "json": lambda rows: json.dumps([{"n": n, "text": t} for n, t in rows], indent=1).encode(),
    "parquet": as_parquet,
    "xlsx": lambda rows: workbook({"A": [("n", "text"), *rows]}),
}


def spec(reader: str) -> str:
    options = ", encoding: utf-8" if reader == "delimited" else ""
    return f"""
source: from_{reader}
title: Texts by way of {reader}
owner: assessment_unit
files: ["*.{reader}"]
reader: {{name: {reader}{options}}}
time_zone: UTC
values: {{programme_id: MED, learner_id: s1, instrument_id: dops, competency_id: EPA1}}
records:
  - kind: workplace_assessment
    record_id: "{{n}}"
    fields:
      narrative_other: {{column: text, missing: []}}
      observed_at: {{value: "2026-03-01T09:00:00Z"}}
"""


@pytest.fixture(scope="module")
def strings() -> list[str]:
    """Return the strings; a text of nothing but spaces means that nothing was given."""
    listed: list[str] = json.loads(LIST.read_text(encoding="utf-8"))
    assert len(listed) == 515
    return [text for text in listed if text.strip()]


@pytest.fixture(scope="module")
def home(strings: list[str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Settings]:
    """Return a home that took the strings in by every reader."""
    root = tmp_path_factory.mktemp("hostile")
    (root / "site" / "sources").mkdir(parents=True)
    home = Home.open(root / "home")
    settings = Settings(home=home.root, site=root / "site", workers=1)
    rows = [(str(n), text) for n, text in enumerate(strings)]
    for reader, write in WRITERS.items():
        path = root / "site" / "sources" / f"{reader}.yaml"
        path.write_text(spec(reader), encoding="utf-8")
        deliver(home, reader, write(rows))
    take_in(home, settings)
    return home, settings


def deliver(home: Home, reader: str, data: bytes) -> None:
    inbox = home.inbox / f"from_{reader}"
    inbox.mkdir()
    (inbox / f"texts.{reader}").write_bytes(data)


def take_in(home: Home, settings: Settings) -> None:
    """Bring everything from the inbox into the log."""
    feeds = load_feeds(settings)
    for delivery_id in receive(home, settings, feeds=feeds, settle=0).pending:
        assert read(home, settings, delivery_id).readable
        validate(home, settings, delivery_id, feeds=feeds)
        source = delivery_id.rpartition("-")[0]
        staging = Staging.of(home, delivery_id, feeds[source].interpretation_id)
        staging.check.write_text('{"verdict": "pass"}', encoding="utf-8")
        commit(home, settings, delivery_id, feeds=feeds)


def in_segments(home: Home) -> dict[str, dict[int, str]]:
    found: dict[str, dict[int, str]] = {}
    for record in active_records(home):
        folder = interpretation_folder(home, record.delivery_id, record.interpretation_id)
        frame = pl.read_parquet(folder / "workplace_assessment*.parquet")
        texts = frame.select("record_id", "narrative_other").rows()
        found[record.source_id] = {int(number): text for number, text in texts}
    return found


def test_every_string_is_in_the_segments_byte_for_byte_whatever_reader_took_it(
    home: tuple[Home, Settings], strings: list[str]
) -> None:
    found = in_segments(home[0])
    assert set(found) == {f"from_{reader}" for reader in WRITERS}
    held = {item.source: 0 for item in show(home[0])}
    for source, texts in found.items():
        assert {n: texts[n] for n in texts} == {n: strings[n] for n in texts}
        assert len(texts) == len(strings) or source in held


def test_every_string_is_the_same_in_duckdb_and_in_json_made_there(
    home: tuple[Home, Settings], strings: list[str]
) -> None:
    opened, settings = home
    load(opened, settings)
    expected = sorted(text for texts in in_segments(opened).values() for text in texts.values())
    with duckdb.connect(str(opened.root / "warehouse" / "build.duckdb")) as connection:
        rows = connection.execute(
            "select narrative_other, to_json(narrative_other) from raw.workplace_assessment"
        ).fetchall()
    assert sorted(text for text, _ in rows) == expected
    assert [json.loads(made) for _, made in rows] == [text for text, _ in rows]


class Texts(HTMLParser):
    """Hears what a browser would show, and every tag."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.shown: list[str] = []
        self.titles: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.titles = [value for name, value in attrs if name == "title"]

    def handle_data(self, data: str) -> None:
        self.shown.append(data)


def test_a_page_shows_every_string_and_runs_none(strings: list[str]) -> None:
    template = _environment().from_string('<p title="{{ text }}">{{ text }}</p>')
    for text in strings:
        page = Texts()
        page.feed(template.render(text=text))
        page.close()
        assert page.tags == ["p"]
        assert "".join(page.shown) == text
        assert page.titles == [text]


@pytest.fixture(scope="module")
def refused(strings: list[str], tmp_path_factory: pytest.TempPathFactory) -> list[RefusedRecord]:
    """Return one refused record for every string."""
    root = tmp_path_factory.mktemp("refused")
    (root / "site" / "sources").mkdir(parents=True)
    text = spec("delimited").replace("2026-03-01T09:00:00Z", "never")
    (root / "site" / "sources" / "delimited.yaml").write_text(text, encoding="utf-8")
    home = Home.open(root / "home")
    settings = Settings(home=home.root, site=root / "site", workers=1)
    rows = [(str(n), text) for n, text in enumerate(strings)]
    deliver(home, "delimited", as_csv(rows))
    take_in(home, settings)
    return list(show(home))


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_sheet_of_quarantine_is_inert_and_gives_every_string_back(
    suffix: str, refused: list[RefusedRecord], strings: list[str], tmp_path: Path
) -> None:
    target = tmp_path / f"sheet{suffix}"
    assert sheet.write(refused, target) == len(strings)
    found = [row.cells[f"{sheet.DELIVERED}text"] for row in sheet.read(target)]
    assert found == strings
    if suffix == ".csv":
        with target.open(encoding="utf-8-sig", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
    else:
        with zipfile.ZipFile(target) as book:
            sheets = [name for name in book.namelist() if "worksheets/" in name]
            assert not any(b"<f>" in book.read(name) for name in sheets)
