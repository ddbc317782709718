"""What is wrong with a record: stable codes, plain sentences, suggestions, masked values.

Nothing here repeats a rule: pydantic says what is broken, this module says it to people. A value
is mentioned only masked, so that a problem may be shown to anyone who may see that a record was
refused.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import ValidationError

from pipelines.contracts.base import Record
from pipelines.contracts.schema import Column, columns


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with one field of a record."""

    code: str
    field: str
    message: str
    suggestion: str
    value_masked: str | None = None
    requirement: str | None = None
    """The requirement of a standard that is not met, by its id there."""


@dataclass(frozen=True)
class _Wording:
    message: str
    suggestion: str


OF_THE_FORMAT = "the record breaks a rule of its format"
"""Said of a record that its reader refused for a field of its format: the suggestion names it."""

_TAKE_OUT = (
    "take it out at the source and send the record again, or correct {field} in the sheet of "
    "`tessera quarantine export`; a false alarm is let in there by `release`"
)

_WORDINGS: dict[str, _Wording] = {
    "missing": _Wording("{field} is missing", "fill {field}, or map it in the source spec"),
    "not_in_list": _Wording(
        "{field} holds {value}, which is not one of its values", "use one of: {choices}"
    ),
    "not_text": _Wording("{field} is not text", "write {field} as text"),
    "not_a_number": _Wording(
        "{field} holds {value}, which is not a number", "write digits with a decimal point"
    ),
    "not_a_whole_number": _Wording(
        "{field} holds {value}, which is not a whole number", "write digits only"
    ),
    "too_many_digits": _Wording(
        "{field} has more digits than are kept",
        "at most 12 digits before the decimal point and 6 after it",
    ),
    "out_of_range": _Wording("{field} holds {value}, which must be {bound}", "correct {field}"),
    "not_a_date": _Wording(
        "{field} holds {value}, which is not a day of the calendar",
        "write YYYY-MM-DD, or give the format in the source spec",
    ),
    "not_a_time": _Wording(
        "{field} holds {value}, which is not a time",
        "write YYYY-MM-DDThh:mm:ssZ, or give the format in the source spec",
    ),
    "no_time_zone": _Wording(
        "{field} does not say its time zone",
        "add Z or an offset such as +01:00, or name the zone in the source spec",
    ),
    "implausible_year": _Wording(
        "{field} holds {value}: the year lies outside 1900 to 2199", "correct the year"
    ),
    "not_yes_or_no": _Wording(
        "{field} holds {value}, which is neither yes nor no", "write true or false"
    ),
    "too_long": _Wording("{field} is longer than {bound} characters", "shorten {field}"),
    "empty": _Wording("{field} is empty text", "leave {field} out, or fill it"),
    "bad_identifier": _Wording(
        "{field} is not a usable id",
        "ids have no spaces at either end, no line breaks and no control characters",
    ),
    "not_a_list": _Wording("{field} is not a list", "write a JSON list"),
    "too_many_items": _Wording("{field} has more than {bound} entries", "shorten the list"),
    "too_few_items": _Wording("{field} has fewer than {bound} entries", "add what is missing"),
    "not_an_object": _Wording("{field} is not an object", "write a JSON object"),
    "unknown_field": _Wording(
        "{field} is not a field of this kind of record", "leave it out, or correct its name"
    ),
    "detector_score": _Wording(
        "{field} looks like the score of an AI detector, which is never taken in",
        "AI use is declared by the learner, never detected: leave the field out",
    ),
    "invalid": _Wording("{field} cannot be used", "correct {field}"),
    # found in free text
    "patient_identifier": _Wording("{field} seems to hold {bound}", _TAKE_OUT),
    "contact_detail": _Wording("{field} seems to hold {bound}", _TAKE_OUT),
    "birth_date": _Wording("{field} seems to hold {bound}", _TAKE_OUT),
    # found while a source is read and mapped
    "unknown_label": _Wording(
        "{field}: the label {value} is not known", "add the label to the crosswalk, or correct it"
    ),
    "bad_date": _Wording(
        "{field} holds {value}, which does not match the date formats of the source",
        "correct the date, or add its format to the source spec",
    ),
    "ambiguous_time": _Wording(
        "{field} falls into the hour that the clock shows twice",
        "say in the source spec whether the earlier or the later one is meant",
    ),
    "bad_number": _Wording(
        "{field} holds {value}, which is not a number as the source writes them",
        "correct the number, or say in the source spec which marks the source uses",
    ),
    "nonexistent_time": _Wording(
        "{field} falls into the hour that the clock leaves out", "correct the time"
    ),
    "unknown_outcome": _Wording(
        "{field}: {value} is no outcome of the vocabulary that the decision names",
        "use an outcome of that vocabulary",
    ),
    "unknown_vocabulary": _Wording(
        "{field}: {value} is no vocabulary of outcomes", "name one that the site has"
    ),
    "unknown_key": _Wording(
        "{field}: {value} is not in the table it is looked up in", "correct it, or add it"
    ),
    "no_record_matches": _Wording(
        "the row fits none of the kinds that the source spec describes",
        "correct the row, or add a block for it to the source spec",
    ),
    "ragged_row": _Wording(
        "the row has more or fewer cells than the header", "correct its delimiters and quotes"
    ),
    "nul_byte": _Wording("the row holds a NUL byte", "export the file again"),
    "cell_error": _Wording("a cell holds an error of its formula", "mend the formula"),
    "formula_without_value": _Wording(
        "a cell holds a formula whose value was not saved",
        "open the workbook in a spreadsheet program and save it",
    ),
    "not_json": _Wording("the line is not JSON", "export the record again"),
    "not_finite": _Wording("a number is not finite", "leave the field out, or write null"),
    "duplicate_key": _Wording("the record has the same key twice", "send one value for each key"),
    "lone_surrogate": _Wording("a text holds half of a character", "export the record again"),
    "nested_too_deep": _Wording("the record is nested too deeply", "export the record again"),
    "not_utf8": _Wording("the record is not UTF-8 text", "export the record again as UTF-8"),
    "erased_person": _Wording(
        "the record names a person who was erased",
        "ask the sender to stop sending this person; the file that came still holds them: "
        "run tessera identity erase again",
    ),
    # found in xAPI statements, each with its requirement in the suggestion
    "xapi_null_value": _Wording("a property of the statement is null", "leave it out"),
    "xapi_missing_property": _Wording("the statement lacks a property", "add it"),
    "xapi_unknown_property": _Wording(
        "the statement has a property that xAPI does not know", "move it into extensions"
    ),
    "xapi_wrong_case": _Wording("a property is written in another case", "write it as xAPI does"),
    "xapi_wrong_type": _Wording("a property is of another type", "write it as xAPI has it"),
    "xapi_bad_format": _Wording("a property is not in its format", "correct it"),
    "xapi_not_in_list": _Wording("a property is not one of its values", "use one of them"),
    "xapi_out_of_range": _Wording("a property is out of its range", "correct it"),
    "xapi_no_identifier": _Wording("a person has no identifier", "give exactly one"),
    "xapi_several_identifiers": _Wording("a person has several identifiers", "keep exactly one"),
    "xapi_not_allowed_here": _Wording("a property must not stand where it does", "leave it out"),
    "xapi_not_unique": _Wording("an id of a list is there twice", "give each its own"),
    # found while a file is held against a standard
    "no_role": _Wording("no role of the person is sent", "send the roles too"),
    "repeated_variable": _Wording("a variable has two values", "send the one that counts"),
    "is_null": _Wording("{field} holds null where something is wanted", "leave the property out"),
    "not_a_uuid": _Wording("{field} holds no UUID", "write 32 digits and letters a to f"),
    "not_a_uri": _Wording("{field} holds no URI", "write it like https://host/path"),
    "not_a_year": _Wording("{field} holds no year", "write four digits"),
    "bad_guid": _Wording(
        "{field} holds an identifier that the standard does not allow",
        "use letters, digits and . - _ / @ only",
    ),
    "duplicate_id": _Wording(
        "{field} has an identifier that another entry of the file has",
        "give each entry an identifier of its own",
    ),
    "unknown_reference": _Wording(
        "{field} names something that the file does not hold", "send it too, or correct the name"
    ),
    "missing_column": _Wording("{field} lacks a column of the standard", "add it to the export"),
    "cycle": _Wording("{field} lies under itself", "take out one of the links"),
    "not_of_its_type": _Wording("{field} holds a value of another type", "correct the value"),
    "too_many_values": _Wording("{field} holds several values", "send one, or say so"),
    "unknown_element": _Wording("{field} holds an element of no standard", "correct its name"),
    "repeated_element": _Wording("{field} holds an element twice", "send it once"),
    "wrong_namespace": _Wording("{field} is of another namespace", "declare that of the standard"),
    "missing_namespace": _Wording("{field} has no namespace", "declare that of the standard"),
    "not_xml": _Wording("{field} is not well-formed XML", "export it again"),
    "doctype_refused": _Wording("{field} has a document type", "export it without a DOCTYPE"),
    "damaged_member": _Wording("{field} cannot be unpacked", "pack the archive again"),
    "held": _Wording("the whole delivery is held", "see the reason of the delivery"),
}

_CODES: dict[str, str] = {
    "missing": "missing",
    "literal_error": "not_in_list",
    "string_type": "not_text",
    "string_unicode": "not_text",
    "string_too_long": "too_long",
    "string_too_short": "empty",
    "string_pattern_mismatch": "bad_identifier",
    "decimal_type": "not_a_number",
    "decimal_parsing": "not_a_number",
    "finite_number": "not_a_number",
    "int_type": "not_a_whole_number",
    "int_parsing": "not_a_whole_number",
    "int_from_float": "not_a_whole_number",
    "int_parsing_size": "out_of_range",
    "decimal_max_digits": "too_many_digits",
    "decimal_max_places": "too_many_digits",
    "decimal_whole_digits": "too_many_digits",
    "greater_than": "out_of_range",
    "greater_than_equal": "out_of_range",
    "less_than": "out_of_range",
    "less_than_equal": "out_of_range",
    "bool_type": "not_yes_or_no",
    "bool_parsing": "not_yes_or_no",
    "date_type": "not_a_date",
    "date_parsing": "not_a_date",
    "date_from_datetime_parsing": "not_a_date",
    "date_from_datetime_inexact": "not_a_date",
    "datetime_type": "not_a_time",
    "datetime_parsing": "not_a_time",
    "datetime_from_date_parsing": "not_a_time",
    "timezone_aware": "no_time_zone",
    "list_type": "not_a_list",
    "too_long": "too_many_items",
    "too_short": "too_few_items",
    "model_type": "not_an_object",
    "model_attributes_type": "not_an_object",
    "extra_forbidden": "unknown_field",
}
"""pydantic's error types that are said in other words; others that have a wording are kept."""

_DETECTOR = re.compile(r"(^|_)(ai|gpt|llm)_?(\w*_)?(prob|score|likel|detect)|detector|turnitin")
_BOUND_WORDS = {
    "ge": "{} or more",
    "gt": "more than {}",
    "le": "{} or less",
    "lt": "less than {}",
    "max_length": "{}",
    "min_length": "{}",
}
_SHOWN = re.compile(
    r"[+-]?[0-9]{1,6}([.,][0-9]{1,6})?%?"
    r"|[0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{1,4}([T ][0-9]{1,2}:[0-9]{2}(:[0-9]{2})?)?"
    r"|[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?"
)
_MASK = "•"
_MASKED_LENGTH = 40


def mask(value: object, *, personal: bool) -> str | None:
    """Return a value in a form that may be seen outside the restricted folder.

    A personal value gives only its length. Short numbers and dates are shown; of everything else
    the first and the last character, and where its words end.
    """
    if value is None:
        return None
    text = value if isinstance(value, str) else str(value)
    if personal:
        return f"({len(text)} characters)"
    if _SHOWN.fullmatch(text):
        return text
    if len(text) <= 3:
        return _MASK * len(text)
    inner = "".join(_MASK if c.isalnum() or ord(c) > 126 else c for c in text[1:-1])
    masked = f"{text[0]}{inner}{text[-1]}"
    if not masked.isprintable():
        masked = "".join(c if c.isprintable() else _MASK for c in masked)
    if len(masked) > _MASKED_LENGTH:
        masked = f"{masked[: _MASKED_LENGTH - 1]}…"
    return masked


def describe(
    code: str,
    field: str,
    *,
    contract: type[Record] | None = None,
    value: object = None,
    suggestion: str | None = None,
    bound: str = "",
) -> Problem:
    """Return a problem in words; `suggestion`, where given, replaces the usual one."""
    column = _column(contract, field)
    choices = (column.choices or ()) if column else ()
    masked = mask(value, personal=column is None or column.is_personal)
    wording = _WORDINGS.get(code, _WORDINGS["invalid"])
    words = {
        "field": field or "the record",
        "value": masked or "nothing",
        "choices": ", ".join(choices),
        "bound": bound,
    }
    is_explained = suggestion is not None
    if suggestion is None:
        suggestion = _nearest(value, choices) + wording.suggestion.format(**words)
    message = wording.message.format(**words)
    of_a_field = code == "missing" or code not in _WORDINGS or "{value}" in wording.message
    if not field and is_explained and of_a_field:
        message = OF_THE_FORMAT
    return Problem(code, field, message, suggestion, masked)


def in_one_line(*sentences: str | None) -> str:
    """Return sentences behind one another, whether or not they end in a full stop."""
    told = [sentence for sentence in sentences if sentence]
    return ". ".join([sentence.removesuffix(".") for sentence in told[:-1]] + told[-1:])


def problems(contract: type[Record], error: ValidationError) -> list[Problem]:
    """Return what pydantic found, in the order of the contract's fields."""
    found = [_problem(contract, item) for item in error.errors(include_url=False)]
    order = {name: position for position, name in enumerate(contract.model_fields)}
    return sorted(
        dict.fromkeys(found),
        key=lambda problem: order.get(problem.field.split(".")[0], len(order)),
    )


def _problem(contract: type[Record], item: Mapping[str, Any]) -> Problem:
    context: Mapping[str, Any] = item.get("ctx", {})
    if item["type"] == "record_rule":
        return Problem(
            context["code"], context["field"], context["message"], context["suggestion"], None
        )
    location = [part for part in item["loc"] if isinstance(part, str)]
    field = ".".join(location)
    code = _CODES.get(item["type"], item["type"] if item["type"] in _WORDINGS else "invalid")
    value = None if code == "missing" else item.get("input")
    if code == "unknown_field":
        value, field = None, _safe_name(field)
        code = "detector_score" if _DETECTOR.search(field.lower()) else code
    if code == "bad_identifier" and value == "":
        code = "empty"
    bound = next(
        (words.format(context[name]) for name, words in _BOUND_WORDS.items() if name in context),
        "a number that can be kept",
    )
    return describe(code, field, contract=contract, value=value, bound=bound)


def _safe_name(field: str) -> str:
    """Return the name of an unknown field as far as it looks like a name."""
    return field if re.fullmatch(r"[A-Za-z_][\w. -]{0,60}", field) else "(a field)"


def _column(contract: type[Record] | None, field: str) -> Column | None:
    if contract is None:
        return None
    return _by_name(contract).get(field.split(".")[0])


@cache
def _by_name(contract: type[Record]) -> dict[str, Column]:
    return {column.name: column for column in columns(contract)}


def _nearest(value: object, choices: tuple[str, ...]) -> str:
    if not isinstance(value, str) or not choices:
        return ""
    near = difflib.get_close_matches(value.strip().lower(), choices, n=2, cutoff=0.6)
    return f"did you mean {' or '.join(near)}? " if near else ""
