"""Airflow connections, for those who keep secrets there."""

from __future__ import annotations

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

PREFIX = "lrs_"


def uri_of_store(source: str) -> str | None:
    """Return the connection `lrs_<source>` as a URI, or None where there is none."""
    try:
        uri: str = Connection.get(PREFIX + source).get_uri()
    except AirflowNotFoundException:
        return None
    return uri
