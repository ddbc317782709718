"""Finds what in free text points to a patient, or says how to reach somebody.

In short answers and codes, such as the setting, only an e-mail address is looked for: what else is
written there may be a number of anything.

The rules are rows of the code list `identifiers.csv`. One regular expression made of all of them
looks over whole columns; only texts that it meets are read rule by rule, with check digits and the
words that must stand before a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.sources.codes.vocabularies import PHONE, countries

if TYPE_CHECKING:
    from pipelines.sources.spec import SourceSpec

_BETWEEN = (
    r"[^\w\n]{0,6}(?:(?:is|was|no|nr|num|number|nummer|on|am|the|le|el|il)\b[^\w\n]{0,4}){0,2}"
)
_APART = r"(?<!\w)(?<!\w[-./@])(?:{})(?!\w)(?![-./]\w)"
_NO_LIST = r"(?<![0-9] ){}(?! [0-9])"
_CALL = re.compile(
    r"(?i)\b(?:tel|telephone|phone|mobile|mob|call|ring|telefon|handy|rufen)\b\W{0,4}$"
)
_CALL_WITHIN = 24
_IN_CODES = frozenset({"email"})
"""Rules whose form is that of nothing else."""


@dataclass(frozen=True)
class IdentifierRule:
    """One row of the code list.

    Attributes:
        identifier_id: its id.
        code: what a record that holds it is refused with.
        words: what it is, in words.
        pattern: how it is written.
        after: words of which one must stand right before it, as alternatives of a pattern.
        check: the module of `stdnum` that knows its check digits, or `phone`.
        countries: where it counts, by the source's time zone; everywhere, where empty.
    """

    identifier_id: str
    code: str
    words: str
    pattern: str
    after: str | None
    check: str | None
    countries: tuple[str, ...]

    def find(self, text: str, country: str | None) -> int | None:
        """Return where the first one begins in a text."""
        for found in _compiled(self).finditer(text):
            start, written = found.start(1), found.group(1)
            if self.check is None or (
                _is_phone(text, start, written, country)
                if self.check == PHONE
                else _checker(self.check).is_valid(written)
            ):
                return start
        return None


@dataclass(frozen=True)
class Identifiers:
    """The rules that hold for one source."""

    rules: tuple[IdentifierRule, ...] = ()
    country: str | None = None

    def in_codes(self) -> Identifiers:
        """Return those that are looked for in short answers and codes too."""
        return replace(self, rules=tuple(r for r in self.rules if r.identifier_id in _IN_CODES))

    def find(self, text: str) -> Iterator[tuple[IdentifierRule, int]]:
        """Yield the rules that find something in a text, and where."""
        for rule in self.rules:
            start = rule.find(text, self.country)
            if start is not None:
                yield rule, start

    def screen(self, column: str) -> pl.Expr:
        """Return an expression that is true for every text that `find` may find something in."""
        if not self.rules:
            return pl.lit(value=False)
        return pl.col(column).str.contains(_screen(self.rules)).fill_null(value=False)


NOTHING = Identifiers()


def identifiers_of(spec: SourceSpec, table: pl.DataFrame) -> Identifiers:
    """Return the rules that hold for a source: those of its country, less what it allows."""
    country = country_of(spec.time_zone.name)
    rules = []
    for row in table.iter_rows(named=True):
        countries = tuple((row["countries"] or "").split())
        if row["identifier_id"] in spec.allow_identifiers:
            continue
        if not countries or country in countries:
            names = ("identifier_id", "code", "words", "pattern", "after", "check")
            rules.append(IdentifierRule(**{n: row[n] for n in names}, countries=countries))
    return Identifiers(tuple(rules), country)


def country_of(zone: str) -> str | None:
    """Return the country of a time zone, as ISO 3166 writes it."""
    return countries().get(zone)


@cache
def _checker(name: str) -> Any:
    return import_module(f"stdnum.{name}")


@cache
def _compiled(rule: IdentifierRule) -> re.Pattern[str]:
    if rule.after is not None:
        return re.compile(
            rf"(?i)(?<!\w)(?:{rule.after})(?!\w){_BETWEEN}({rule.pattern})(?!\w)(?![-./]\w)"
        )
    apart = _APART.format(f"({rule.pattern})")
    # numbers in a row are readings, such as laboratory values
    return re.compile(apart if rule.code == "contact_detail" else _NO_LIST.format(apart))


@lru_cache(maxsize=64)
def _screen(rules: tuple[IdentifierRule, ...]) -> str:
    """Return one pattern, in the dialect of polars, that matches wherever a rule may."""
    parts = [f"(?i:{rule.after})" if rule.after else f"(?:{rule.pattern})" for rule in rules]
    return "|".join(dict.fromkeys(parts))


def _is_phone(text: str, start: int, written: str, country: str | None) -> bool:
    """Tell whether a number can be called: as it is grouped, or since it says so before it."""
    import phonenumbers

    is_called = _CALL.search(text[max(0, start - _CALL_WITHIN) : start]) is not None
    lenient = phonenumbers.Leniency
    leniency = lenient.VALID if written.startswith("+") else lenient.STRICT_GROUPING
    if is_called:
        leniency = lenient.POSSIBLE
    return any(True for _ in phonenumbers.PhoneNumberMatcher(written, country, leniency=leniency))
