"""A fast proof that a statement is right, for the shapes that nearly all statements have.

Structs of msgspec read a line and hold it to the properties and types of the specification in one
pass; formats are asked of `values`, and what was said of IRIs and languages is remembered, since
few of them make up most statements. What cannot be proven good goes to `statements`, which alone
says what is wrong: nothing is refused here. What is proven is right in every version: the shapes
are those that all have. A property test keeps the two equal.
"""

from __future__ import annotations

import re
from typing import Any, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from pipelines.sources.xapi import values
from pipelines.sources.xapi.objects import VOIDED

T = TypeVar("T")
Maybe: TypeAlias = T | UnsetType
"""A property that may be left out, and must not be null."""

Texts = dict[str, str]
Extensions = dict[str, Any]


_is_time = values.matcher(values.PLAIN_TIMESTAMP)


class _Part(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An object of the specification: other properties than its own are not proven good."""


class Account(_Part):
    """An account, in its system."""

    homePage: str  # noqa: N815 - as the specification writes it
    name: str


class Agent(_Part):
    """An Agent."""

    objectType: Maybe[Literal["Agent"]] = UNSET  # noqa: N815 - as the specification writes it
    name: Maybe[str] = UNSET
    mbox: Maybe[str] = UNSET
    mbox_sha1sum: Maybe[str] = UNSET
    openid: Maybe[str] = UNSET
    account: Maybe[Account] = UNSET

    def is_right(self) -> bool:
        """Tell whether there is exactly one identifier, and its format is kept."""
        given = self.mbox, self.mbox_sha1sum, self.openid, self.account
        if given.count(UNSET) != 3:
            return False
        mbox, sha1, openid, account = given
        if account is not UNSET:
            return values.IRIS[account.homePage]
        if mbox is not UNSET:
            return bool(values.is_mailto(mbox))
        if openid is not UNSET:
            return bool(values.is_uri(openid))
        return sha1 is not UNSET and bool(values.is_sha1(sha1))


class Verb(_Part):
    """A verb."""

    id: str
    display: Maybe[Texts] = UNSET


class Definition(_Part):
    """An Activity definition without interaction."""

    name: Maybe[Texts] = UNSET
    description: Maybe[Texts] = UNSET
    type: Maybe[str] = UNSET
    moreInfo: Maybe[str] = UNSET  # noqa: N815 - as the specification writes it
    extensions: Maybe[Extensions] = UNSET

    def is_right(self) -> bool:
        """Tell whether the formats are kept."""
        return (
            _all_of(values.LANGUAGES, self.name)
            and _all_of(values.LANGUAGES, self.description)
            and (self.type is UNSET or values.IRIS[self.type])
            and (self.moreInfo is UNSET or values.IRIS[self.moreInfo])
            and _all_of(values.IRIS, self.extensions)
        )


class Activity(_Part):
    """An Activity."""

    id: str
    objectType: Maybe[Literal["Activity"]] = UNSET  # noqa: N815 - as the specification writes it
    definition: Maybe[Definition] = UNSET

    def is_right(self) -> bool:
        """Tell whether the formats are kept."""
        return values.IRIS[self.id] and (self.definition is UNSET or self.definition.is_right())


class Score(_Part):
    """A score."""

    scaled: Maybe[float] = UNSET
    raw: Maybe[float] = UNSET
    min: Maybe[float] = UNSET
    max: Maybe[float] = UNSET

    def is_right(self) -> bool:
        """Tell whether the numbers are in their range and in order."""
        low = float("-inf") if self.min is UNSET else self.min
        high = float("inf") if self.max is UNSET else self.max
        return (
            low < high
            and (self.scaled is UNSET or -1 <= self.scaled <= 1)
            and (self.raw is UNSET or low <= self.raw <= high)
        )


class Result(_Part):
    """A result."""

    score: Maybe[Score] = UNSET
    success: Maybe[bool] = UNSET
    completion: Maybe[bool] = UNSET
    response: Maybe[str] = UNSET
    duration: Maybe[str] = UNSET
    extensions: Maybe[Extensions] = UNSET

    def is_right(self) -> bool:
        """Tell whether the formats are kept."""
        return (
            _all_of(values.IRIS, self.extensions)
            and (self.score is UNSET or self.score.is_right())
            and (self.duration is UNSET or bool(values.is_duration(self.duration)))
        )


class StatementRef(_Part):
    """A reference to another statement."""

    objectType: Literal["StatementRef"]  # noqa: N815 - as the specification writes it
    id: str


Activities = Activity | list[Activity]


class ContextActivities(_Part):
    """Activities that belong to the experience."""

    parent: Maybe[Activities] = UNSET
    grouping: Maybe[Activities] = UNSET
    category: Maybe[Activities] = UNSET
    other: Maybe[Activities] = UNSET

    def is_right(self) -> bool:
        """Tell whether every Activity is right."""
        return (
            _are_right(self.parent)
            and _are_right(self.grouping)
            and _are_right(self.category)
            and _are_right(self.other)
        )


class Context(_Part):
    """A context without team."""

    registration: Maybe[str] = UNSET
    instructor: Maybe[Agent] = UNSET
    contextActivities: Maybe[ContextActivities] = UNSET  # noqa: N815 - as the specification has it
    revision: Maybe[str] = UNSET
    platform: Maybe[str] = UNSET
    language: Maybe[str] = UNSET
    statement: Maybe[StatementRef] = UNSET
    extensions: Maybe[Extensions] = UNSET

    def is_right(self) -> bool:
        """Tell whether the formats are kept."""
        return (
            _all_of(values.IRIS, self.extensions)
            and (self.contextActivities is UNSET or self.contextActivities.is_right())
            and (self.registration is UNSET or bool(values.is_uuid(self.registration)))
            and (self.instructor is UNSET or self.instructor.is_right())
            and (self.language is UNSET or values.LANGUAGES[self.language])
            and (self.statement is UNSET or bool(values.is_uuid(self.statement.id)))
        )


class Statement(_Part):
    """A statement about an Activity, without attachments."""

    actor: Agent
    verb: Verb
    object: Activity
    id: Maybe[str] = UNSET
    result: Maybe[Result] = UNSET
    context: Maybe[Context] = UNSET
    timestamp: Maybe[str] = UNSET
    stored: Maybe[str] = UNSET
    authority: Maybe[Agent] = UNSET
    version: Maybe[str] = UNSET

    def is_right(self) -> bool:
        """Tell whether the statement is right in every version."""
        verb = self.verb.id
        return (
            values.IRIS[verb]
            and verb != VOIDED
            and _all_of(values.LANGUAGES, self.verb.display)
            and self.actor.is_right()
            and self.object.is_right()
            and (self.result is UNSET or self.result.is_right())
            and (self.context is UNSET or self.context.is_right())
            and (self.id is UNSET or bool(values.is_uuid(self.id)))
            and (self.timestamp is UNSET or bool(_is_time(self.timestamp)))
            and (self.stored is UNSET or bool(_is_time(self.stored)))
            and (self.authority is UNSET or self.authority.is_right())
            and (self.version is UNSET or bool(values.is_version(self.version)))
        )


def _all_of(answers: values.Answers, keys: Maybe[dict[str, Any]]) -> bool:
    if keys is not UNSET:
        for key in keys:
            if not answers[key]:
                return False
    return True


def _are_right(activities: Maybe[Activities]) -> bool:
    if activities is UNSET:
        return True
    if isinstance(activities, Activity):
        return activities.is_right()
    return all(activity.is_right() for activity in activities)


_decode = msgspec.json.Decoder(Statement).decode
_encode = msgspec.json.Encoder().encode
_spaced_colon = re.compile(rb'"[ \t\r]+:').search
MOST_BRACKETS = 200


def has_each_key_once(line: bytes, content: Any) -> bool:
    """Tell whether no object of a JSON text holds a key twice.

    Written out again, the content has one quote and colon for each key that is left, and the same
    ones within texts as the line. Lines that write quotes in another way are not proven.
    """
    return (
        line.count(b'":') == _encode(content).count(b'":')
        and b"\\u0022" not in line
        and _spaced_colon(line) is None
    )


def is_shallow(line: bytes) -> bool:
    """Tell whether a line has too few brackets to be nested too deeply."""
    return line.count(b"{") + line.count(b"[") <= MOST_BRACKETS


def is_proven(line: bytes) -> bool:
    """Tell whether a line is a statement that is certainly right."""
    try:
        statement = _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return statement.is_right() and is_shallow(line) and has_each_key_once(line, statement)
