"""A link to the pages in Airflow's own menu.

It is a link and not a mount: `tessera serve` shows one role's pages to one machine, and Airflow's
users are not asked twice who they are. Where the pages are served elsewhere, the site says so.
"""

from __future__ import annotations

import os
from typing import Any

from airflow.plugins_manager import AirflowPlugin

SERVED_AT = "http://127.0.0.1:8765/"


def link() -> dict[str, Any]:
    """Return the entry of the menu, `TESSERA_SERVE_URL` where that is set."""
    return {
        "name": "Committee pack",
        "href": os.environ.get("TESSERA_SERVE_URL", SERVED_AT),
        "destination": "nav",
        "category": "browse",
    }


class TesseraPlugin(AirflowPlugin):
    """Adds the link; nothing else of Airflow is touched."""

    name = "tessera"
    external_views = [link()]  # noqa: RUF012  Airflow declares it so
