"""JSON to the letter of RFC 8259, one text at a time, keeping numbers as they were written."""

from __future__ import annotations

import json
from json.encoder import encode_basestring  # the same escapes as the vectorised reader's text
from typing import Any, NoReturn

MAX_DEPTH = 200
"""How deeply arrays and objects may lie in each other."""


class NotJson(Exception):  # noqa: N818  (says what the text is)
    """The text is refused: a stable code and what to do."""

    def __init__(self, code: str, suggestion: str) -> None:
        super().__init__(code)
        self.code = code
        self.suggestion = suggestion


class Number(str):
    """A number, as it was written."""

    __slots__ = ()


def _refuse_constant(text: str) -> NoReturn:
    raise NotJson("not_finite", f"{text} is no JSON number: leave the field out or write null.")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise NotJson("duplicate_key", "One object holds a key twice: send one value for each key.")
    return content


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs,
    parse_float=Number,
    parse_int=Number,
    parse_constant=_refuse_constant,
    strict=True,
)


def parse(data: bytes) -> Any:
    """Return the value of one JSON text.

    Raises:
        NotJson: the bytes are not one JSON text, or say something that cannot be kept.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise NotJson("not_utf8", "JSON is UTF-8 text: export the record again.") from None
    try:
        value = _DECODER.decode(text.strip(" \t\r\n"))
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        position = getattr(error, "colno", None)
        place = f" near character {position}" if position else ""
        raise NotJson(
            "not_json", f"The line is not one JSON text{place}: export the record again."
        ) from None
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _refuse_depth(value)
    if "\\u" in text:
        _refuse_surrogates(value)
    return value


def is_json(data: bytes) -> bool:
    """Tell whether bytes are one JSON text, whatever its keys."""
    try:
        json.loads(data.decode().strip(" \t\r\n"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError, NotJson):
        return False
    return True


def _too_deep() -> NotJson:
    return NotJson("nested_too_deep", f"Arrays and objects lie more than {MAX_DEPTH} deep.")


def _refuse_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, list):
                inner += item
            elif isinstance(item, dict):
                inner += item.values()
        level = inner
    if any(isinstance(item, list | dict) for item in level):
        raise _too_deep()


def _refuse_surrogates(value: Any) -> None:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise NotJson(
                "lone_surrogate",
                "A text holds half of a character (\\ud800 to \\udfff): export the record again.",
            ) from None
    elif isinstance(value, list):
        for item in value:
            _refuse_surrogates(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            _refuse_surrogates(key)
            _refuse_surrogates(item)


def as_text(value: Any) -> str | None:
    """Return a value as the text of a cell: strings and numbers bare, the rest as JSON."""
    if value is None or isinstance(value, str):
        return None if value is None else str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return _compose(value)


def as_json(value: Any) -> str:
    """Return a value as JSON text, its numbers as they were written."""
    return _compose(value)


def _compose(value: Any) -> str:
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return encode_basestring(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(map(_compose, value)) + "]"
    return (
        "{"
        + ", ".join(f"{encode_basestring(key)}: {_compose(item)}" for key, item in value.items())
        + "}"
    )


def parse_record(data: bytes) -> dict[str, Any]:
    """Return the object that a line holds.

    Raises:
        NotJson: the line is not one JSON object.
    """
    value = parse(data)
    if not isinstance(value, dict):
        raise NotJson("not_an_object", "Every line must be one JSON object, {...}.")
    return value


def at_path(record: dict[str, Any], path: str) -> Any:
    """Return what stands at a dotted path; a key of that very name comes first."""
    if path in record or "." not in path:
        return record.get(path)
    inner: Any = record
    for key in path.split("."):
        inner = inner.get(key) if isinstance(inner, dict) else None
    return inner
