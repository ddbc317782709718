"""Only an audited build is published, whole, by one rename."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.committee.edition import find
from pipelines.committee.site import link_tables
from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.warehouse import publish as publish_module
from pipelines.warehouse import tables as tables_module
from pipelines.warehouse.build import audit_record, build_record
from pipelines.warehouse.connection import WarehouseError, open_warehouse
from pipelines.warehouse.dbt_project import ProgrammePage, target_folder
from pipelines.warehouse.editions import (
    Edition,
    EditionError,
    current_id,
    diff,
    differing_tables,
    editions,
    folder_of,
    lineage,
    read_edition,
    verify,
)
from pipelines.warehouse.publish import PublishError, publish
from pipelines.warehouse.tables import file_hash, parquet_of


def test_an_edition_holds_the_promised_marts_and_nothing_else(
    home: Home, settings: Settings, candidate: Any
) -> None:
    edition_id = candidate(home, settings)
    assert publish(home, settings) == edition_id
    folder = folder_of(home)
    edition = read_edition(folder)
    assert edition.counts == {"fct_evidence": 100, "portfolio_status": 1}
    assert edition.as_of == date(2026, 2, 21)
    assert edition.keys == {
        "fct_evidence": ("evidence_id",),
        "portfolio_status": ("learner_key", "status"),
    }
    assert sorted(path.name for path in (folder / "tables").iterdir()) == [
        "fct_evidence.parquet",
        "portfolio_status.parquet",
    ]
    assert verify(folder) == []
    with duckdb.connect(str(folder / "portfolio.duckdb"), read_only=True) as con:
        assert con.execute("select count(*) from fct_evidence").fetchall() == [(100,)]
        comments = con.execute(
            "select comment from duckdb_columns() where column_name = 'evidence_id'"
        ).fetchall()
        assert ("The key.",) in comments


def test_an_edition_says_which_marts_go_to_the_programme(
    home: Home, settings: Settings, candidate: Any, say_of_evidence: Any
) -> None:
    candidate(home, settings)
    page = {"counts_of_learners": ["evidence_id"], "part_of": [["evidence_id"]]}
    say_of_evidence(home, {"programme_page": page})
    publish(home, settings)
    assert read_edition(folder_of(home)).programme_page == {
        "fct_evidence": ProgrammePage.model_validate(page)
    }


@pytest.mark.parametrize(
    ("meta", "told"),
    [
        (
            {"programme_page": {"counts_of_learners": ["n_learner"]}},
            "names n_learner, which it has no column for",
        ),
        (
            {"programme_page": {"counts_of_learners": ["evidence_id"]}},
            "say in whole_of or part_of of which groups",
        ),
        (
            {"programme_page": {"part_of": [["stage"]]}},
            "names stage, which it has no column for",
        ),
        (
            {"programme_page": {"parts_of_learners": ["evidence_id"]}},
            "say in counts_of_learners what they are part of",
        ),
        (
            {"programme_page": {"counts": ["evidence_id"]}},
            "takes counts_of_learners, parts_of_learners and counts_of_assessors",
        ),
        (
            {"programme_page": True},
            "takes counts_of_learners, parts_of_learners and counts_of_assessors",
        ),
        ({"parts_by": "seen_on"}, "names 'seen_on': name a column of it whose data_type is date"),
        ({"parts_by": "evidence_id"}, "names 'evidence_id': name a column"),
    ],
)
def test_a_mart_that_says_it_wrongly_is_published_nowhere(
    home: Home,
    settings: Settings,
    candidate: Any,
    say_of_evidence: Any,
    meta: dict[str, Any],
    told: str,
) -> None:
    candidate(home, settings)
    say_of_evidence(home, meta)
    with pytest.raises(WarehouseError, match=f"models/fct_evidence.yml: .*{told}"):
        publish(home, settings)
    assert current_id(home) is None


def _shared(one: Path, other: Path) -> set[str]:
    """Return the months whose evidence two editions have in one file."""
    months = (one / "tables" / "fct_evidence").iterdir()
    return {
        path.stem
        for path in months
        if (again := other / "tables" / "fct_evidence" / path.name).exists()
        and again.samefile(path)
    }


def test_editions_share_the_months_whose_rows_are_equal(
    home: Home, settings: Settings, in_parts: Any
) -> None:
    first = in_parts(home, settings, 1)
    second = in_parts(
        home,
        settings,
        2,
        "update marts.fct_evidence set level = 2 where occurred_on = date '2026-01-05'",
    )
    assert first != second
    assert _shared(first, second) == {"2025-11", "2025-12", "2026-02"}
    assert verify(first) == verify(second) == []
    (table,) = diff(first, second).tables
    assert (table.table, table.added, table.removed, table.changed) == ("fct_evidence", 0, 0, 1)
    assert differing_tables(first, second, {"fct_evidence", "portfolio_status"}) == ["fct_evidence"]
    before, after = read_edition(first), read_edition(second)
    assert before.table_hashes["fct_evidence"] != after.table_hashes["fct_evidence"]
    assert before.table_hashes["portfolio_status"] == after.table_hashes["portfolio_status"]


def test_an_edition_stays_whole_when_the_one_goes_that_it_shares_parts_with(
    home: Home, settings: Settings, in_parts: Any
) -> None:
    first = in_parts(home, settings, 1)
    second = in_parts(home, settings, 2)
    shutil.rmtree(first)
    assert verify(second) == []


def test_a_damaged_part_is_told_of_and_written_again(
    home: Home, settings: Settings, in_parts: Any
) -> None:
    folder = in_parts(home, settings, 1)
    before = read_edition(folder)
    part = "tables/fct_evidence/2025-12.parquet"
    _damage(folder / part)
    (folder / "tables" / "fct_evidence" / "1999-01.parquet").write_bytes(b"not of this edition")
    assert verify(folder) == [
        f"{part}: the bytes are not those published",
        "tables/fct_evidence/1999-01.parquet: the edition does not name this file",
    ]
    publish(home, settings)
    assert verify(folder) == []
    assert _parquet_files(read_edition(folder)) == _parquet_files(before)


def test_equal_rows_are_equal_though_one_edition_is_older_than_parts(
    home: Home, settings: Settings, candidate: Any, in_parts: Any
) -> None:
    candidate(home, settings, 1)
    with open_warehouse(home, settings) as con:
        con.execute("update marts.fct_evidence set level = 1")
    publish(home, settings)
    old, new = folder_of(home), in_parts(home, settings, 2)
    assert parquet_of("fct_evidence") in read_edition(old).files
    assert parquet_of("fct_evidence") not in read_edition(new).files
    assert differing_tables(old, new, {"fct_evidence", "portfolio_status"}) == []


def test_the_parts_of_a_table_lie_in_a_pack_as_in_the_edition(
    home: Home, settings: Settings, in_parts: Any, tmp_path: Path
) -> None:
    folder = in_parts(home, settings, 1)
    source = find(home, None)
    files = link_tables(source, tmp_path)
    assert sorted(files) == sorted(f"data/{name}" for name in _parquet_files(source.edition))
    assert all(
        (tmp_path / f"data/{name}").samefile(folder / name)
        for name in source.edition.files
        if name != "portfolio.duckdb"
    )


def test_the_same_inputs_are_published_once(home: Home, settings: Settings, candidate: Any) -> None:
    candidate(home, settings)
    publish(home, settings)
    made_at = read_edition(folder_of(home)).created_at
    assert publish(home, settings) is None
    assert read_edition(folder_of(home)).created_at == made_at


def test_equal_tables_have_equal_hashes_and_parquet_bytes(
    home: Home, settings: Settings, candidate: Any
) -> None:
    candidate(home, settings, 1)
    publish(home, settings)
    first = read_edition(folder_of(home))
    candidate(home, settings, 2)
    with open_warehouse(home, settings) as con:
        con.execute(
            "create or replace table marts.fct_evidence as "
            "select * replace (level - 1 as level) from marts.fct_evidence order by hash(level)"
        )
    publish(home, settings)
    second = read_edition(folder_of(home))
    assert first.edition_id != second.edition_id
    assert first.table_hashes == second.table_hashes
    assert _parquet_files(first) == _parquet_files(second)


def test_big_marts_are_written_beside_each_other_with_the_same_rows(
    home: Home, settings: Settings, candidate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate(home, settings)
    publish(home, settings)
    in_turn = read_edition(folder_of(home))
    shutil.rmtree(folder_of(home))
    monkeypatch.setattr(publish_module, "BIG", 1)
    publish(home, settings)
    beside = read_edition(folder_of(home))
    assert verify(folder_of(home)) == []
    assert beside.table_hashes == in_turn.table_hashes
    assert _parquet_files(beside) == _parquet_files(in_turn)


def _parquet_files(edition: Edition) -> dict[str, str]:
    return {name: digest for name, digest in edition.files.items() if name.endswith(".parquet")}


def test_rows_of_an_edition_s_parquet_lie_by_learner_those_of_nobody_last(
    home: Home, settings: Settings, candidate: Any
) -> None:
    candidate(home, settings)
    with open_warehouse(home, settings) as con:
        con.execute(
            """
            create or replace table marts.fct_evidence as
            select
                *,
                if(source_row % 7 = 0, null, 'L-' || source_row % 7) as learner_key
            from marts.fct_evidence order by random()
            """
        )
    _give_column(home, "learner_key")
    publish(home, settings)
    folder = folder_of(home)
    parquet = str(folder / "tables" / "fct_evidence.parquet")
    with duckdb.connect() as con:
        lying = con.execute(f"select learner_key, evidence_id from '{parquet}'").fetchall()
    assert lying == sorted(lying, key=lambda row: (row[0] or "~", row[1]))
    assert len(lying) == 100


def _give_column(home: Home, name: str) -> None:
    path = target_folder(home) / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["nodes"]["a"]["columns"][name] = {"description": ""}
    path.write_text(json.dumps(manifest))


def test_a_build_without_an_audit_is_not_published(
    home: Home, settings: Settings, candidate: Any
) -> None:
    candidate(home, settings)
    audit_record(home).unlink()
    with pytest.raises(PublishError, match="not audited"):
        publish(home, settings)
    assert editions(home) == []


def test_the_audit_of_another_build_does_not_count(
    home: Home, settings: Settings, candidate: Any, audit: Any
) -> None:
    candidate(home, settings)
    audit(home, "another", "pass")
    with pytest.raises(PublishError, match="audit is of build another"):
        publish(home, settings)


def test_a_failed_audit_publishes_nothing_and_the_last_edition_stays_current(
    home: Home, settings: Settings, candidate: Any
) -> None:
    good = candidate(home, settings, 1)
    publish(home, settings)
    candidate(home, settings, 2, verdict="fail")
    with pytest.raises(PublishError, match="stays current"):
        publish(home, settings)
    assert current_id(home) == good
    assert [edition.edition_id for edition in editions(home)] == [good]
    assert sorted(path.name for path in home.editions.iterdir()) == [good, "current"]


def test_warnings_do_not_stop_an_edition(home: Home, settings: Settings, candidate: Any) -> None:
    assert candidate(home, settings, verdict="warn") == publish(home, settings)


def test_an_unfinished_build_is_not_published(
    home: Home, settings: Settings, candidate: Any
) -> None:
    candidate(home, settings)
    build_record(home).unlink()
    with pytest.raises(PublishError, match="no finished build"):
        publish(home, settings)


@pytest.mark.parametrize(
    "step", ["_write_tables", "_write_edition", "_make_durable", "sync", "make_current"]
)
def test_a_publication_that_is_stopped_leaves_the_last_edition_and_can_be_repeated(
    home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch, step: str, candidate: Any
) -> None:
    old = candidate(home, settings, 1)
    publish(home, settings)
    new = candidate(home, settings, 2)

    def stopped(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(publish_module, step, stopped)
        with pytest.raises(KeyboardInterrupt):
            publish(home, settings)
    assert current_id(home) == old
    assert verify(folder_of(home)) == []
    assert publish(home, settings) == new
    assert verify(folder_of(home)) == []
    assert sorted(path.name for path in home.editions.iterdir()) == sorted([old, new, "current"])


def test_gaps_that_tables_left_are_closed_in_the_edition_and_in_the_warehouse(
    home: Home, settings: Settings, candidate: Any
) -> None:
    with open_warehouse(home, settings) as con:
        con.execute("create table marts.old as select md5(i::varchar) as x from range(300000) r(i)")
        con.execute("checkpoint marts")
    candidate(home, settings)
    with open_warehouse(home, settings) as con:
        con.execute("checkpoint marts")
        con.execute("drop table marts.old; checkpoint marts")
    before = home.marts.stat().st_size
    with open_warehouse(home, settings) as con:
        con.execute("create table marts.new as select 1 as x")
        expected = con.execute("from marts.fct_evidence order by all").fetchall()
    publish(home, settings)
    folder = folder_of(home)
    assert verify(folder) == []
    assert (folder / "portfolio.duckdb").stat().st_size < before / 2
    assert home.marts.stat().st_size < before / 2
    with open_warehouse(home, settings, read_only=True) as con:
        assert con.execute("from marts.fct_evidence order by all").fetchall() == expected
        assert con.execute("from marts.new").fetchall() == [(1,)]
    assert [path.name for path in home.marts.parent.glob(".*")] == []


def test_a_build_that_lacks_a_mart_is_not_published(
    home: Home, settings: Settings, candidate: Any
) -> None:
    old = candidate(home, settings, 1)
    publish(home, settings)
    candidate(home, settings, 2)
    with open_warehouse(home, settings) as con:
        con.execute("drop table marts.portfolio_status")
    with pytest.raises(PublishError, match=r"has no portfolio_status: .* --full-refresh"):
        publish(home, settings)
    assert current_id(home) == old


def test_data_docs_of_the_audit_are_part_of_the_edition(
    home: Home, settings: Settings, candidate: Any
) -> None:
    candidate(home, settings)
    docs = home.warehouse.parent / "data_docs"
    docs.mkdir()
    (docs / "index.html").write_text("<p>kept</p>")
    publish(home, settings)
    assert (folder_of(home) / "data_docs" / "index.html").read_text() == "<p>kept</p>"


READER = """
import sys
from pathlib import Path
import duckdb

editions, stop = map(Path, sys.argv[1:])
reads, levels = 0, set()
while not stop.exists():
    database = (editions / "current").resolve() / "portfolio.duckdb"
    with duckdb.connect(str(database), read_only=True) as con:
        ((lowest, n),) = con.execute("select min(level), count(*) from fct_evidence").fetchall()
    assert n == 100, n
    levels.add(lowest)
    reads += 1
    if reads == 1:
        print("reading", flush=True)
print(reads, len(levels))
"""


@pytest.mark.slow
def test_readers_are_never_locked_out_through_twenty_publications(
    home: Home, settings: Settings, tmp_path: Path, candidate: Any
) -> None:
    candidate(home, settings, 0)
    publish(home, settings)
    stop = tmp_path / "stop"
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(home.editions), str(stop)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "reading\n"
        for number in range(1, 21):
            candidate(home, settings, number)
            publish(home, settings)
        stop.touch()
        told, problems = reader.communicate(timeout=60)
    assert problems == ""
    reads, levels = map(int, told.split())
    assert reads > 20
    assert levels > 1
    assert len(editions(home)) == 21


@pytest.mark.slow
def test_duckdb_1_5_reads_an_edition(
    home: Home, settings: Settings, tmp_path: Path, candidate: Any
) -> None:
    if importlib.util.find_spec("pip") is None:
        pytest.skip("pip is not installed in this environment")
    older = tmp_path / "older"
    installed = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--target", older, "duckdb==1.5.*"],
        check=False,
        capture_output=True,
        text=True,
    )
    if installed.returncode:
        pytest.skip(f"pip cannot install duckdb 1.5: {installed.stderr.strip()[-200:]}")
    candidate(home, settings)
    publish(home, settings)
    script = (
        "import sys, duckdb; con = duckdb.connect(sys.argv[1], read_only=True); "
        "print(duckdb.__version__, con.execute('select count(*) from fct_evidence').fetchone()[0])"
    )
    read = subprocess.run(
        [sys.executable, "-c", script, str(folder_of(home) / "portfolio.duckdb")],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(older)},
    )
    assert read.stdout.startswith("1.5.")
    assert read.stdout.split()[-1] == "100"


@pytest.fixture
def published(home: Home, settings: Settings, candidate: Any) -> Path:
    candidate(home, settings)
    publish(home, settings)
    return folder_of(home)


def test_a_changed_row_is_found(published: Path) -> None:
    with duckdb.connect(str(published / "portfolio.duckdb")) as con:
        con.execute("update fct_evidence set level = 99 where evidence_id = 'E-1'")
    assert verify(published) == [
        "portfolio.duckdb: the bytes are not those published",
        "fct_evidence: the rows in portfolio.duckdb are not those published",
    ]


def test_a_missing_database_is_found(published: Path) -> None:
    (published / "portfolio.duckdb").unlink()
    assert verify(published) == ["portfolio.duckdb is missing"]


def test_a_changed_missing_or_added_part_is_found(published: Path) -> None:
    (published / "tables" / "fct_evidence.parquet").write_bytes(b"")
    (published / "tables" / "portfolio_status.parquet").unlink()
    with duckdb.connect(str(published / "portfolio.duckdb")) as con:
        con.execute("create table added as select 1 as x")
        con.execute("drop table portfolio_status")
    problems = "\n".join(verify(published))
    assert "fct_evidence.parquet: the bytes are not those published" in problems
    assert "portfolio_status.parquet is missing" in problems
    assert "added: the edition does not name this table" in problems
    assert "portfolio_status: the table is missing" in problems


def test_changed_inputs_are_found(published: Path) -> None:
    path = published / "edition.json"
    path.write_text(path.read_text().replace("Europe/Vienna", "Europe/Paris"))
    assert verify(published) == [
        "the inputs in edition.json are not those that the edition is named by"
    ]


def test_two_editions_differ_by_rows_and_inputs(
    home: Home, settings: Settings, candidate: Any
) -> None:
    first = candidate(home, settings, 1)
    publish(home, settings)
    second = candidate(home, settings, 2)
    with open_warehouse(home, settings) as con:
        con.execute("update marts.fct_evidence set level = level - 1 where source_row > 2")
        con.execute("delete from marts.fct_evidence where source_row = 99")
        con.execute("insert into marts.fct_evidence by name select 'E-new' as evidence_id")
    publish(home, settings)
    found = diff(folder_of(home, first), folder_of(home, second))
    assert found.inputs == {"receipts": {"added": ["r2"], "removed": ["r1"]}}
    (table,) = found.tables
    assert (table.table, table.added, table.removed, table.changed) == ("fct_evidence", 1, 1, 3)


def test_lineage_leads_to_the_row_and_to_what_rests_on_it(published: Path) -> None:
    found = lineage(published, "E-1")
    assert [(row["delivery_id"], row["source_row"]) for row in found.evidence] == [("d", 1)]
    assert list(found.used_by) == ["portfolio_status"]
    assert lineage(published, "k3").used_by == {}
    with pytest.raises(EditionError, match="no record 'E-none'"):
        lineage(published, "E-none")


def test_an_unknown_edition_is_named_with_those_that_exist(home: Home, published: Path) -> None:
    with pytest.raises(EditionError, match=published.name):
        folder_of(home, "none")
    with pytest.raises(EditionError, match="no edition"):
        folder_of(home, "../warehouse")


def _damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


@pytest.mark.parametrize("part", ["portfolio.duckdb", "tables/fct_evidence.parquet"])
def test_a_damaged_edition_of_the_same_inputs_is_written_again_and_names_the_manifest_it_had(
    home: Home, settings: Settings, candidate: Any, part: str
) -> None:
    edition_id = candidate(home, settings)
    publish(home, settings)
    folder = folder_of(home)
    before, digest = read_edition(folder), file_hash(folder / "edition.json")
    _damage(folder / part)
    assert verify(folder)
    assert publish(home, settings) == edition_id
    assert verify(folder) == []
    after = read_edition(folder)
    assert _parquet_files(after) == _parquet_files(before)
    assert after.earlier_manifests in ((), (digest,))
    assert bool(after.earlier_manifests) == (after.files != before.files)
    assert after == before.model_copy(
        update={"files": after.files, "earlier_manifests": after.earlier_manifests}
    )
    assert [path.name for path in home.editions.iterdir() if path.name != "current"] == [edition_id]


@pytest.mark.parametrize("part", ["portfolio.duckdb", "tables/portfolio_status.parquet"])
def test_a_damaged_edition_is_written_again_where_other_bytes_are_written_now(
    home: Home, settings: Settings, candidate: Any, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    edition_id = candidate(home, settings)
    publish(home, settings)
    folder = folder_of(home)
    _damage(folder / part)
    monkeypatch.setattr(tables_module, "PARQUET", {"compression": "snappy"})
    if part.endswith(".parquet"):
        with pytest.raises(PublishError, match="other rows of portfolio_status: restore"):
            publish(home, settings)
        return
    before = read_edition(folder)
    assert publish(home, settings) == edition_id
    assert verify(folder) == []
    assert _parquet_files(read_edition(folder)) != _parquet_files(before)


def test_a_damaged_edition_whose_manifest_cannot_be_read_is_written_again(
    home: Home, settings: Settings, candidate: Any
) -> None:
    edition_id = candidate(home, settings)
    publish(home, settings)
    folder = folder_of(home)
    hashes = read_edition(folder).table_hashes
    (folder / "edition.json").write_text("{", encoding="utf-8")
    assert publish(home, settings) == edition_id
    assert verify(folder) == []
    assert read_edition(folder).table_hashes == hashes


def test_other_rows_never_take_the_place_of_a_damaged_edition(
    home: Home, settings: Settings, candidate: Any
) -> None:
    candidate(home, settings)
    publish(home, settings)
    folder = folder_of(home)
    _damage(folder / "portfolio.duckdb")
    with open_warehouse(home, settings) as con:
        con.execute("update marts.fct_evidence set level = level + 1")
    with pytest.raises(PublishError, match="other rows of fct_evidence: restore the edition"):
        publish(home, settings)
    assert verify(folder)
