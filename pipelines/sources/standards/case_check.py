"""Judges a CASE package: each entry by its model, and all of them together as a graph.

A framework is a graph and not a tree: an item may lie under several others. Links of the kind
`isChildOf` must not lead in a circle. Orphans are kept and noted, and so are printed codes that
are not unique, since the standard does not forbid them.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pipelines.contracts.fields import IDENTIFIER_LENGTH
from pipelines.contracts.problems import mask
from pipelines.sources.readers.base import Unreadable
from pipelines.sources.readers.strict_json import NotJson, as_text, parse
from pipelines.sources.standards.case import (
    LINKS_BACK,
    Association,
    Document,
    Item,
    Package,
    Version,
    has_time_zone,
    is_text,
    is_uri,
    is_uuid,
    version_of,
)
from pipelines.sources.standards.judgement import Finding, Judgement

BOM = b"\xef\xbb\xbf"
MAX_BYTES = 256 * 1024 * 1024
DOCUMENT = "CFDocument"
ITEMS = "CFItems"
ASSOCIATIONS = "CFAssociations"
DEFINITIONS = "CFDefinitions"
RUBRICS = "CFRubrics"
CRITERIA = "CFRubricCriteria"
LEVELS = "CFRubricCriterionLevels"
MEMBERS = (DOCUMENT, ITEMS, ASSOCIATIONS, DEFINITIONS, RUBRICS)
ORIGIN, DESTINATION = "originNodeURI", "destinationNodeURI"
AMBIGUOUS = ("duplicate_key", "lone_surrogate")
"""Faults of a text that is JSON all the same."""

Location = tuple[str | int, ...]

_MESSAGES = {
    "missing": ("is missing", "add it: the standard requires it"),
    "is_null": ("is null", "leave it out where there is nothing to say"),
    "not_text": ("is not a text", "write it in quotation marks"),
    "not_a_uuid": ("is not a UUID", "write it like 3fa85f64-5717-4562-b3fc-2c963f66afa6"),
    "not_a_uri": ("is not an absolute URI", "write it like https://host/path"),
    "not_a_time": (
        "is not a date with a time as ISO 8601 writes it",
        "write it like 2024-01-31T12:00:00+00:00",
    ),
    "not_a_number": ("is not a number", "write digits, without quotation marks"),
    "not_a_whole_number": ("is not a whole number", "write digits, without quotation marks"),
    "out_of_range": ("is too large", "write a number of at most 2147483647"),
    "not_in_list": ("is none of the values that the standard allows", "use one of: {expected}"),
    "not_an_object": ("is not an object", "write an object, {{...}}"),
    "not_a_list": ("is not a list", "write a list, [...]"),
    "unknown_field": ("has properties that are not of the standard: {names}", "leave them out"),
    "invalid": ("cannot be used", "see the standard"),
}
_TYPES = {
    "model_type": "not_an_object",
    "model_attributes_type": "not_an_object",
    "list_type": "not_a_list",
}


@dataclass
class Entry:
    """One entry of a package: where it stands, what it holds, and what is wrong with it."""

    row: int
    location: Location
    content: Any
    errors: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)

    @property
    def identifier(self) -> str | None:
        """Return its identifier in small letters, if it has one."""
        value = self.text("identifier")
        return None if value is None else value.lower()

    def text(self, *path: str) -> str | None:
        """Return the text at a path of keys, or None."""
        value = self.content
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value if is_text(value) else None


@dataclass
class Framework:
    """A package, judged."""

    version: Version
    content: dict[str, Any]
    document: Entry
    items: list[Entry]
    associations: list[Entry]
    others: list[Entry]

    def entries(self) -> Iterator[Entry]:
        """Return every entry in order of its row."""
        yield self.document
        yield from self.items
        yield from self.associations
        yield from self.others

    def parents(self) -> Iterator[tuple[str, str, Entry]]:
        """Return the links child to parent: both identifiers, and the association."""
        for entry in self.associations:
            if entry.text("associationType") == "isChildOf":
                child = self.node(entry, ORIGIN)
                parent = self.node(entry, DESTINATION)
                if child is not None and parent is not None:
                    yield child, parent, entry

    def node(self, link: Entry, end: str) -> str | None:
        """Return what stands at an end of a link, in small letters.

        That is the identifier which the link says; where it says none that is a UUID, the
        identifier of whatever has the URI, if that is of this package.
        """
        identifier = (link.text(end, "identifier") or "").strip().lower()
        uri = (link.text(end, "uri") or "").strip()
        if not is_uuid(identifier):
            identifier = self._by_uri.get(uri, identifier)
        return identifier or uri or None

    def is_name(self, code: str) -> bool:
        """Tell whether a printed code can name its item: no other has it, and it is an id."""
        return (
            self.codes[code] == 1
            and code.lower() not in self._inside
            and len(code) <= IDENTIFIER_LENGTH
            and not any(unicodedata.category(character)[0] == "C" for character in code)
        )

    @cached_property
    def codes(self) -> Counter[str | None]:
        """Return how many items have each printed code."""
        return Counter(printed_code(entry) for entry in self.items)

    @cached_property
    def _inside(self) -> set[str | None]:
        return {entry.identifier for entry in (self.document, *self.items)}

    @cached_property
    def _by_uri(self) -> dict[str, str]:
        found = [(entry.text("uri"), entry.identifier) for entry in (self.document, *self.items)]
        counts = Counter(uri for uri, _ in found)
        return {uri: name for uri, name in found if uri and name and counts[uri] == 1}


def printed_code(entry: Entry) -> str | None:
    """Return the code that people know an item by, without outer spaces."""
    return (entry.text("humanCodingScheme") or "").strip() or None


def json_path(location: Location) -> str:
    """Return a place in a JSON text, such as `$.CFItems[3].uri`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "$" + "".join(parts)


def check(path: Path) -> Iterator[Judgement]:
    """Judge a CASE package.

    Raises:
        Unreadable: the file is not JSON, or holds no part of a CASE package.
    """
    for entry in read(path).entries():
        yield Judgement(
            entry.row, json_path(entry.location), tuple(entry.errors), tuple(entry.notes)
        )


def read(path: Path) -> Framework:
    """Read and judge a CASE package.

    Raises:
        Unreadable: the file is not JSON, or holds no part of a CASE package.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Unreadable(
                "too_large",
                f"The file is larger than {MAX_BYTES >> 20} MiB.",
                "Send one framework a file.",
            )
        data = path.read_bytes()
    except OSError as error:
        raise Unreadable(
            "unreadable_file", f"The file cannot be read: {error.strerror}.", "Send it again."
        ) from None
    try:
        content = parse(data.removeprefix(BOM))
    except NotJson as error:
        if error.code in AMBIGUOUS:
            return _ambiguous(error)
        raise Unreadable(error.code, "The file is not one JSON text.", error.suggestion) from None
    if not isinstance(content, dict) or not any(name in content for name in MEMBERS):
        raise Unreadable(
            "not_case",
            "The file is JSON, but no CASE package: it has none of the members "
            f"{', '.join(MEMBERS)}.",
            _what_to_send(content),
        )
    return judge(content)


def _what_to_send(content: Any) -> str:
    """Say how the file of somebody who meant to send a package becomes one."""
    if isinstance(content, dict) and isinstance(content.get("CFPackage"), dict):
        return "Send what CFPackage holds, as the whole file: a package has no member around it."
    if isinstance(content, list) and any(
        isinstance(one, dict) and DOCUMENT in one for one in content
    ):
        return "Send each package of the list as a file of its own."
    if isinstance(content, dict) and ("CFDocuments" in content or "CFPackageURI" in content):
        return "This is what CFDocuments answers: send what CFPackages answers for the framework."
    return "Export the framework as a CASE package (CFPackage)."


def judge(content: dict[str, Any]) -> Framework:
    """Judge what a package holds."""
    framework = _laid_out(content)
    _judge_entries(framework)
    _judge_identifiers(framework)
    _judge_graph(framework)
    _note_oddities(framework)
    return framework


def _ambiguous(error: NotJson) -> Framework:
    document = Entry(1, (), {})
    document.errors.append(
        Finding(
            error.code,
            "$",
            "the text is JSON but says one thing twice, or half of a character",
            error.suggestion,
            "RFC 8259",
        )
    )
    return Framework("1.0", {}, document, [], [], [])


def _laid_out(content: dict[str, Any]) -> Framework:
    document = Entry(1, (DOCUMENT,), content.get(DOCUMENT))
    rows = iter(range(2, 2**62))
    items = _listed(content, (ITEMS,), rows)
    associations = _listed(content, (ASSOCIATIONS,), rows)
    others: list[Entry] = []
    definitions = content.get(DEFINITIONS)
    for name in definitions if isinstance(definitions, dict) else ():
        others += _listed(content, (DEFINITIONS, name), rows)
    others += _listed(content, (RUBRICS,), rows)
    return Framework(version_of(content), content, document, items, associations, others)


def _listed(content: dict[str, Any], location: Location, rows: Iterator[int]) -> list[Entry]:
    inner: Any = content
    for key in location:
        inner = inner.get(key) if isinstance(inner, dict) else None
    return [
        Entry(next(rows), (*location, n), value)
        for n, value in enumerate(inner if isinstance(inner, list) else ())
    ]


def _judge_entries(framework: Framework) -> None:
    try:
        Package.model_validate(framework.content, context={"version": framework.version})
    except ValidationError as error:
        by_location = {entry.location: entry for entry in framework.entries()}
        for item in error.errors(include_url=False):
            place = item["loc"]
            owner = next(
                (by_location[place[:n]] for n in (3, 2, 1) if place[:n] in by_location),
                framework.document,
            )
            owner.errors.append(_finding(item, framework.version))


def _finding(item: ErrorDetails, version: Version) -> Finding:
    kind = _TYPES.get(item["type"], item["type"])
    code = kind if kind in _MESSAGES else "invalid"
    message, suggestion = _MESSAGES[code]
    place = json_path(item["loc"])
    words = {"expected": "", "names": "", **item.get("ctx", {})}
    shown = "" if code in {"missing", "is_null", "unknown_field"} else _shown(item["input"])
    return Finding(
        code,
        place,
        f"{place} {message.format(**words)}{shown}",
        suggestion.format(**words),
        _requirement(item["loc"], version),
    )


def _shown(value: Any) -> str:
    masked = mask(as_text(value), personal=False)
    if not masked:
        return ""
    return f': "{masked}"' if is_text(value) else f": {masked}"


def _requirement(location: Location, version: Version) -> str:
    names = [str(part) for part in location if not isinstance(part, int)]
    return f"CASE {version} {'.'.join(['CFPackage', *names])}"


def _judge_identifiers(framework: Framework) -> None:
    """Refuse identifiers that name two entries of one list, or two nodes of the graph."""
    groups = [[framework.document, *framework.items], framework.associations]
    lists: dict[Location, list[Entry]] = defaultdict(list)
    for entry in framework.others:
        lists[entry.location[:-1]].append(entry)
    criteria = [part for rubric in framework.others for part in _parts(rubric, CRITERIA)]
    levels = [part for criterion in criteria for part in _parts(criterion, LEVELS)]
    for group in (*groups, *lists.values(), criteria, levels):
        first: dict[str, Entry] = {}
        for entry in group:
            if (identifier := entry.identifier) is None:
                continue
            other = first.setdefault(identifier, entry)
            if other is not entry:
                place = json_path((*entry.location, "identifier"))
                is_same = as_text(entry.content) == as_text(other.content)
                entry.errors.append(
                    Finding(
                        "duplicate_id",
                        place,
                        f"{place} is also the identifier of {json_path(other.location)}"
                        + (", and all else is equal" if is_same else ""),
                        "send the entry once"
                        if is_same
                        else "give each entry an identifier of its own",
                        f"CASE {framework.version} identifier",
                    )
                )


def _parts(owner: Entry, name: str) -> Iterator[Entry]:
    """Return the entries of a list within an entry; what is wrong with them is wrong with it."""
    inner = owner.content.get(name) if isinstance(owner.content, dict) else None
    for n, value in enumerate(inner if isinstance(inner, list) else ()):
        yield Entry(owner.row, (*owner.location, name, n), value, owner.errors, owner.notes)


def _judge_graph(framework: Framework) -> None:
    """Refuse links of the kind isChildOf that lead in a circle."""
    links = list(framework.parents())
    nodes = {node: n for n, node in enumerate(dict.fromkeys(x for link in links for x in link[:2]))}
    if not nodes:
        return
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    ends = ([nodes[link[0]] for link in links], [nodes[link[1]] for link in links])
    graph = csr_matrix(([1] * len(links), ends), shape=(len(nodes), len(nodes)))
    _, group = connected_components(graph, directed=True, connection="strong")
    for child, parent, entry in links:
        if group[nodes[child]] == group[nodes[parent]]:
            place = json_path(entry.location)
            entry.errors.append(
                Finding(
                    "cycle",
                    place,
                    f"{place} leads in a circle: the item lies under itself",
                    "take out the link that goes from a parent to what lies below it",
                    f"CASE {framework.version} isChildOf",
                )
            )


def _note_oddities(framework: Framework) -> None:
    _note_unknown_properties(framework)
    _note_codes(framework)
    _note_links(framework)
    _note_criteria(framework)
    for entry in framework.entries():
        stamp = entry.text("lastChangeDateTime")
        if stamp is not None and not has_time_zone(stamp):
            _note(entry, "no_time_zone", "lastChangeDateTime", "says no time zone: read as UTC")


def _note(entry: Entry, code: str, name: str, words: str) -> None:
    place = json_path((*entry.location, *name.split("."))) if name else json_path(entry.location)
    entry.notes.append(Finding(code, place, f"{place} {words}", "nothing needs to be done"))


def _note_unknown_properties(framework: Framework) -> None:
    models = (
        (Document, [framework.document]),
        (Item, framework.items),
        (Association, framework.associations),
    )
    for model, entries in models:
        known = {info.alias or name for name, info in model.model_fields.items()}
        known |= LINKS_BACK
        for entry in entries:
            if isinstance(entry.content, dict):
                for name in entry.content.keys() - known:
                    _note(entry, "unknown_field", "", f"has a property of its own: {name}")


def _note_codes(framework: Framework) -> None:
    for entry in framework.items:
        code = printed_code(entry)
        if code is None or framework.is_name(code):
            continue
        if framework.codes[code] > 1:
            _note(
                entry,
                "code_not_unique",
                "humanCodingScheme",
                f"is the code of {framework.codes[code]} items: they are told apart by their "
                "identifiers",
            )
        else:
            _note(
                entry,
                "code_not_usable",
                "humanCodingScheme",
                "cannot name the item, whose identifier does: it is an identifier of the package, "
                f"longer than {IDENTIFIER_LENGTH} characters, or holds control characters",
            )


def _note_links(framework: Framework) -> None:
    items = {entry.identifier for entry in framework.items}
    inside = items | {framework.document.identifier}
    has_parent = set()
    seen: set[tuple[str | None, ...]] = set()
    for entry in framework.associations:
        kind = entry.text("associationType")
        origin, destination = framework.node(entry, ORIGIN), framework.node(entry, DESTINATION)
        link = (kind, origin, destination)
        if None not in link and link in seen:
            _note(entry, "repeated_link", "", "says again what another association says")
        seen.add(link)
        for name in (ORIGIN, DESTINATION):
            uri = entry.text(name, "uri")
            if uri is not None and not is_uri(uri):
                _note(entry, "not_a_uri", f"{name}.uri", "is not an absolute URI")
        if kind != "isChildOf" or origin is None or destination is None:
            continue
        if origin not in items:
            _note(entry, "unknown_node", ORIGIN, "names no item of this package")
        if destination in inside:
            has_parent.add(origin)
        else:
            _note(entry, "unknown_node", DESTINATION, "names nothing of this package")
    for entry in framework.items:
        if entry.identifier not in has_parent:
            _note(entry, "orphan", "", "lies under nothing of this package")


def _note_criteria(framework: Framework) -> None:
    """Note criteria of rubrics that lead to no item, or say that another rubric holds them."""
    items = {entry.identifier for entry in framework.items}
    for rubric in framework.others:
        for criterion in _parts(rubric, CRITERIA):
            item = criterion.text("CFItemURI", "identifier")
            if item is not None and item.lower() not in items:
                _note(criterion, "unknown_node", "CFItemURI", "names no item of this package")
            _note_owner(criterion, "rubricId", rubric)
            for level in _parts(criterion, LEVELS):
                _note_owner(level, "rubricCriterionId", criterion)


def _note_owner(part: Entry, name: str, owner: Entry) -> None:
    stated = part.text(name)
    if stated is not None and stated.lower() != owner.identifier:
        _note(part, "other_owner", name, f"is not the identifier of {json_path(owner.location)}")
