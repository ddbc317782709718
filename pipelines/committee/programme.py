"""What the programme sees: tables about all, none about one, and decisions as counts.

Everything is read from one edition. Marts that name a learner or an assessor never go out here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from pipelines.committee import words
from pipelines.committee.edition import Source
from pipelines.committee.evidence import Row
from pipelines.committee.queries import Portfolio, open_edition, read
from pipelines.committee.render import Pages, style_sheet
from pipelines.committee.roles import PROGRAMME, View
from pipelines.committee.small_cells import OTHER, folded

TITLES = {
    "programme_blueprint": "Blueprint",
    "programme_engagement": "Engagement of assessors",
    "programme_fairness": "Fairness of trajectories",
    "programme_demographic_count": "Who the learners are",
    "programme_rating_drift": "Drift of ratings",
    "programme_data_quality_history": "History of data quality",
    "programme_delivery": "Deliveries",
    "programme_freshness": "Freshness of sources",
    "programme_data_quality": "Data quality",
    "programme_exam_analysis": "Exams",
    "programme_station_analysis": "Stations",
    "programme_cut_score": "Cut-scores",
    "programme_measurement": "Measurement",
    "programme_rule": "Rules and their sources",
}
"""Tables that open the page, in its order; further ones follow under their own name."""

NEVER = frozenset({"programme_assessor_stringency", "programme_item_option"})
"""How strict an assessor is goes to nobody here; options of items are for those who write them."""

PERSONAL = frozenset({"learner_key", "assessor_key", "mentor_key", "member_key", "person_key"})
MOST_ROWS = 200
HIDDEN = frozenset({"delivery_id", "record_key", "spec_version"})


@dataclass(frozen=True)
class Table:
    """One mart as the page shows it."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    n_rows: int

    @property
    def n_more(self) -> int:
        """Return how many rows only the file holds."""
        return self.n_rows - len(self.rows)


@dataclass(frozen=True)
class Counted:
    """Decisions of one programme and finished year, by outcome or state of appeal."""

    programme_id: str
    year: int
    what: str
    counts: dict[str, int] | None


@dataclass(frozen=True)
class Programme:
    """All that the programme's page shows."""

    tables: tuple[Table, ...]
    decisions: tuple[Counted, ...]
    rule_sets: tuple[Row, ...]
    least: int


def files(source: Source) -> Iterator[tuple[str, bytes]]:
    """Yield the programme's page and its tables, as name and bytes."""
    portfolio = read(source, sections=("learners",))
    told = gather(source, portfolio)
    pages = Pages(portfolio, View(PROGRAMME))
    yield "assets/pack.css", style_sheet()
    yield "index.html", pages.programme(told).encode()
    for table in told.tables:
        parquet = source.path / "tables" / f"{table.name}.parquet"
        if parquet.exists():
            yield f"tables/{table.name}.parquet", parquet.read_bytes()


def gather(source: Source, portfolio: Portfolio) -> Programme:
    """Return what one edition says of the programme."""
    with open_edition(source) as connection:
        least = least_of(connection)
        tables = tuple(_table(connection, name) for name in _marts(connection))
        decisions = tuple(_decisions(connection, least, portfolio.as_of.year))
        rule_sets = _rows(
            connection,
            "select distinct rule_set_id, rule_set_title, rule_version from programme_rule "
            "order by rule_set_id, rule_version",
        )
    return Programme(tables, decisions, tuple(rule_sets), least)


def least_of(connection: duckdb.DuckDBPyConnection) -> int:
    """Return how many a cell must hold to be shown, by the rule set of this edition."""
    found = connection.execute(
        "select max(threshold_value) from programme_rule "
        "where rule_set_id = 'privacy' and rule_id = 'small_cells'"
    ).fetchall()[0][0]
    return int(found) if found is not None else 5


def _marts(connection: duckdb.DuckDBPyConnection) -> list[str]:
    columns: dict[str, set[str]] = defaultdict(set)
    for table, column in connection.execute(
        "select table_name, column_name from information_schema.columns "
        "where starts_with(table_name, 'programme_')"
    ).fetchall():
        columns[table].add(column)
    found = [name for name in columns if name not in NEVER and not columns[name] & PERSONAL]
    order = list(TITLES)
    return sorted(found, key=lambda name: (order.index(name) if name in TITLES else 99, name))


def _table(connection: duckdb.DuckDBPyConnection, name: str) -> Table:
    relation = connection.table(name)
    columns = [column for column in relation.columns if column not in HIDDEN]
    told = connection.sql(
        f'select {", ".join(chr(34) + c + chr(34) for c in columns)} from "{name}" '  # noqa: S608  names of the edition's own columns
        f"order by all limit {MOST_ROWS}"
    ).fetchall()
    counted = connection.execute(f'select count(*) from "{name}"').fetchall()  # noqa: S608  the edition's own table
    rows = tuple(tuple(_shown(value) for value in row) for row in told)
    filled = [i for i in range(len(columns)) if any(row[i] != words.NOTHING for row in rows)]
    return Table(
        name,
        TITLES.get(name, words.plain(name.removeprefix("programme_")).capitalize()),
        tuple(words.plain(columns[i]) for i in filled),
        tuple(tuple(row[i] for i in filled) for row in rows),
        int(counted[0][0]),
    )


def _shown(value: Any) -> str:
    if value is None:
        return words.NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or words.NOTHING
    if hasattr(value, "hour"):
        return words.instant(value)
    if hasattr(value, "as_tuple") or isinstance(value, float):
        return words.number(value)
    return str(value)


def _decisions(
    connection: duckdb.DuckDBPyConnection, least: int, running: int
) -> Iterator[Counted]:
    """Yield counts of the years that are over.

    The running year waits for its end: two editions of it would differ by single decisions.
    """
    for what in ("outcome", "appeal_status"):
        groups: dict[tuple[str, int], dict[str, int]] = defaultdict(dict)
        for programme_id, year, label, n in connection.execute(
            f"select programme_id, year(decided_on), coalesce({what}, 'none'), "  # noqa: S608  one of two names
            "count(distinct learner_key) from fct_decision "
            "where standing = 'stands' and not is_corrected and year(decided_on) < ? "
            "group by all order by all",
            [running],
        ).fetchall():
            groups[programme_id, year][label] = n
        for (programme_id, year), counts in groups.items():
            yield Counted(programme_id, year, what, folded(counts, least))


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> Sequence[Row]:
    rows: Sequence[Row] = connection.sql(query).pl().rows(named=True)
    return rows


__all__ = ["OTHER", "Counted", "Programme", "Table", "files", "gather", "least_of"]
