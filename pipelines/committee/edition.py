"""The edition that a pack is made from: found once, and checked before a page is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.home import Home
from pipelines.warehouse import editions
from pipelines.warehouse.connection import WarehouseError
from pipelines.warehouse.tables import file_hash


class EditionError(Exception):
    """The edition cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Source:
    """One published edition, and what it says of itself."""

    path: Path
    edition: editions.Edition
    digest: str
    """SHA-256 of `edition.json`, which holds the hashes of the tables."""

    @property
    def edition_id(self) -> str:
        """Return the edition's id."""
        return self.edition.edition_id

    @property
    def database(self) -> Path:
        """Return the DuckDB file that holds the marts."""
        return self.path / editions.DATABASE

    def is_damaged(self, error: duckdb.Error) -> bool:
        """Say whether an error of DuckDB is about the file, and not about what was asked."""
        return isinstance(error, duckdb.IOException) or "orrupt" in str(error)

    def verify(self) -> None:
        """Hold the edition against the hashes in its `edition.json`.

        Raises:
            EditionError: something is not what was published.
        """
        problems = editions.verify(self.path)
        if problems:
            raise EditionError(
                f"edition {self.edition_id} is not what was published: {'; '.join(problems)}. "
                f"Nothing is made from it: {editions.REMEDY}"
            )


def find(home: Home, edition_id: str | None) -> Source:
    """Return an edition, by default the current one; the link is followed once.

    Raises:
        EditionError: there is none, or it cannot be read.
    """
    try:
        folder = editions.folder_of(home, edition_id)
        return Source(
            folder,
            editions.read_edition(folder),
            file_hash(folder / editions.MANIFEST),
        )
    except WarehouseError as error:
        raise EditionError(str(error)) from None
