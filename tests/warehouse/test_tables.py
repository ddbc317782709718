"""Tables lie in an edition as Parquet, long ones in parts that later editions share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.warehouse import tables
from pipelines.warehouse.editions import have_same_rows
from pipelines.warehouse.tables import (
    Layout,
    Parts,
    Written,
    file_hash,
    part_of,
    relation_of,
    table_hash,
    write_parquet,
    write_table,
)

LAYOUT = Layout(("evidence_id",), "occurred_on")
STEPS = {
    "delete": "delete from night where evidence_id = $1",
    "move": "update night set occurred_on = occurred_on + 40 where evidence_id = $1",
    "mark": "update night set score = score + 1 where evidence_id = $1",
}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(tmp_path_factory.mktemp("many") / "many.duckdb")) as connection:
        connection.execute("set TimeZone = 'UTC'; set preserve_insertion_order = true")
        connection.execute(
            """
            create table evidence as
            select
                if(i % 41 = 0, null, 'L-' || (i % 40)::varchar) as learner_key,
                'E-' || i as evidence_id, (i % 7)::decimal(9, 4) as score,
                if(i % 3 = 0, null, ['a', 'b' || i % 5]) as evidence_ids,
                timestamptz '2026-02-21 10:00:00+00' + to_seconds(i) as occurred_at
            from range(150000) as r(i)
            """
        )
        yield connection


@pytest.mark.parametrize("learners_at_once", [7, 1000])
def test_parquet_has_all_rows_by_learner_and_key_those_of_nobody_last(
    many: duckdb.DuckDBPyConnection, tmp_path: Path, learners_at_once: int
) -> None:
    path = tmp_path / "evidence.parquet"
    key = ("evidence_id",)
    write_parquet(many, "evidence", key, path, learners_at_once=learners_at_once)
    assert have_same_rows(many, "evidence", f"'{path}'")
    lying = many.execute(f"select learner_key, evidence_id from '{path}'").fetchall()
    assert lying == sorted(lying, key=lambda row: (row[0] or "~", row[1]))


@pytest.mark.parametrize("threads", [1, 3])
def test_equal_rows_give_the_same_bytes_however_they_lie_and_many_threads_there_are(
    many: duckdb.DuckDBPyConnection, tmp_path: Path, threads: int
) -> None:
    one, other = tmp_path / "one.parquet", tmp_path / "other.parquet"
    write_parquet(many, "evidence", ("evidence_id",), one, learners_at_once=7)
    many.execute(f"set threads = {threads}; set preserve_insertion_order = false")
    many.execute("create or replace table shuffled as from evidence order by hash(evidence_id)")
    many.execute("set preserve_insertion_order = true")
    write_parquet(many, "shuffled", ("evidence_id",), other, learners_at_once=7)
    many.execute("reset threads")
    assert file_hash(one) == file_hash(other)


@pytest.fixture
def long(many: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> str:
    """Three years of which the first month alone fills two row groups, and rows without a day."""
    monkeypatch.setattr(tables, "LONG", 1_000)
    monkeypatch.setattr(tables, "ROWS_TO_SORT", 3_000)
    many.execute(
        """
        create or replace table long as
        select
            *,
            case
                when evidence_id in ('E-1', 'E-2') then null
                when substr(evidence_id, 3)::integer < 130000 then date '2023-01-15'
                else date '2023-01-01' + (substr(evidence_id, 3)::integer % 1000)
            end as occurred_on
        from evidence
        """
    )
    return "long"


def written(
    con: duckdb.DuckDBPyConnection, table: str, folder: Path, earlier: Path | None = None
) -> Written:
    shared = None
    if earlier is not None:
        before = write_table(con, table, "long", LAYOUT, earlier)
        shared = Parts(earlier, before.files, before.fingerprints)
    return write_table(con, table, "long", LAYOUT, folder, shared)


def test_a_long_table_lies_by_month_then_learner_then_key(
    many: duckdb.DuckDBPyConnection, long: str, tmp_path: Path
) -> None:
    made = written(many, long, tmp_path)
    assert len(made.files) == 34  # January 2023 to September 2025, and rows without a day
    assert made.files.keys() == made.fingerprints.keys()
    assert made.files == {name: file_hash(tmp_path / name) for name in made.files}
    assert made.rows == 150_000
    assert have_same_rows(many, long, relation_of(tmp_path, "long"))
    for name in made.files:
        months = many.execute(
            f"select distinct coalesce(strftime(occurred_on, '%Y-%m'), 'undated') "
            f"from '{tmp_path / name}'"
        ).fetchall()
        assert months == [(Path(name).stem,)]
        lying = many.execute(f"select learner_key, evidence_id from '{tmp_path / name}'").fetchall()
        assert lying == sorted(lying, key=lambda row: (row[0] or "~", row[1]))


def test_a_short_table_and_one_without_a_day_are_one_file(
    many: duckdb.DuckDBPyConnection, long: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undated = write_table(many, long, "long", Layout(("evidence_id",)), tmp_path / "a")
    monkeypatch.setattr(tables, "LONG", 150_001)
    short = written(many, long, tmp_path / "b")
    assert undated.files.keys() == short.files.keys() == {"tables/long.parquet"}
    assert undated.fingerprints == short.fingerprints == {}


def test_equal_rows_give_the_same_parts_however_they_lie_and_many_are_sorted_at_a_time(
    many: duckdb.DuckDBPyConnection, long: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = written(many, long, tmp_path / "one")
    many.execute("create or replace table shuffled as from long order by hash(evidence_id)")
    monkeypatch.setattr(tables, "ROWS_TO_SORT", 1_000_000)
    assert written(many, "shuffled", tmp_path / "other") == one


def test_only_months_with_other_rows_are_written_again(
    many: duckdb.DuckDBPyConnection, long: str, tmp_path: Path
) -> None:
    before = written(many, long, tmp_path / "before")
    many.execute("update long set score = score + 1 where occurred_on = date '2024-03-04'")
    many.execute("delete from long where occurred_on >= date '2025-09-01'")
    many.execute("update long set occurred_on = date '2026-01-01' where evidence_id = 'E-2'")
    shared = Parts(tmp_path / "before", before.files, before.fingerprints)
    after = write_table(many, long, "long", LAYOUT, tmp_path / "after", shared)
    assert after == written(many, long, tmp_path / "fresh")
    again = {
        name
        for name in after.files
        if not (tmp_path / "before" / name).exists()
        or not (tmp_path / "after" / name).samefile(tmp_path / "before" / name)
    }
    assert again == {part_of("long", month) for month in ("2024-03", "2026-01", None)}
    assert part_of("long", "2025-09") not in after.files
    assert have_same_rows(many, long, relation_of(tmp_path / "after", "long"))


@pytest.mark.parametrize(
    ("praises", "concerns"),
    [("['kind']", "['curt']"), ("['kind', 'curt']", "null"), ("['kind', 'curt']", "[null]")],
)
def test_a_month_is_written_again_where_only_a_list_ends_elsewhere(
    many: duckdb.DuckDBPyConnection, long: str, tmp_path: Path, praises: str, concerns: str
) -> None:
    many.execute("alter table long add column praises varchar[] default ['kind', 'curt']")
    many.execute("alter table long add column concerns varchar[] default []")
    before = written(many, long, tmp_path / "before")
    many.execute(
        f"update long set praises = {praises}, concerns = {concerns} where evidence_id = 'E-7'"
    )
    shared = Parts(tmp_path / "before", before.files, before.fingerprints)
    after = write_table(many, long, "long", LAYOUT, tmp_path / "after", shared)
    assert have_same_rows(many, long, relation_of(tmp_path / "after", "long"))
    assert after == written(many, long, tmp_path / "fresh")


def test_a_damaged_part_is_not_shared(
    many: duckdb.DuckDBPyConnection, long: str, tmp_path: Path
) -> None:
    before = written(many, long, tmp_path / "before")
    (tmp_path / "before" / part_of("long", "2023-01")).write_bytes(b"damaged")
    shared = Parts(tmp_path / "before", before.files, before.fingerprints)
    after = write_table(many, long, "long", LAYOUT, tmp_path / "after", shared)
    assert after == before
    assert have_same_rows(many, long, relation_of(tmp_path / "after", "long"))


@pytest.mark.parametrize(
    "changed",
    [
        "select * replace (score::decimal(18, 6) as score) from long",
        "select * rename (score as points) from long",
        "select evidence_id, learner_key, * exclude (evidence_id, learner_key) from long",
    ],
)
def test_no_part_is_shared_among_tables_with_other_columns(
    many: duckdb.DuckDBPyConnection, long: str, tmp_path: Path, changed: str
) -> None:
    before = written(many, long, tmp_path / "before")
    shared = Parts(tmp_path / "before", before.files, before.fingerprints)
    after = write_table(many, f"({changed})", "long", LAYOUT, tmp_path / "after", shared)
    assert after.fingerprints.keys() == before.fingerprints.keys()
    assert not set(after.fingerprints.values()) & set(before.fingerprints.values())
    assert not set(after.files.values()) & set(before.files.values())


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    changes=st.lists(
        st.tuples(st.sampled_from(["delete", "move", "mark"]), st.integers(0, 149)), max_size=6
    )
)
def test_shared_parts_are_those_of_an_edition_that_is_written_from_nothing(
    many: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory, changes: Any
) -> None:
    folder = tmp_path_factory.mktemp("nights")
    many.execute(
        "create or replace table night as "
        "select *, date '2024-01-01' + (substr(evidence_id, 3)::integer % 200) as occurred_on "
        "from evidence where substr(evidence_id, 3)::integer < 150"
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tables, "LONG", 1)
        earlier = None
        for number, (what, row) in enumerate([("mark", 0), *changes]):
            many.execute(STEPS[what], [f"E-{row}"])
            made = write_table(many, "night", "night", LAYOUT, folder / f"{number}", earlier)
            earlier = Parts(folder / f"{number}", made.files, made.fingerprints)
        assert made == write_table(many, "night", "night", LAYOUT, folder / "fresh")


def test_the_hash_of_a_table_in_parts_follows_each_of_them() -> None:
    files = {"tables/a/2024-01.parquet": "1", "tables/a/2024-02.parquet": "2"}
    others = {"tables/ab.parquet": "3", "portfolio.duckdb": "4"}
    assert table_hash("ab", files | others) == "3"
    one = table_hash("a", files | others)
    assert one == table_hash("a", files)
    for changed in (
        files | {"tables/a/2024-02.parquet": "3"},
        files | {"tables/a/2024-03.parquet": "2"},
        {"tables/a/2024-01.parquet": "1"},
    ):
        assert table_hash("a", changed) != one
