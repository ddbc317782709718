"""Pseudonyms of whole columns, worked out once for each distinct id."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

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
    """Return written id, folded `person_id`, `pseudonym` and `content` of each distinct id."""
    known = _known(namespace, keys)
    rows = []
    for written in ids.drop_nulls().unique().sort().to_list():
        if written not in known:
            folded = namespace.folding.fold(written)
            known[written] = (
                written,
                folded,
                keys.pseudonym_of(namespace.name, folded),
                keys.content_of(namespace.name, folded),
            )
        rows.append(known[written])
    return pl.DataFrame(
        rows,
        schema=dict.fromkeys(("written", "person_id", "pseudonym", "content"), pl.String),
        orient="row",
    )


@lru_cache(maxsize=8)
def _known(_namespace: Namespace, _keys: Keys) -> dict[str, tuple[str, str, str, str]]:
    """Return the ids that this process has met, which the next chunk mostly holds again."""
    return {}
