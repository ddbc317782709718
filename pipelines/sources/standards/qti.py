"""QTI Results Reporting 2.1, 2.2 and 3.0 (1EdTech): what one `assessmentResult` must hold.

Document types and entities are refused before anything is made of them, and nothing is fetched.
The reader is kinder than the schema where real files need it: identifiers that begin with a digit
and variables that do not state their cardinality are taken and noted. Where an item was answered
more than once, the last attempt counts: the latest by its time stamp, then by its place in the
test, then by its place in the file.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from lxml import etree

from pipelines.contracts.problems import mask
from pipelines.sources.readers.base import Unreadable
from pipelines.sources.standards.judgement import Finding

NAMESPACES = {
    "http://www.imsglobal.org/xsd/imsqti_result_v2p1": "2.1",
    "http://www.imsglobal.org/xsd/imsqti_result_v2p2": "2.2",
    "http://www.imsglobal.org/xsd/imsqti_result_v3p0": "3.0",
}
ROOT = "assessmentResult"
DOCTYPE = b"<!DOCTYPE"
MAX_BYTES = 64 * 1024 * 1024
SESSION_STATUSES = ("final", "initial", "pendingResponseProcessing", "pendingSubmission")
LATER_STATUSES = ("pendingExternalScoring", "suspended")
CARDINALITIES = ("single", "multiple", "ordered", "record")
BASE_TYPES = (
    "boolean",
    "directedPair",
    "duration",
    "file",
    "float",
    "identifier",
    "integer",
    "intOrIdentifier",
    "pair",
    "point",
    "string",
    "uri",
)
SCORES = ("SCORE", "MAXSCORE")
ATTEMPTS = "numAttempts"
BOUNDS = ("normalMaximum", "normalMinimum", "masteryValue")
RESULT_PARTS = frozenset({"responseVariable", "templateVariable", "outcomeVariable"})
LATER_PARTS = frozenset({"contextVariable", "support"})

_NAME = re.compile(r"[^\W\d][\w.-]*")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?")
_END_OF_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})T24:00:00(?:\.0+)?(Z|[+-]\d{2}:\d{2})?")
_WHOLE = re.compile(r"[+-]?\d{1,18}")
_FORMS = {
    "boolean": re.compile(r"true|false|0|1"),
    "integer": re.compile(r"[+-]?\d+"),
    "float": re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?|[+-]?INF|NaN"),
    "pair": re.compile(r"\S+\s+\S+"),
    "directedPair": re.compile(r"\S+\s+\S+"),
    "point": re.compile(r"[+-]?\d+(\.\d+)?\s+[+-]?\d+(\.\d+)?"),
}


@dataclass(frozen=True)
class Value:
    """One value of a variable; in a record it has a name."""

    text: str
    name: str | None = None


@dataclass(frozen=True)
class Variable:
    """A variable of a test or an item, with its values in order."""

    kind: str
    """`response`, `outcome`, `template` or `context`."""
    identifier: str
    cardinality: str | None
    base_type: str | None
    values: tuple[Value, ...]
    correct: tuple[Value, ...] = ()
    maximum: str | None = None
    interpretation: str | None = None


@dataclass
class Outcome:
    """A `testResult` or an `itemResult`."""

    place: str
    identifier: str | None
    datestamp: str | None
    at: datetime | None
    sequence_index: int | None = None
    session_status: str | None = None
    comment: str | None = None
    variables: list[Variable] = field(default_factory=list)
    attempt: int = 1
    is_last: bool = True

    def variable(self, kind: str, identifier: str) -> Variable | None:
        """Return a variable by its kind and identifier; where there are several, the first."""
        return next(
            (v for v in self.variables if (v.kind, v.identifier) == (kind, identifier)), None
        )

    @property
    def stated_attempt(self) -> int | None:
        """Return which attempt it is by its `numAttempts`, where that counts from one."""
        variable = self.variable("response", ATTEMPTS)
        text = variable.values[0].text.strip() if variable and variable.values else ""
        return int(text) if _WHOLE.fullmatch(text) and int(text) > 0 else None


@dataclass
class Result:
    """One `assessmentResult`, judged."""

    version: str | None = None
    sourced_id: str | None = None
    sessions: list[tuple[str, str]] = field(default_factory=list)
    test: Outcome | None = None
    items: list[Outcome] = field(default_factory=list)
    errors: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)


class OtherXml(Exception):  # noqa: N818  (says what the file is)
    """The text is XML, but no result: the name of its root."""


def parse(data: bytes) -> Result:
    """Read and judge one `assessmentResult`.

    Raises:
        Unreadable: the bytes are not XML, or have a document type.
        OtherXml: the root is another element.
    """
    root = _root(data)
    name = etree.QName(root)
    if name.localname != ROOT:
        raise OtherXml(name.localname)
    judge = _Judge(root, name.namespace)
    judge.run()
    return judge.result


def number(text: str | None) -> Decimal | None:
    """Return a finite number, or None."""
    if text is None or not _FORMS["float"].fullmatch(text.strip()):
        return None
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _root(data: bytes) -> etree._Element:
    if len(data) > MAX_BYTES:
        raise Unreadable(
            "too_large",
            f"The file is larger than {MAX_BYTES >> 20} MiB.",
            "Send one result a file.",
        )
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        said = str(error).splitlines()[0] if str(error) else "it ends too early"
        if DOCTYPE in data.replace(b"\0", b""):
            raise _doctype() from None
        if "Resource limit" in said or "Excessive depth" in said:
            raise Unreadable(
                "too_large",
                "The file holds a text of more than 10 MB, or elements more than 255 deep.",
                "Export it without files that were handed in, or without what is nested.",
            ) from None
        raise Unreadable(
            "not_xml",
            f"The file is not well-formed XML: {said}.",
            "Export it again, and send it as it was written.",
        ) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise _doctype()
    return root


def _doctype() -> Unreadable:
    return Unreadable(
        "doctype_refused",
        "The file has a document type (DOCTYPE), which is never read: it may hold entities.",
        "Export it without a DOCTYPE; results need none.",
    )


class _Judge:
    """Walks through one result and writes down what is wrong."""

    def __init__(self, root: etree._Element, namespace: str | None) -> None:
        self.root = root
        self.namespace = namespace
        self.result = Result(version=NAMESPACES.get(namespace or ""))
        self.numbers: dict[str, int] = defaultdict(int)

    def run(self) -> None:
        if self.result.version is None:
            self._wrong_namespace()
            return
        place = f"/{ROOT}"
        contexts, tests, items = (
            self._children(self.root, name) for name in ("context", "testResult", "itemResult")
        )
        self._refuse_others(self.root, place, {"context", "testResult", "itemResult"})
        self._context(contexts, place)
        for element in tests[1:]:
            self._error(
                "repeated_element",
                self._at(place, element),
                "stands more than once",
                "send one result a file",
            )
        if tests:
            self.result.test = self._outcome(tests[0], f"{place}/testResult")
        self.result.items = [
            self._item(element, f"{place}/itemResult[{n}]")
            for n, element in enumerate(items, start=1)
        ]
        self._order_attempts()

    def _wrong_namespace(self) -> None:
        known = ", ".join(NAMESPACES)
        if self.namespace is None:
            code, message = "missing_namespace", "has no namespace"
        else:
            shown = self.namespace if len(self.namespace) <= 100 else self.namespace[:100] + "…"
            code, message = "wrong_namespace", f"has the namespace {shown}"
        self._error(
            code,
            f"/{ROOT}",
            f"{message}, which is none of QTI Results Reporting",
            f"declare one of: {known}",
        )

    def _context(self, contexts: list[etree._Element], place: str) -> None:
        if not contexts:
            self._error("missing", f"{place}/context", "is missing", "say whose result it is")
            return
        for element in contexts[1:]:
            self._error(
                "repeated_element",
                self._at(place, element),
                "stands more than once",
                "send one result a file",
            )
        context = contexts[0]
        if self.root.index(context):
            self._note("order", f"{place}/context", "does not stand first")
        here = f"{place}/context"
        self._refuse_others(context, here, {"sessionIdentifier"})
        self.result.sourced_id = self._needed(context, here, "sourcedId")
        self._note_name(self.result.sourced_id, f"{here}/@sourcedId")
        for n, element in enumerate(self._children(context, "sessionIdentifier"), start=1):
            there = f"{here}/sessionIdentifier[{n}]"
            name = self._needed(element, there, "sourceID")
            identifier = self._needed(element, there, "identifier")
            if name is not None and identifier is not None:
                self.result.sessions.append((name, identifier))

    def _item(self, element: etree._Element, place: str) -> Outcome:
        item = self._outcome(element, place)
        status = self._needed(element, place, "sessionStatus")
        allowed = SESSION_STATUSES + (LATER_STATUSES if self.result.version == "3.0" else ())
        if status is not None and status not in allowed:
            self._not_in_list(f"{place}/@sessionStatus", status, allowed)
        item.session_status = status
        index = element.get("sequenceIndex")
        if index is not None and not _WHOLE.fullmatch(index.strip()):
            self._error(
                "not_a_whole_number",
                f"{place}/@sequenceIndex",
                f"is not a whole number: {mask(index, personal=False)}",
                "write digits only",
            )
        elif index is not None:
            item.sequence_index = int(index)
        comments = self._children(element, "candidateComment")
        item.comment = _content(comments[0]) if comments else None
        return item

    def _outcome(self, element: etree._Element, place: str) -> Outcome:
        identifier = self._needed(element, place, "identifier")
        stamp = self._needed(element, place, "datestamp")
        stamp = _with_midnight(stamp)
        at = self._time(stamp, f"{place}/@datestamp")
        outcome = Outcome(place, identifier, stamp, at)
        parts = RESULT_PARTS | (LATER_PARTS if self.result.version == "3.0" else set())
        own = {"candidateComment"} if "itemResult" in place else set()
        self._refuse_others(element, place, parts | own)
        for part in sorted(parts - {"support"}):
            for n, child in enumerate(self._children(element, part), start=1):
                variable = self._variable(child, f"{place}/{part}[{n}]", part)
                if variable is not None:
                    outcome.variables.append(variable)
        self._refuse_repeated(outcome.variables, place)
        return outcome

    def _variable(self, element: etree._Element, place: str, part: str) -> Variable | None:
        identifier = self._needed(element, place, "identifier")
        cardinality, base_type = element.get("cardinality"), element.get("baseType")
        if cardinality is None:
            self._note("no_cardinality", place, "does not state its cardinality")
        elif cardinality not in CARDINALITIES:
            self._not_in_list(f"{place}/@cardinality", cardinality, CARDINALITIES)
        if base_type is not None and base_type not in BASE_TYPES:
            self._not_in_list(f"{place}/@baseType", base_type, BASE_TYPES)
        holder = element
        correct: tuple[Value, ...] = ()
        if part == "responseVariable":
            self._refuse_others(element, place, {"candidateResponse", "correctResponse"})
            given = self._children(element, "candidateResponse")
            if not given:
                self._error(
                    "missing",
                    f"{place}/candidateResponse",
                    "is missing",
                    "write an empty one where nothing was answered",
                )
                return None
            holder = given[0]
            correct = tuple(
                value
                for answer in self._children(element, "correctResponse")
                for value in self._values(answer, f"{place}/correctResponse", base_type)
            )
        else:
            self._refuse_others(element, place, {"value"})
        values = tuple(self._values(holder, place, base_type))
        if cardinality == "single" and len(values) > 1:
            self._error(
                "too_many_values",
                place,
                "is single and has several values",
                "write cardinality multiple or ordered",
            )
        if identifier is None:
            return None
        self._note_name(identifier, f"{place}/@identifier")
        kind = part.removesuffix("Variable")
        if identifier in SCORES and kind == "outcome":
            self._score(identifier, place, values)
        self._bounds(element, place)
        return Variable(
            kind=kind,
            identifier=identifier,
            cardinality=cardinality,
            base_type=base_type,
            values=values,
            correct=correct,
            maximum=element.get("normalMaximum"),
            interpretation=element.get("interpretation"),
        )

    def _score(self, identifier: str, place: str, values: tuple[Value, ...]) -> None:
        given = [value.text for value in values if value.text.strip()]
        if any(number(text) is None for text in given):
            self._error(
                "not_a_number",
                place,
                f"holds a {identifier} that is not a finite number",
                "write digits with a decimal point",
            )
        elif len(given) > 1:
            self._error(
                "too_many_values",
                place,
                f"holds a {identifier} of several values",
                "a score is one number: write the parts as variables of their own",
            )

    def _bounds(self, element: etree._Element, place: str) -> None:
        for name in BOUNDS:
            text = (element.get(name) or "").strip()
            if text and not _FORMS["float"].fullmatch(text):
                self._error(
                    "not_a_number",
                    f"{place}/@{name}",
                    f"is not a number: {mask(text, personal=False)}",
                    "write digits with a decimal point",
                )

    def _refuse_repeated(self, variables: list[Variable], place: str) -> None:
        """Refuse a score or a count that is said twice and differently; note other repetitions."""
        first: dict[tuple[str, str], Variable] = {}
        for variable in variables:
            other = first.setdefault((variable.kind, variable.identifier), variable)
            if other is variable:
                continue
            if variable.identifier in {*SCORES, ATTEMPTS} and variable.values != other.values:
                self._error(
                    "repeated_variable",
                    place,
                    f"holds two values of {variable.identifier}",
                    "send the one that counts",
                )
            else:
                self._note(
                    "repeated_variable",
                    place,
                    f"holds {variable.identifier[:60]} twice: the first is taken",
                )

    def _values(self, holder: etree._Element, place: str, base_type: str | None) -> Iterator[Value]:
        for n, element in enumerate(self._children(holder, "value"), start=1):
            there = f"{place}/value[{n}]"
            if len(element):
                self._error(
                    "unknown_element",
                    there,
                    "holds elements, where a value is text",
                    "escape what was written, or wrap it in CDATA",
                )
            text = _content(element)
            kind = element.get("baseType") or base_type
            form = _FORMS.get(kind or "")
            if form is not None and not text.strip():
                self._note("empty_value", there, "is empty: read as no value")
            elif form is not None and not form.fullmatch(text.strip()):
                self._error(
                    "not_of_its_type",
                    there,
                    f"is not of its base type {kind}: {mask(text, personal=True)}",
                    "correct the value, or its baseType",
                )
            yield Value(text.strip() if form is not None else text, element.get("fieldIdentifier"))

    def _order_attempts(self) -> None:
        """Number the attempts of each item, and find the last one that is final."""
        attempts: dict[str | None, list[Outcome]] = defaultdict(list)
        for item in self.result.items:
            attempts[item.identifier].append(item)
        for of_item in attempts.values():
            of_item.sort(key=_order)
            final = [item for item in of_item if item.session_status == "final"] or of_item
            for n, item in enumerate(of_item, start=1):
                item.attempt, item.is_last = n, item is final[-1]
            stated = [item.stated_attempt for item in of_item]
            if all(stated) and len(set(stated)) == len(stated):
                for item in of_item:
                    item.attempt = item.stated_attempt or item.attempt
            if len(of_item) > 1:
                self._note(
                    "earlier_attempts",
                    final[-1].place,
                    f"is the last of {len(of_item)} attempts and counts",
                )

    def _children(self, element: etree._Element, name: str) -> list[etree._Element]:
        return element.findall(f"{{{self.namespace}}}{name}")

    def _refuse_others(
        self, element: etree._Element, place: str, known: set[str] | frozenset[str]
    ) -> None:
        for child in element:
            if not isinstance(child.tag, str):
                self._error("entity_refused", place, "holds an entity", "write the text itself")
                continue
            name = etree.QName(child)
            if name.namespace != self.namespace:
                self._note(
                    "foreign_element",
                    place,
                    f"holds an element of another namespace: {name.localname[:60]}",
                )
            elif name.localname not in known:
                self._error(
                    "unknown_element",
                    place,
                    f"holds an element that is not of the standard: {name.localname[:60]}",
                    "correct its name, or leave it out",
                )

    def _needed(self, element: etree._Element, place: str, name: str) -> str | None:
        value = (element.get(name) or "").strip()
        if not value:
            self._error("missing", f"{place}/@{name}", "is missing", "the standard requires it")
            return None
        return value

    def _time(self, text: str | None, place: str) -> datetime | None:
        if text is None:
            return None
        try:
            at = datetime.fromisoformat(text) if _TIME.fullmatch(text) else None
        except ValueError:
            at = None
        if at is None:
            self._error(
                "not_a_time",
                place,
                f"is not a time: {mask(text, personal=False)}",
                "write it like 2024-01-31T12:00:00+00:00",
            )
            return None
        if at.tzinfo is None:
            self._note("no_time_zone", place, "says no time zone: read in the zone of the source")
            return at.replace(tzinfo=UTC)
        return at

    def _note_name(self, text: str | None, place: str) -> None:
        if text is not None and not _NAME.fullmatch(text):
            self._note(
                "not_an_identifier",
                place,
                "is no identifier as the schema has it (it begins with a digit, or holds "
                "other characters): taken as it is",
            )

    def _not_in_list(self, place: str, value: str, allowed: tuple[str, ...]) -> None:
        self._error(
            "not_in_list",
            place,
            f"is none of the values that the standard allows: {mask(value, personal=False)}",
            f"use one of: {', '.join(allowed)}",
        )

    def _at(self, place: str, element: etree._Element) -> str:
        return f"{place}/{etree.QName(element).localname}"

    def _error(self, code: str, place: str, words: str, remedy: str) -> None:
        self.result.errors.append(
            Finding(code, place, f"{place} {words}", remedy, self._clause(place))
        )

    def _note(self, code: str, place: str, words: str) -> None:
        self.result.notes.append(
            Finding(
                code, place, f"{place} {words}", "nothing needs to be done", self._clause(place)
            )
        )

    def _clause(self, place: str) -> str:
        parts = re.sub(r"\[\d+\]", "", place).strip("/").replace("/", ".")
        return f"QTI Results Reporting {self.result.version or '2.1 to 3.0'} {parts}"


def _order(item: Outcome) -> tuple[datetime, int]:
    earliest = datetime.min.replace(tzinfo=UTC)
    return item.at or earliest, item.sequence_index or 0


def _with_midnight(stamp: str | None) -> str | None:
    """Return a time that ends a day, as XML may write it, as the one that begins the next."""
    if stamp is None or not (ending := _END_OF_DAY.fullmatch(stamp)):
        return stamp
    try:
        following = date.fromisoformat(ending[1]) + timedelta(days=1)
    except (ValueError, OverflowError):
        return stamp
    return f"{following}T00:00:00{ending[2] or ''}"


def _content(element: etree._Element) -> str:
    return "".join(map(str, element.itertext(with_tail=False)))
