"""One set of data by two roads: OULAD's own files, and the same as a OneRoster set.

Both go through one pipeline run, each as a programme of its own. What must be equal is compared
row for row in the published tables; where the roads differ, the difference has a name, a reason,
and its size.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

OWN, SET = "OULAD", "GRADEBOOK"
TASK = "regexp_replace(task_id, '^li-', '')"
RUN = "regexp_replace({}, '^cls-', '')"


@dataclass(frozen=True)
class Compared:
    """What the rows of two roads have in common: how many are of one road only."""

    name: str
    columns: str
    table: str
    n_rows: int
    n_different: int = 0
    why: str = ""
    """Why the roads differ, where they do."""

    def is_as_known(self, n_rows: int, n_different: int) -> bool:
        """Return whether that many rows, and that many differing, were found."""
        return (n_rows, n_different) == (self.n_rows, self.n_different)


COMPARISONS = (
    Compared("enrolments", f"learner_key, {RUN.format('period_id')}", "fct_enrolment", 32593),
    Compared(
        "days of enrolments",
        f"learner_key, {RUN.format('period_id')}, starts_on, ends_on",
        "fct_enrolment",
        32593,
    ),
    Compared(
        "outcomes of enrolments",
        f"learner_key, {RUN.format('period_id')}, status, outcome",
        "fct_enrolment",
        32593,
        32593,
        "the set states no final result",
    ),
    Compared("assessments", f"{TASK}, {RUN.format('module_id')}, modality", "dim_task", 206),
    Compared("weights and marks", f"{TASK}, weight, max_score", "dim_task", 206),
    Compared("first days of runs", f"{TASK}, module_starts_on", "dim_task", 206),
    Compared("due days", f"{TASK}, due_on", "dim_task", 206, 11, "the set fills in the 11 missing"),
    Compared("titles", f"{TASK}, title", "dim_task", 206, 206, "the files have no titles"),
    Compared("results", f"learner_key, {TASK}", "fct_evidence", 173912),
    Compared("scores", f"learner_key, {TASK}, score, max_score", "fct_evidence", 173912),
    Compared(
        "missing scores", f"learner_key, {TASK}, result_status, score", "fct_evidence", 173912
    ),
    Compared("banked", f"learner_key, {TASK}, is_banked, is_new_evidence", "fct_evidence", 173912),
    Compared("days of submission", f"learner_key, {TASK}, occurred_on", "fct_evidence", 173912),
    Compared(
        "before or after the enrolment",
        f"learner_key, {TASK}, is_before_enrolment, is_after_enrolment, has_no_enrolment_date",
        "fct_evidence",
        173912,
    ),
    Compared(
        "late",
        f"learner_key, {TASK}, is_late",
        "fct_evidence",
        173912,
        2,
        "two came after a due day that the set fills in",
    ),
)
COUNTS = {
    "banked": ("is_banked", 1909),
    "without a score": ("result_status = 'not_scored'", 173),
}


def compare_roads(home: Path) -> list[tuple[Compared, int, int]]:
    """Return each comparison with the rows of both roads, and those of one road only."""
    with _edition(home) as connection:
        return [(c, *_found(connection, c)) for c in COMPARISONS]


def counts_by_road(home: Path) -> dict[str, list[int]]:
    """Return how many results of each road are banked, and how many have no score."""
    with _edition(home) as connection:
        return {
            name: [
                _number(
                    connection,
                    f"select count(*) from fct_evidence where programme_id = '{road}' and {test}",
                )
                for road in (OWN, SET)
            ]
            for name, (test, _) in COUNTS.items()
        }


def _edition(home: Path) -> duckdb.DuckDBPyConnection:
    edition = (home / "editions" / "current").resolve()
    return duckdb.connect(str(edition / "portfolio.duckdb"), read_only=True)


def _found(connection: duckdb.DuckDBPyConnection, c: Compared) -> tuple[int, int]:
    def rows(road: str) -> str:
        return f"select {c.columns} from {c.table} where programme_id = '{road}'"

    n_rows = max(_number(connection, f"select count(*) from ({rows(road)})") for road in (OWN, SET))
    n_different = max(
        _number(connection, f"select count(*) from ({rows(one)} except all {rows(other)})")
        for one, other in ((OWN, SET), (SET, OWN))
    )
    return n_rows, n_different


def _number(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(connection.execute(sql).fetchall()[0][0])
