"""duckdb-engine's dialect with a cursor of its own for every statement.

duckdb-engine hands all statements of a connection the same DuckDB cursor, so that the rollback with
which SQLAlchemy closes a connection throws away results that Great Expectations has yet to fetch.
"""

from __future__ import annotations

from typing import Any

from duckdb_engine import ConnectionWrapper, CursorWrapper
from duckdb_engine import Dialect as DuckDBDialect
from sqlalchemy.dialects import registry

NAME = "duckdb.tessera"


class Connection(ConnectionWrapper):
    """A connection whose cursors do not share their results."""

    def cursor(self) -> CursorWrapper:
        """Return a cursor of its own."""
        return CursorWrapper(super().cursor().cursor(), self)


class Dialect(DuckDBDialect):
    """DuckDB for SQLAlchemy, as Great Expectations needs it."""

    supports_statement_cache = False

    def connect(self, *args: Any, **options: Any) -> Any:
        """Open a database."""
        plain = super().connect(*args, **options)
        return Connection(plain.cursor().cursor())


registry.register(NAME, __name__, "Dialect")
