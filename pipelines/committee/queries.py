"""One edition, read set-wise: one query a section for the whole cohort, then grouped by learner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from importlib.resources import files

import duckdb
import polars as pl

from pipelines.committee.edition import EditionError, Source
from pipelines.committee.evidence import Row
from pipelines.warehouse.dbt_project import printed_id_length
from pipelines.warehouse.editions import REMEDY

OF_LEARNERS = (
    "learners",
    "periods",
    "decisions",
    "actions",
    "status",
    "evidence",
    "conflicts",
    "comments",
    "reflections",
    "meetings",
    "sittings",
    "declarations",
    "requirements",
    "circumstances",
    "reports",
    "signals",
    "closed_signals",
    "precision",
    "feedback",
    "feedback_comments",
    "growth",
)
"""Sections with a `learner_key`, each one query."""

OF_PROGRAMME = (
    "competencies",
    "scales",
    "rules",
    "deliveries",
    "quality",
    "freshness",
    "measurement",
)
"""Sections about the programme, each one query."""

NOT_JUDGED = "not_judged"
"""What stands for the standing of a decision in an edition that judged none."""

LATER: Mapping[str, Mapping[str, str]] = {
    "fct_decision": {
        "standing": f"'{NOT_JUDGED}'",
        "agenda_list": "cast(null as varchar)",
        "freeze_id": "cast(null as varchar)",
        "present_keys": "cast(null as varchar[])",
        "dissent_by_keys": "cast(null as varchar[])",
        "pulled_by_keys": "cast(null as varchar[])",
        "addendum_ids": "cast(null as varchar[])",
        "is_since_first_arrival": "false",
    },
    "fct_reflection": {
        "dispute_status": "case when reflection_type = 'dispute' then 'raised' end",
        "owner_key": "cast(null as varchar)",
        "owner_role": "case when reflection_type = 'dispute' then 'assessment_unit' end",
        "reply": "cast(null as varchar)",
        "answered_at": "cast(null as timestamptz)",
    },
    "fct_evidence": {
        "round_id": "cast(null as varchar)",
        "examiner_keys": "cast(null as varchar[])",
        "target_scale_version": "cast(null as varchar)",
    },
    "portfolio_msf": {"is_self_apart": "cast(null as boolean)"},
    "portfolio_exam": {"is_below_cut_at_newest": "cast(null as boolean)"},
    "fct_meeting_note": {"is_shared_with_learner": "cast(null as boolean)"},
    "programme_measurement": {
        "scale_version": "cast(null as varchar)",
        "direction": "cast(null as varchar)",
    },
    "portfolio_signal": {
        "closes_when": "cast(null as varchar)",
        "recommended_from_on": "cast(null as date)",
        "held_back_titles": "cast([] as varchar[])",
    },
    "portfolio_competency_status": {
        "shortfall_codes": "list_transform(shortfalls, lambda shortfall: 'data_points')",
        "target_scale_version": "cast(null as varchar)",
        "counted_scale_version": "cast(null as varchar)",
        "assessor_variance_share": "cast(null as decimal(18, 6))",
    },
}
"""Columns that older editions lack, with what stands for them there: an edition never changes, and
its pages can still be made."""


def _no_rows(**columns: str) -> str:
    """Return a query for no rows of columns, each with its type."""
    listed = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in columns.items())
    return f"select {listed} where false"


_LINEAGE: Mapping[str, str] = {
    "source_id": "varchar",
    "delivery_id": "varchar",
    "source_row": "bigint",
    "source_cell": "varchar",
    "known_at": "timestamptz",
}

LATER_TABLES: Mapping[str, str] = {
    "fct_requirement": _no_rows(
        learner_key="varchar",
        record_key="varchar",
        requirement_id="varchar",
        requirement_type="varchar",
        title="varchar",
        stage_id="varchar",
        state="varchar",
        reference="varchar",
        n_done="bigint",
        required_n="bigint",
        attended_share="decimal(18, 6)",
        issued_on="date",
        expires_on="date",
        occurred_on="date",
        verified_by_key="varchar",
        **_LINEAGE,
    ),
    "fct_circumstance": _no_rows(
        learner_key="varchar",
        record_key="varchar",
        circumstance_type="varchar",
        category="varchar",
        adjustment="varchar",
        task_id="varchar",
        status="varchar",
        is_for_mentor="boolean",
        starts_on="date",
        ends_on="date",
        disclosed_on="date",
        decided_on="date",
        **_LINEAGE,
    ),
    "fct_professionalism_report": _no_rows(
        learner_key="varchar",
        record_key="varchar",
        competency_id="varchar",
        report_type="varchar",
        category="varchar",
        severity="varchar",
        description="varchar",
        learner_response="varchar",
        setting="varchar",
        reporter_key="varchar",
        reporter_role="varchar",
        status="varchar",
        outcome="varchar",
        is_shared_with_learner="boolean",
        is_for_mentor="boolean",
        occurred_on="date",
        closed_on="date",
        **_LINEAGE,
    ),
    "committee_student_record": _no_rows(record_key="varchar", is_out="boolean"),
    "portfolio_signal_closed": _no_rows(
        learner_key="varchar",
        signal_id="varchar",
        rule_set_id="varchar",
        rule_version="varchar",
        rule_id="varchar",
        sentence="varchar",
        raised_on="date",
        closed_on="date",
        closed_by_evidence_ids="varchar[]",
    ),
    "portfolio_narrative_pick": (
        "select learner_key, comment_key, rule_set_id, rule_version, pick_reasons "
        "from portfolio_narrative where is_picked"
    ),
}
"""Tables that older editions lack, with the rows that stand for them there."""


@dataclass(frozen=True)
class Competency:
    """A competency as the framework names it."""

    competency_id: str
    title: str
    place: int


@dataclass(frozen=True)
class Portfolio:
    """What one edition says, in sections."""

    edition_id: str
    as_of: date
    known_at: datetime | None
    learners: tuple[Row, ...]
    of_learners: Mapping[str, Mapping[str, list[Row]]]
    of_programme: Mapping[str, list[Row]]

    def rows(self, section: str, learner_key: str) -> list[Row]:
        """Return one learner's rows of a section, in the section's order."""
        return self.of_learners[section].get(learner_key, [])

    @cached_property
    def competencies(self) -> dict[tuple[str | None, str], Competency]:
        """Return the competencies by programme and id: programmes number theirs alike."""
        return {
            (row["programme_id"], row["competency_id"]): Competency(
                row["competency_id"], row["title"] or row["competency_id"], place
            )
            for place, row in enumerate(self.of_programme["competencies"])
        }

    @cached_property
    def scales(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Return the lowest and highest level of each version of a scale."""
        return {
            (row["scale_id"], row["scale_version"]): (row["lowest"], row["highest"])
            for row in self.of_programme["scales"]
        }

    @cached_property
    def scales_of_versions(self) -> frozenset[str]:
        """Return the scales that have several versions."""
        n_versions = Counter(scale_id for scale_id, _ in self.scales)
        return frozenset(scale_id for scale_id, n in n_versions.items() if n > 1)

    def competency(self, competency_id: str, programme_id: str | None) -> Competency:
        """Return a competency of a programme, also one that no framework lists."""
        known = self.competencies.get((programme_id, competency_id))
        return known or Competency(competency_id, competency_id, len(self.competencies))

    def title(self, row: Row, column: str = "competency_id") -> str | None:
        """Return what the competency of a learner's row is called; None where it names none.

        A row that names no programme is of the learner's own.
        """
        if row.get(column) is None:
            return None
        programme_id = row.get("programme_id") or self._programme_of.get(row["learner_key"])
        return self.competency(row[column], programme_id).title

    @cached_property
    def _programme_of(self) -> dict[str, str | None]:
        return {row["learner_key"]: row["programme_id"] for row in self.learners}


@dataclass(frozen=True)
class Share:
    """One of `n` parts of the learners, such as one worker takes; together they are all."""

    number: int
    n: int
    without: frozenset[str] = frozenset()
    """Learners whose pages are there already."""

    def of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of this share's learners, in their order."""
        mine = pl.col("learner_key").hash() % self.n == self.number
        if self.without:
            mine &= ~pl.col("learner_key").is_in(sorted(self.without))
        return frame.filter(mine)


EVERYONE = Share(0, 1)

PRINTED_ID = (
    "create temp macro printed_id(letter, hashed) as "
    "letter || '-' || upper(substring(hashed, 1, {length}))"
)
"""The id that pages print of a record: what the macro of this name in the dbt project makes."""
VERSION_ORDER = """
    create temp macro version_order(version) as (
        regexp_full_match(version, '[0-9]+'),
        lpad(version, cast(greatest(length(version), 12) as integer), '0')
    )
"""
"""Orders versions as the macro of this name in the dbt project does: numbers by their value."""
NEWEST_VERSION = """
    create temp macro newest_version() as table
    select
        scale_id,
        max_by(scale_version, version_order(scale_version)) as scale_version,
        count(distinct scale_version) > 1 as has_versions
    from dim_scale_level
    group by scale_id
"""
"""The version that a level is on whose form names none, of each scale."""


def read(
    source: Source, share: Share = EVERYONE, sections: Sequence[str] = OF_LEARNERS
) -> Portfolio:
    """Read an edition, once, without the right to write; the programme's sections always whole.

    Args:
        source: the edition.
        share: whose rows are read.
        sections: which sections of the learners.
    """
    with open_edition(source) as connection:
        frames = {name: share.of(frame_of(connection, name)) for name in sections}
        frames |= {name: frame_of(connection, name) for name in OF_PROGRAMME}
    return Portfolio(
        edition_id=source.edition_id,
        as_of=source.edition.as_of,
        known_at=source.edition.known_at,
        learners=tuple(frames["learners"].rows(named=True)),
        of_learners={name: _by_learner(frames[name]) for name in sections},
        of_programme={name: frames[name].rows(named=True) for name in OF_PROGRAMME},
    )


@contextmanager
def open_edition(source: Source) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an edition to read, as of its day, with all times in UTC.

    Raises:
        EditionError: its database is damaged.
    """
    try:
        with duckdb.connect(str(source.database), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute(f"set variable as_of = date '{source.edition.as_of}'")
            connection.execute(PRINTED_ID.format(length=printed_id_length()))
            connection.execute(VERSION_ORDER)
            connection.execute(NEWEST_VERSION)
            _fill_later_columns(connection)
            yield connection
    except duckdb.Error as error:
        if not source.is_damaged(error):
            raise
        raise EditionError(
            f"the database of edition {source.edition_id} is damaged and cannot be read: {REMEDY}"
        ) from None


def _fill_later_columns(connection: duckdb.DuckDBPyConnection) -> None:
    """Lay a view over a table of an older edition, with the columns that came later."""
    standing = {
        name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()
    }
    for table, rows in LATER_TABLES.items():
        if table not in standing:
            connection.execute(f"create temp view {table} as {rows}")
    for table, later in LATER.items():
        found = {
            name
            for (name,) in connection.execute(
                "select column_name from duckdb_columns() where table_name = ?", [table]
            ).fetchall()
        }
        added = [f"{value} as {name}" for name, value in later.items() if name not in found]
        if found and added:
            connection.execute(
                f"create temp view {table} as from {_database(connection)}.main.{table} "
                f"select *, {', '.join(added)}"
            )


def _database(connection: duckdb.DuckDBPyConnection) -> str:
    """Return the quoted name of the database that a connection was opened on."""
    (name,) = connection.execute("select current_database()").fetchall()[0]
    return '"' + str(name).replace('"', '""') + '"'


def query(section: str) -> str:
    """Return the SQL of a section."""
    return (files("pipelines.committee") / "sql" / f"{section}.sql").read_text(encoding="utf-8")


def _by_learner(frame: pl.DataFrame) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {}
    for row in frame.iter_rows(named=True):
        grouped.setdefault(row["learner_key"], []).append(row)
    return grouped


def frame_of(connection: duckdb.DuckDBPyConnection, section: str) -> pl.DataFrame:
    """Return the rows of a section of all learners."""
    frame: pl.DataFrame = connection.sql(query(section)).pl()
    return frame
