"""Who stands behind a pseudonym is in the vault alone."""

from __future__ import annotations

import re

import polars as pl
import pytest

from pipelines.home import Home
from pipelines.intake.ids import LONG_ID
from tests.warehouses import opened

pytestmark = pytest.mark.slow


def test_no_table_holds_the_id_of_a_person_as_its_source_writes_it(school_home: Home) -> None:
    written = pl.read_parquet(
        school_home.vault / "persons" / "*" / "*.parquet", missing_columns="insert"
    )["person_id"]
    ids = written.filter(written.str.len_chars() >= LONG_ID).unique().sort().to_list()
    assert len(ids) > 50
    whole = f"(^|[^a-z0-9])({'|'.join(map(re.escape, ids))})($|[^a-z0-9])".lower()
    with opened(school_home.warehouse) as con:
        columns = con.execute(
            """
            select database_name, schema_name, table_name, column_name
            from duckdb_columns()
            join duckdb_tables() using (database_name, schema_name, table_name)
            where data_type in ('VARCHAR', 'VARCHAR[]') and not duckdb_columns.internal
            """
        ).fetchall()
        held = {
            f"{schema}.{table}.{column}": told
            for database, schema, table, column in columns
            if (
                told := con.execute(
                    f'select any_value(text) from (select distinct lower("{column}"::varchar) '
                    f'as text from {database}.{schema}."{table}") where regexp_matches(text, $1)',
                    [whole],
                ).fetchall()[0][0]
            )
        }
    assert len(columns) > 500
    assert held == {}
