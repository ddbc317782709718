"""What the programme sees: tables about all, none about one, and decisions as counts.

Everything is read from one edition, which says what marts go out here. One that names a learner or
an assessor never does.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import Any

import duckdb

from pipelines.committee import words
from pipelines.committee.answer_form import plain_text
from pipelines.committee.edition import Source
from pipelines.committee.evidence import Row
from pipelines.committee.queries import Portfolio, open_edition, read
from pipelines.committee.render import Pages, style_sheet
from pipelines.committee.roles import PROGRAMME, View
from pipelines.committee.small_cells import OTHER, GroupCounts, folded, told_by_difference
from pipelines.warehouse.dbt_project import ProgrammePage
from pipelines.warehouse.editions import Edition

TITLES = {
    "programme_blueprint_coverage": "Blueprint: what the plan asks for, and what is there",
    "programme_assessor_engagement": "Engagement of assessors and time to feedback",
    "programme_single_shot": "What hangs on one observation",
    "programme_instrument_performance": "How instruments are used",
    "programme_rating_drift": "Drift of ratings",
    "programme_trajectory_fairness": "Fairness of trajectories",
    "programme_demographic_count": "Who the learners are",
    "programme_data_quality_history": "History of data quality",
    "programme_data_quality": "Data quality",
    "programme_freshness": "Freshness of sources",
    "programme_delivery": "Deliveries",
    "programme_exam_analysis": "Exams",
    "programme_station_analysis": "Stations",
    "programme_exam_generalizability": "Generalisability of exams",
    "programme_exam_dstudy": "Exams with more or fewer stations",
    "programme_cut_score": "Cut-scores",
    "programme_measurement": "Measurement",
    "programme_rule": "Rules and their sources",
}
"""Tables that open the page, in its order; further ones follow under their own name."""

PERSONAL = frozenset({"learner_key", "assessor_key", "mentor_key", "member_key", "person_key"})
MOST_ROWS = 200

TOO_FEW = "too few"
NAMING = re.compile(r"(.*_)?title|.*_id|.*_version")
"""Columns that say what a row is about, beside those of its key."""
_DIGIT = re.compile(r"\d")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_INSTANT = re.compile(rf"{_DAY.pattern} \d{{2}}:\d{{2}} UTC")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
CODES = frozenset(
    {"attribute", "code", "found by", "instrument id", "kind", "owner", "rule set id", "source id"}
)
"""Columns of codes, which the page writes as people say them."""
HIDDEN = frozenset({"delivery_id", "file", "record_key", "spec_version"})
"""Columns that the page leaves out. The name of a file is its source's, and may name somebody."""


@dataclass(frozen=True)
class Table:
    """One mart as it goes out: small counts are taken out before anything else sees it."""

    name: str
    title: str
    columns: tuple[str, ...]
    every_row: tuple[tuple[str, ...], ...]
    titles: Mapping[tuple[str | None, str], str] = field(default_factory=dict)
    """What the page calls a competency of a programme beside its id."""

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """Return the rows that the page shows."""
        return self.every_row[:MOST_ROWS]

    @property
    def _varying(self) -> list[int]:
        """Return the places of the columns in which rows differ; what is alike is said once."""
        return [
            place
            for place in range(len(self.columns))
            if self.n_rows < 2 or len({row[place] for row in self.every_row}) > 1
        ]

    @property
    def alike(self) -> tuple[tuple[str, str], ...]:
        """Return what is the same in all rows, as heading and value."""
        varying = set(self._varying)
        return tuple(
            (_heading(column), self._cell(place, self.every_row[0]))
            for place, column in enumerate(self.columns)
            if place not in varying
        )

    @property
    def headings(self) -> tuple[tuple[str, str], ...]:
        """Return the headings that the page shows, and the class of what stands below each."""
        return tuple(
            (_heading(self.columns[place]), _class_of([row[place] for row in self.every_row]))
            for place in self._varying
        )

    @property
    def cells(self) -> tuple[tuple[str, ...], ...]:
        """Return the cells that the page shows, row by row."""
        places = self._varying
        return tuple(tuple(self._cell(place, row) for place in places) for row in self.rows)

    def _cell(self, place: int, row: Sequence[str]) -> str:
        """Return a cell as the page writes it: a share in per cent, a code as people say it."""
        column, cell = self.columns[place], row[place]
        if column == "competency id":
            programme_id = dict(zip(self.columns, row, strict=True)).get("programme id")
            title = self.titles.get((programme_id, cell))
            return f"{cell} {title}" if title else cell
        if column in CODES:
            return words.plain(cell)
        is_share = column.endswith(" share") or column.startswith("share ")
        return words.share(Decimal(cell)) if is_share and _NUMBER.fullmatch(cell) else cell

    @property
    def n_rows(self) -> int:
        """Return how many rows there are."""
        return len(self.every_row)

    @property
    def n_more(self) -> int:
        """Return how many rows only the file holds."""
        return self.n_rows - len(self.rows)

    def as_csv(self) -> bytes:
        """Return all rows for a spreadsheet, which takes none of them for a formula."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(self.columns)
        writer.writerows([plain_text(cell) for cell in row] for row in self.every_row)
        return b"\xef\xbb\xbf" + file.getvalue().encode()


def _heading(column: str) -> str:
    """Return how the page writes a column: `n learners` becomes `Learners`."""
    name = column.removeprefix("n ").removeprefix("is ").removesuffix(" id").removesuffix(" n")
    return words.sentence(name)


def _class_of(cells: Sequence[str]) -> str:
    """Return how a column is set: `num` numbers, `when` days, `at` instants, else as text."""
    if all(map(_counts, cells)):
        return "num"
    said = set(cells) - {words.NOTHING}
    if all(map(_DAY.fullmatch, said)):
        return "when"
    return "at" if all(map(_INSTANT.fullmatch, said)) else ""


def _counts(cell: str) -> bool:
    return cell in (words.NOTHING, TOO_FEW) or _NUMBER.fullmatch(cell) is not None


@dataclass(frozen=True)
class Counted:
    """Decisions of one programme and year, by outcome or state of appeal."""

    programme_id: str
    year: int
    what: str
    counts: dict[str, int] | None
    before: date | None = None
    """Of a year that still runs: the day that is not counted any more. None for one that is over,
    whose counts are whole; those of a running year are rounded down."""


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
        yield f"tables/{table.name}.csv", table.as_csv()


def gather(source: Source, portfolio: Portfolio) -> Programme:
    """Return what one edition says of the programme."""
    with open_edition(source) as connection:
        least = least_of(connection)
        titles = {key: told.title for key, told in portfolio.competencies.items()}
        edition = source.edition
        marts = [
            _mart(connection, edition, name) for name in _marts(connection, edition.programme_page)
        ]
        tables = tuple(_table(mart, titles) for mart in shown(marts, least))
        decisions = tuple(_decisions(connection, least, date(portfolio.as_of.year, 1, 1)))
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


def _marts(connection: duckdb.DuckDBPyConnection, shown: Collection[str]) -> list[str]:
    columns: dict[str, set[str]] = defaultdict(set)
    for table, column in connection.execute(
        "select table_name, column_name from information_schema.columns"
    ).fetchall():
        columns[table].add(column)
    found = [name for name in columns if name in shown and not columns[name] & PERSONAL]
    order = list(TITLES)
    return sorted(found, key=lambda name: (order.index(name) if name in TITLES else 99, name))


@dataclass(frozen=True)
class Mart:
    """The rows of one mart that goes to the programme, and what it says of itself."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    page: ProgrammePage
    key: tuple[str, ...]
    """The columns that name a row, which stay."""


def _mart(connection: duckdb.DuckDBPyConnection, edition: Edition, name: str) -> Mart:
    columns = tuple(column for column in connection.table(name).columns if column not in HIDDEN)
    listed = ", ".join(f'"{column}"' for column in columns)
    told = connection.sql(f'select {listed} from "{name}" order by all').fetchall()  # noqa: S608  names of the edition's own columns
    rows = tuple(dict(zip(columns, row, strict=True)) for row in told)
    return Mart(name, columns, rows, edition.programme_page[name], edition.keys.get(name, ()))


def shown(marts: Sequence[Mart], least: int) -> list[Mart]:
    """Return marts without the numbers of rows that tell of too few people, alone or less others.

    Args:
        marts: all that go out together.
        least: as many people as may be shown.
    """
    places = [(m, i) for m, mart in enumerate(marts) for i in range(len(mart.rows))]
    told = (
        counted
        for place, (m, i) in enumerate(places)
        for counted in _counted(place, marts[m].rows[i], marts[m].page)
    )
    gone = {places[place] for place in told_by_difference(told, least)}
    return [
        replace(
            mart,
            rows=tuple(
                _without_numbers(row, mart.key)
                if (m, i) in gone or _is_about_few(row, least, mart.page)
                else row
                for i, row in enumerate(mart.rows)
            ),
        )
        for m, mart in enumerate(marts)
    ]


def _counted(place: int, row: Row, page: ProgrammePage) -> Iterator[GroupCounts]:
    counts = tuple(filter(None, (row.get(name) for name in page.counts_of_learners)))
    parts = tuple(filter(None, (row.get(name) for name in page.parts_of_learners)))
    part = row.get(page.apart_by) if page.apart_by else None
    for group in (*page.whole_of, *page.part_of):
        named = tuple((column, row.get(column)) for column in group)
        wholes = counts if group in page.whole_of else ()
        yield GroupCounts(place, named, counts + parts, wholes, part)


def _table(mart: Mart, titles: Mapping[tuple[str | None, str], str]) -> Table:
    told = [tuple(_shown(row[column]) for column in mart.columns) for row in mart.rows]
    filled = [i for i in range(len(mart.columns)) if any(row[i] != words.NOTHING for row in told)]
    return Table(
        mart.name,
        TITLES.get(mart.name, words.plain(mart.name.removeprefix("programme_")).capitalize()),
        tuple(words.plain(mart.columns[i]) for i in filled),
        tuple(tuple(row[i] for i in filled) for row in told),
        titles,
    )


def without_small_counts(
    row: Row, least: int, page: ProgrammePage, key: Collection[str] = ()
) -> Row:
    """Return a row without its numbers where one of them is about too few people.

    A count is too small, and so is what a part leaves of all learners of the row, or of another
    part, which may hold it: taking the one from the other would give it back. Shares, sums and
    sentences with a number beside it go as well, since they may hold it too. What rests on few
    assessors would say how one of them assesses.

    Args:
        row: one row of a mart, by column.
        least: as many people as may be shown.
        page: which columns count learners, and which assessors.
        key: the columns that name the row, which stay.
    """
    return _without_numbers(row, key) if _is_about_few(row, least, page) else row


def _is_about_few(row: Row, least: int, page: ProgrammePage) -> bool:
    counts = [row.get(name) or 0 for name in page.counts_of_learners]
    parts = [row.get(name) or 0 for name in page.parts_of_learners]
    left = [abs(counts[0] - n) for n in parts if n] if counts else []
    apart = [abs(one - other) for one, other in combinations(filter(None, parts), 2)]
    assessors = [row.get(name) or 0 for name in page.counts_of_assessors]
    return any(0 < n < least for n in (*counts, *parts, *left, *apart, *assessors))


def _without_numbers(row: Row, key: Collection[str]) -> Row:
    return {
        name: TOO_FEW if name not in key and _tells_a_number(name, value) else value
        for name, value in row.items()
    }


def _tells_a_number(column: str, value: Any) -> bool:
    if isinstance(value, str):
        return NAMING.fullmatch(column) is None and _DIGIT.search(value) is not None
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return is_number and not column.startswith("required_")


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


def of_year(source: Source, year: int) -> tuple[Counted, ...]:
    """Return the decisions of a year that is over by an edition of a later one."""
    with open_edition(source) as connection:
        least = least_of(connection)
        found = tuple(_decisions(connection, least, date(year + 1, 1, 1)))
    return tuple(counted for counted in found if counted.year == year)


def of_running_year(source: Source) -> tuple[Counted, ...]:
    """Return the decisions of the year of an edition, which still runs.

    Counted is up to the last quarter that is over, and every number is rounded down to a multiple
    of the least that may show: what two such counts differ by is no single decision.
    """
    as_of = source.edition.as_of
    before = date(as_of.year, as_of.month - (as_of.month - 1) % 3, 1)
    with open_edition(source) as connection:
        least = least_of(connection)
        found = tuple(_decisions(connection, least, before))
    return tuple(
        replace(counted, counts=_rounded(counted.counts, least), before=before)
        for counted in found
        if counted.year == as_of.year
    )


def _rounded(counts: dict[str, int] | None, least: int) -> dict[str, int] | None:
    return None if counts is None else {label: n - n % least for label, n in counts.items()}


def _decisions(
    connection: duckdb.DuckDBPyConnection, least: int, before: date
) -> Iterator[Counted]:
    """Yield counts of the decisions before a day, by year.

    On the programme's page the running year waits for its end: two editions of it would differ by
    single decisions.
    """
    for what in ("outcome", "appeal_status"):
        groups: dict[tuple[str, int], dict[str, int]] = defaultdict(dict)
        for programme_id, year, label, n in connection.execute(
            f"select programme_id, year(decided_on), coalesce({what}, 'none'), "  # noqa: S608  one of two names
            "count(distinct learner_key) from fct_decision "
            "where standing = 'stands' and not is_corrected and decided_on < ? "
            "group by all order by all",
            [before],
        ).fetchall():
            groups[programme_id, year][label] = n
        for (programme_id, year), counts in groups.items():
            yield Counted(programme_id, year, what, folded(counts, least))


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> Sequence[Row]:
    rows: Sequence[Row] = connection.sql(query).pl().rows(named=True)
    return rows


__all__ = [
    "OTHER",
    "Counted",
    "Programme",
    "Table",
    "files",
    "gather",
    "least_of",
    "of_running_year",
    "of_year",
]
