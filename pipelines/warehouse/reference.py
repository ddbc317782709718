"""What `raw` holds beside events: people, code lists, rules, the calibration in force."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import duckdb

from pipelines.home import Home
from pipelines.rules import load_catalogue
from pipelines.settings import Settings


def reference_tables(
    home: Home, settings: Settings, known_at: datetime | None
) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every raw table that is replaced whole at each load."""
    catalogue = load_catalogue(settings.site)
    return {
        "rule_set": catalogue.rule_rows(),
        "ai_policy_level": catalogue.ai_policy_rows(),
    }


def programme_time_zone(con: duckdb.DuckDBPyConnection, settings: Settings) -> str:
    return "UTC"


def calibration_version(home: Home) -> str | None:
    return None
