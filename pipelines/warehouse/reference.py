"""What `raw` holds beside events: people, code lists, rules."""

from __future__ import annotations

from datetime import datetime
from typing import Any

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
