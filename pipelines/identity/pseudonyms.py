"""Pseudonyms of whole columns, worked out once for each distinct id."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipelines.identity.vault import Keys


@dataclass(frozen=True)
class Folding:
    """Which differences between two writings of an id mean nothing, as the source declares."""

    fold_case: bool = False
    strip_leading_zeros: bool = False

    def fold(self, person_id: str) -> str:
        """Return the id without the differences that mean nothing."""
        if self.fold_case:
            person_id = person_id.casefold()
        if self.strip_leading_zeros:
            person_id = person_id.lstrip("0") or "0"
        return person_id


@dataclass(frozen=True)
class Namespace:
    """Where a source's person ids come from, and how they are written."""

    name: str
    folding: Folding = Folding()

    def identity_of(self, written: str) -> tuple[str, str]:
        """Return name space and folded id of `id` or `namespace:id`."""
        other, colon, rest = written.partition(":")
        if colon and rest and other != self.name:
            return other, rest
        return self.name, self.folding.fold(rest if colon and rest else written)


def pseudonymise(ids: pl.Series, namespace: Namespace, keys: Keys) -> pl.DataFrame:
    """Return written id, folded `person_id` and `pseudonym` of each distinct id."""
    written = ids.drop_nulls().unique().sort().to_list()
    folded = [namespace.folding.fold(item) for item in written]
    return pl.DataFrame(
        {
            "written": written,
            "person_id": folded,
            "pseudonym": [keys.pseudonym_of(namespace.name, item) for item in folded],
        },
        schema={"written": pl.String, "person_id": pl.String, "pseudonym": pl.String},
    )
