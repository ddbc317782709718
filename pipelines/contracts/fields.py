"""The field types that contracts share, each declared once.

A type carries what intake must know about it as metadata: `PERSON` becomes a pseudonym before
anything is stored, `VAULTED` goes to the vault only, `VERBATIM` is kept word for word and masked
wherever it is mentioned outside the restricted folder.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints

IDENTIFIER_PATTERN = r"^[^\s\p{C}]([^\p{C}]{0,198}[^\s\p{C}])?$"
SCORE_DIGITS = 18
SCORE_PLACES = 6


@dataclass(frozen=True)
class Person:
    """Marks a source's own id of a person."""


@dataclass(frozen=True)
class Vaulted:
    """Marks what only the vault may hold, such as a name."""


@dataclass(frozen=True)
class Verbatim:
    """Marks free text that people wrote."""


@dataclass(frozen=True)
class JsonText:
    """Marks a field that arrives as JSON text when a source is read into columns."""


PERSON = Person()
VAULTED = Vaulted()
VERBATIM = Verbatim()


def _parse_json_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _to_utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


Identifier = Annotated[str, StringConstraints(pattern=IDENTIFIER_PATTERN)]
"""A source's own name for a thing: 1 to 200 characters, no control characters, no outer spaces."""

PersonId = Annotated[str, StringConstraints(pattern=IDENTIFIER_PATTERN), PERSON]
"""A source's own id of a person; stored only as a pseudonym."""

PersonName = Annotated[str, StringConstraints(min_length=1, max_length=200), VAULTED]
"""A name or address of a person; stored only in the vault."""

Label = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""A short text as the source wrote it, such as a scale label or a title."""

Narrative = Annotated[str, StringConstraints(min_length=1, max_length=50_000), VERBATIM]
"""Free text kept word for word, at most 50,000 characters."""

Score = Annotated[
    Decimal, Field(max_digits=SCORE_DIGITS, decimal_places=SCORE_PLACES, allow_inf_nan=False)
]
"""An exact decimal number, up to 12 digits before the point and 6 after it."""

Share = Annotated[Decimal, Field(ge=0, le=1, max_digits=SCORE_DIGITS, decimal_places=SCORE_PLACES)]
"""A part of a whole, 0 to 1."""

Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
"""A whole number, 0 or more."""

Offset = Annotated[int, Field(ge=-100_000, le=100_000)]
"""A number of days before or after something."""

Ordinal = Annotated[int, Field(ge=0, le=100)]
"""The position of a level on an ordinal scale, 0 to 100."""

Version = Annotated[int, Field(ge=0, le=9_000_000_000_000_000)]
"""A source's own version of a record: a counter, or microseconds since 1970."""

Day = date
"""A calendar day in the programme's time zone."""

UtcTime = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""An instant; any offset is accepted and stored as UTC."""

Names = Annotated[
    list[Identifier], Field(max_length=100), BeforeValidator(_parse_json_text), JsonText()
]
"""A list of codes, up to 100."""

PersonIds = Annotated[
    list[Annotated[str, StringConstraints(pattern=IDENTIFIER_PATTERN)]],
    Field(max_length=100),
    BeforeValidator(_parse_json_text),
    JsonText(),
    PERSON,
]
"""A list of source ids of persons, up to 100; stored only as pseudonyms."""


def json_list(item: Any, max_length: int = 100) -> Any:
    """Return the type of a list of `item` that may arrive as JSON text."""
    return Annotated[
        list[item],
        Field(max_length=max_length),
        BeforeValidator(_parse_json_text),
        JsonText(),
    ]
