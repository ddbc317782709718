"""The scalar types of xAPI: which texts are an IRI, a UUID, a time, a duration, a language.

Each type is a pattern that the whole text must match, and where a pattern cannot say it all (the
days of a month) a question beside it. The patterns are ASCII where the standards are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

_HEX = "[0-9A-Fa-f]"

UUID = rf"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"
"""RFC 4122, in its standard string form; which variant it is, no requirement asks."""

_SCHEME = "[A-Za-z][A-Za-z0-9+.-]*:"
_PERCENT = rf"%{_HEX}{{2}}"
_ANY = r"[^\x00-\x20\x7f-\xa0<>{}|^`%\s]"
IRI = rf"{_SCHEME}(?!\Z){_ANY}*+(?:{_PERCENT}{_ANY}*+)*+"
"""RFC 3987: absolute, with a scheme. Quotes and backslashes, which published verdicts let pass, do
so here too."""

URI = rf"{_SCHEME}(?:[!-~](?<![<>{{}}|^`%\"\\])|{_PERCENT})+"
"""RFC 3986: as an IRI, in ASCII."""

MAILTO = r"mailto:[^\s\x00-\x1f@<>]+@(?:\[[^\s\[\]<>@]+\]|[^\s\x00-\x1f@<>,;:?\[\]]+)"
SHA1 = rf"{_HEX}{{40}}"
SHA2 = rf"(?:{_HEX}{{56}}|{_HEX}{{64}}|{_HEX}{{96}}|{_HEX}{{128}})"
"""SHA-224, 256, 384 or 512, as all examples of the standard write it."""

_LANGUAGE = "(?:[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}|[A-Za-z]{4}|[A-Za-z]{5,8})"
_SCRIPT = "(?:-[A-Za-z]{4})?"
_REGION = "(?:-(?:[A-Za-z]{2}|[0-9]{3}))?"
_VARIANTS = "(?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*"
_EXTENSIONS = "(?:-[A-WY-Za-wy-z0-9](?:-[A-Za-z0-9]{2,8})+)*"
_PRIVATE = "[xX](?:-[A-Za-z0-9]{1,8})+"
_IRREGULAR = "|".join(
    (
        "(?i:en-GB-oed",
        "i-(?:ami|bnn|default|enochian|hak|klingon|lux|mingo|navajo|pwn|tao|tay|tsu)",
        "sgn-BE-FR",
        "sgn-BE-NL",
        "sgn-CH-DE",
        "art-lojban",
        "cel-gaulish",
        "no-bok",
        "no-nyn",
        "zh-(?:guoyu|hakka|min|min-nan|xiang))",
    )
)
LANGUAGE = (
    f"(?:{_LANGUAGE}{_SCRIPT}{_REGION}{_VARIANTS}{_EXTENSIONS}(?:-{_PRIVATE})?"
    f"|{_PRIVATE}|{_IRREGULAR})"
)
"""RFC 5646: a language tag that is well formed."""

_WORD = r"[A-Za-z0-9!#$&^_.+*'|~`%-]+"
_MEDIA = "application|audio|chemical|example|font|haptics|image|message|model|multipart|text|video"
_QUOTED = r'"(?:[^"\\\x00-\x08\x0a-\x1f]|\\.)*"'
MEDIA_TYPE = (
    rf"(?i:{_MEDIA}|x-[A-Za-z0-9!#$&^_.+-]+)/{_WORD}"
    rf"(?:[ \t]*;[ \t]*{_WORD}=(?:{_WORD}|{_QUOTED}))*[ \t]*;?"
)
"""RFC 2045: an Internet media type of a registered kind, with its parameters."""

_PART = "[0-9]+(?:[.,][0-9]+(?={0}$))?{0}"
_DATE_PARTS = "".join(f"(?:{_PART.format(letter)})?" for letter in "YMD")
_TIME_PARTS = "".join(f"(?:{_PART.format(letter)})?" for letter in "HMS")
DURATION = rf"P(?:[0-9]+(?:[.,][0-9]+)?W|(?=[0-9]|T[0-9]){_DATE_PARTS}(?:T(?=[0-9]){_TIME_PARTS})?)"
"""ISO 8601:2004, 4.4.3.2: a fraction in the smallest part only, weeks alone."""

_MONTH_DAY = (
    "(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    "|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
PLAIN_TIMESTAMP = (
    rf"[0-9]{{4}}-{_MONTH_DAY}T{_CLOCK}(?:\.[0-9]+)?"
    r"(?:Z|\+(?:0[0-9]|1[0-4]):[0-5][0-9]|-(?:0[1-9]|1[0-2]):[0-5][0-9])"
)
"""A time as nearly all statements write it: good in both versions, leap days apart."""

VERSION = r"(?:1\.0|2\.0)(?:\.(?:0|[1-9][0-9]*))?"

_EXTENDED = re.compile(
    r"(?P<year>[0-9]{4})-(?:(?P<month>[0-9]{2})-(?P<day>[0-9]{2})|W(?P<week>[0-9]{2})-(?P<weekday>"
    r"[1-7])|(?P<ordinal>[0-9]{3}))"
    r"(?:T(?P<hour>[0-9]{2})(?::(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?P<part>[.,][0-9]+)?)?)?"
    r"(?P<offset>Z|[+-][0-9]{2}(?::[0-9]{2})?)?)?"
)
_BASIC = re.compile(
    r"(?P<year>[0-9]{4})(?:(?P<month>[0-9]{2})(?P<day>[0-9]{2})|W(?P<week>[0-9]{2})(?P<weekday>"
    r"[1-7])|(?P<ordinal>[0-9]{3}))"
    r"(?:T(?P<hour>[0-9]{2})(?:(?P<minute>[0-9]{2})(?:(?P<second>[0-9]{2})(?P<part>[.,][0-9]+)?)?)?"
    r"(?P<offset>Z|[+-][0-9]{2}(?:[0-9]{2})?)?)?"
)
_RFC_3339 = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})(?P<week>)(?P<weekday>)(?P<ordinal>)"
    r"[Tt](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?P<part>\.[0-9]+)?"
    r"(?P<offset>[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_PLAIN = re.compile(PLAIN_TIMESTAMP)


class Answers(dict[str, bool]):
    """What a question answers to each text, remembered for the texts that come again."""

    most = 50_000

    def __init__(self, question: Callable[[str], object]) -> None:
        super().__init__()
        self._question = question

    def __missing__(self, text: str) -> bool:
        """Ask, and remember."""
        if len(self) >= self.most:
            self.clear()
        self[text] = answer = bool(self._question(text))
        return answer


def matcher(pattern: str) -> Callable[[str], object]:
    """Return a question: does the whole of a text match?"""
    return re.compile(pattern).fullmatch


is_uuid = matcher(UUID)
IRIS = Answers(matcher(IRI))
is_iri = IRIS.__getitem__
is_irl = is_iri
is_uri = matcher(URI)
is_mailto = matcher(MAILTO)
is_sha1 = matcher(SHA1)
is_sha2 = matcher(SHA2)
LANGUAGES = Answers(matcher(LANGUAGE))
is_language = LANGUAGES.__getitem__
is_media_type = matcher(MEDIA_TYPE)
is_duration = matcher(DURATION)
is_version = matcher(VERSION)


def is_iso_8601(text: str) -> bool:
    """Tell whether a text is a date, or a date and time, of ISO 8601 (xAPI 1.0.3, 4.5).

    Basic or extended form, not mixed; at least a whole day; an offset of zero has no minus sign.
    """
    if _PLAIN.fullmatch(text):
        return True
    match = _EXTENDED.fullmatch(text) or _BASIC.fullmatch(text)
    return match is not None and _exists(match, midnight_as_24=True)


def is_rfc_3339(text: str) -> bool:
    """Tell whether a text is a time of RFC 3339 and of ISO 8601 alike (xAPI 2.0).

    RFC 3339 alone would let `-00:00` pass, which ISO 8601 forbids. Its grammar has a `T` between
    day and time, of either size; a space is for applications that say so, and xAPI does not.
    """
    if _PLAIN.fullmatch(text):
        return True
    match = _RFC_3339.fullmatch(text)
    return match is not None and _exists(match, midnight_as_24=False)


def _exists(match: re.Match[str], *, midnight_as_24: bool) -> bool:
    parts = {name: value or "" for name, value in match.groupdict().items()}
    return (
        _day_exists(parts)
        and _hour_exists(parts, midnight_as_24=midnight_as_24)
        and _offset_exists(parts["offset"])
    )


def _day_exists(parts: dict[str, str]) -> bool:
    year = int(parts["year"])
    if parts["ordinal"]:
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        return 1 <= int(parts["ordinal"]) <= 365 + leap
    try:
        if parts["week"]:
            date.fromisocalendar(max(year, 1), int(parts["week"]), int(parts["weekday"]))
        else:
            # the calendar repeats every 400 years, so year 0 has the days of year 400
            date(year or 400, int(parts["month"]), int(parts["day"]))
    except ValueError:
        return False
    return True


def _hour_exists(parts: dict[str, str], *, midnight_as_24: bool) -> bool:
    hour, minute, second = (int(parts[name] or 0) for name in ("hour", "minute", "second"))
    if hour == 24:
        is_midnight = minute == second == 0 and not parts["part"].strip(".,0")
        return midnight_as_24 and is_midnight
    return hour <= 23 and minute <= 59 and second <= 60


def _offset_exists(offset: str) -> bool:
    if offset in ("", "Z", "z"):
        return True
    digits = offset[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    if offset[0] == "-" and hours == minutes == 0:
        return False
    return hours <= 23 and minutes <= 59
