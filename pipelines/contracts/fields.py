"""The field types that contracts share, each declared once.

A type carries what intake must know about it as metadata: `Person` becomes a pseudonym before
anything is stored, `VAULTED` and `VAULT_ONLY` go to the vault only, `VERBATIM` is kept word for
word and masked wherever it is mentioned outside the restricted folder.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

IDENTIFIER_PATTERN = r"^[^\s\p{C}]([^\p{C}]*[^\s\p{C}])?$"
IDENTIFIER_LENGTH = 200
FIRST_YEAR, LAST_YEAR = 1900, 2199
SCORE_DIGITS = 18
SCORE_PLACES = 6


@dataclass(frozen=True)
class Person:
    """Marks a source's own id of a person, met in one of two roles: learner or assessor."""

    role: str


@dataclass(frozen=True)
class Vaulted:
    """Marks what only the vault may hold, such as a name."""


@dataclass(frozen=True)
class Verbatim:
    """Marks free text that people wrote."""


@dataclass(frozen=True)
class JsonText:
    """Marks a field that arrives as JSON text when a source is read into columns."""


@dataclass(frozen=True)
class VaultOnly:
    """Marks ids that no segment holds, not even as pseudonyms: they make the identity bridge."""


LEARNER = Person("learner")
ASSESSOR = Person("assessor")
VAULTED = Vaulted()
VERBATIM = Verbatim()
VAULT_ONLY = VaultOnly()

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ].+)?")


def _parse_json_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def number_text(value: Any) -> Any:
    """Refuse what Python would take for a number and people would not, such as `1_000`."""
    if isinstance(value, bool) or (isinstance(value, str) and not _NUMBER.fullmatch(value)):
        raise PydanticCustomError("not_a_number", "not a number")
    return value


def day_text(value: Any) -> Any:
    """Take days written as YYYY-MM-DD only: a bare number is not a count of seconds."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise PydanticCustomError("not_a_date", "not a day")
    return value


def time_text(value: Any) -> Any:
    """Take times written as ISO 8601 only: a bare number is not a count of seconds."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise PydanticCustomError("not_a_time", "not a time")
    return value


def plausible(value: date) -> date:
    """Refuse a year that can only be a slip, such as 0202."""
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise PydanticCustomError("implausible_year", "year out of range")
    return value


def to_utc(value: datetime) -> datetime:
    """Return the same instant in UTC."""
    return value.astimezone(UTC)


_IDENTIFIER = StringConstraints(
    min_length=1, max_length=IDENTIFIER_LENGTH, pattern=IDENTIFIER_PATTERN
)

Identifier = Annotated[str, _IDENTIFIER]
"""A source's own name for a thing: 1 to 200 characters, no control characters, no outer spaces."""

LearnerId = Annotated[str, _IDENTIFIER, LEARNER]
"""A source's own id of a learner; stored only as a pseudonym."""

PersonId = Annotated[str, _IDENTIFIER, ASSESSOR]
"""A source's own id of anybody else: assessor, mentor, member; stored only as a pseudonym."""

PersonName = Annotated[str, StringConstraints(min_length=1, max_length=200), VAULTED]
"""A name or address of a person; stored only in the vault."""

Label = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""A short text as the source wrote it, such as a scale label or a title."""

Narrative = Annotated[str, StringConstraints(min_length=1, max_length=50_000), VERBATIM]
"""Free text kept word for word, at most 50,000 characters."""

Score = Annotated[
    Decimal,
    Field(max_digits=SCORE_DIGITS, decimal_places=SCORE_PLACES, allow_inf_nan=False),
    BeforeValidator(number_text),
]
"""An exact decimal number, up to 12 digits before the point and 6 after it."""

Share = Annotated[
    Decimal,
    Field(ge=0, le=1, max_digits=SCORE_DIGITS, decimal_places=SCORE_PLACES, allow_inf_nan=False),
    BeforeValidator(number_text),
]
"""A part of a whole, 0 to 1."""

Count = Annotated[int, Field(ge=0, le=1_000_000_000), BeforeValidator(number_text)]
"""A whole number, 0 or more."""

Offset = Annotated[int, Field(ge=-100_000, le=100_000), BeforeValidator(number_text)]
"""A number of days before or after something."""

Ordinal = Annotated[int, Field(ge=0, le=100), BeforeValidator(number_text)]
"""The position of a level on an ordinal scale, 0 to 100."""

Version = Annotated[int, Field(ge=0, le=9_000_000_000_000_000), BeforeValidator(number_text)]
"""A source's own version of a record: a counter, or microseconds since 1970."""

Day = Annotated[date, BeforeValidator(day_text), AfterValidator(plausible)]
"""A calendar day in the programme's time zone, written YYYY-MM-DD, from 1900 to 2199."""

UtcTime = Annotated[
    AwareDatetime, BeforeValidator(time_text), AfterValidator(plausible), AfterValidator(to_utc)
]
"""An instant from 1900 to 2199; any offset is accepted and stored as UTC."""

Names = Annotated[
    list[Identifier], Field(max_length=100), BeforeValidator(_parse_json_text), JsonText()
]
"""A list of codes, up to 100."""

PersonIds = Annotated[
    list[Annotated[str, _IDENTIFIER]],
    Field(max_length=100),
    BeforeValidator(_parse_json_text),
    JsonText(),
    ASSESSOR,
]
"""A list of source ids of persons, up to 100; stored only as pseudonyms."""

OtherIds = Annotated[PersonIds, VAULT_ONLY]
"""Other source ids of the same person; only the vault holds them."""


NeedToKnow = Literal["case_holders", "chair", "committee", "mentor"]
"""The widest circle that may see a record: who handles the case; also the chair of the committee;
also its members when they meet; also the learner's mentor."""


def json_list(item: Any, max_length: int = 100) -> Any:
    """Return the type of a list of `item` that may arrive as JSON text."""
    return Annotated[
        list[item],
        Field(max_length=max_length),
        BeforeValidator(_parse_json_text),
        JsonText(),
    ]
