"""What `raw` holds beside events: people, code lists, rules; and what a build asks of the site."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import duckdb
import polars as pl

from pipelines.home import Home
from pipelines.identity.bridge import bridge
from pipelines.intake.aside import ROSTERS
from pipelines.intake.standing import Standing
from pipelines.rules import Catalogue, load_catalogue
from pipelines.settings import Settings
from pipelines.sources import catalogue
from pipelines.sources import codes as code_lists
from pipelines.warehouse import cut_scores
from pipelines.warehouse.raw_rows import Rows

CODE_LISTS = {
    "assessor_role": "assessor_roles",
    "instrument": "instruments",
    "scale_level": "scales",
}
"""Raw tables that hold a code list, and its name."""

NO_ZONE = "UTC"


def reference_tables(home: Home, settings: Settings, known_at: datetime | None) -> dict[str, Rows]:
    """Return the rows of every raw table that is replaced whole at each load."""
    return {**declared_tables(settings), "cut_score": cut_scores.rows(home, known_at)}


def declared_tables(settings: Settings) -> dict[str, Rows]:
    """Return the rows of the raw tables that hold what files declare: rules and code lists.

    Raises:
        RuleFileError: a rule set has a fault; the message says where.
        SourceError: a code list has one.
    """
    codes = code_lists.load(settings)
    return {
        **rule_tables(load_catalogue(settings.site)),
        **{table: codes[name] for table, name in CODE_LISTS.items()},
    }


def rule_tables(rules: Catalogue) -> dict[str, Rows]:
    """Return the rows of the raw tables that hold rule sets and AI policies."""
    return {"rule_set": rules.rule_rows(), "ai_policy_level": rules.ai_policy_rows()}


def programme_time_zone(con: duckdb.DuckDBPyConnection, settings: Settings) -> str:
    """Return the zone in which instants become days: the one that most sources of the log name."""
    specs = catalogue.load(settings).sources
    loaded = con.execute("select distinct source_id from raw.intake_record").fetchall()
    named = Counter(specs[source].time_zone.name for (source,) in loaded if source in specs)
    return min(named, key=lambda zone: (-named[zone], zone), default=NO_ZONE)


def calibration_version(con: duckdb.DuckDBPyConnection) -> str | None:
    """Return the version of the calibration in force, or None where none was made."""
    found: str | None = con.execute(
        "select max(calibration_version) from raw.calibration_connectivity"
    ).fetchall()[0][0]
    return found


def identities(
    con: duckdb.DuckDBPyConnection, home: Home, stands: Standing, known_at: datetime | None
) -> pl.DataFrame:
    """Return who is who, by the roster records that `raw` holds as accepted."""
    committed = [(record.delivery_id, record.interpretation_id) for record in stands.committed]
    each = " union all ".join(
        f"select event_id from raw.{kind} where present_outcome = 'accepted'" for kind in ROSTERS
    )
    accepted = pl.Series([row[0] for row in con.execute(each).fetchall()], dtype=pl.String)
    return bridge(
        home,
        committed,
        known_at=known_at,
        linking_events=accepted,
        known_earlier=stands.known_earlier,
    )
