"""The person whom an erasure takes out, by everything that tells who they are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipelines.identity.dates import DATED_BY

MARK = "[erased]"
_NO_LETTER = r"[^\pL\pN]"


@dataclass(frozen=True)
class Target:
    """The person who is erased, by everything that tells who they are.

    Attributes:
        ids: every id that was nobody else's, by name space.
        shared: ids that other people had as well, before or after.
        stretches: pseudonyms, each with the first and last day on which it meant the person.
        words: texts that give the person away wherever they stand: names, addresses, long ids.
        stone_id: the id that stands in their place.
        stone_pseudonym: its pseudonym.
    """

    ids: frozenset[tuple[str, str]]
    shared: frozenset[tuple[str, str]]
    stretches: tuple[tuple[str, date | None, date | None], ...]
    words: frozenset[str]
    stone_id: str
    stone_pseudonym: str

    @property
    def pseudonyms(self) -> list[str]:
        """Return the pseudonyms of the person."""
        return sorted({pseudonym for pseudonym, _, _ in self.stretches})

    @property
    def pattern(self) -> str:
        """Return an expression for the words, in the dialect of polars and DuckDB."""
        listed = "|".join(re.escape(word).replace("/", "/") for word in longest_first(self.words))
        return rf"(?i)(^|{_NO_LETTER})(?:{listed})($|{_NO_LETTER})" if listed else ""

    def scrub(self, text: str) -> str:
        """Return a text without the words."""
        if not self.words:
            return text
        listed = "|".join(map(re.escape, longest_first(self.words)))
        return re.sub(rf"(?i)(?<![^\W_])(?:{listed})(?![^\W_])", MARK, text)

    def scrubbed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return a frame without the words in any of its texts."""
        if not self.pattern:
            return frame
        texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
        twice = [self._without(self._without(pl.col(name))) for name in texts]
        return frame.with_columns(twice)

    def _without(self, text: pl.Expr) -> pl.Expr:
        return text.str.replace_all(self.pattern, f"${{1}}{MARK}${{2}}")

    def is_about(self, kind: str, column: str, present: Iterable[str]) -> pl.Expr:
        """Tell whether a pseudonym means the person, on the day of the record."""
        dated_by = DATED_BY.get(kind)
        day = pl.col("known_at").dt.date()
        if dated_by in set(present):
            day = pl.coalesce(pl.col(str(dated_by)).cast(pl.Date), day)
        is_meant = pl.lit(value=False)
        for pseudonym, begins, ends in self.stretches:
            is_then = (day >= (begins or date.min)) & (day <= (ends or date.max))
            is_meant |= (pl.col(column) == pseudonym) & is_then
        return is_meant


def longest_first(words: Iterable[str]) -> list[str]:
    """Return words so that none comes before a longer one that it begins."""
    return sorted(words, key=lambda word: (-len(word), word))
