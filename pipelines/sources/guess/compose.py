"""A draft written out as YAML for people to edit: what to look at stands as a comment beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pipelines.contracts.glossary import GLOSSARY
from pipelines.sources.guess.draft import Block
from pipelines.sources.guess.sample import Sample
from pipelines.sources.readers.parts import PARTS

_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_ /%().#-]*[A-Za-z0-9_)%]|[A-Za-z_]")
_WORDS = ("true", "false", "null", "yes", "no", "on", "off", "y", "n")


def compose(
    source: str, file_name: str, sample: Sample, blocks: list[Block], programme: str | None
) -> str:
    """Return the text of a source spec.

    Args:
        source: its id.
        file_name: the file that it was drafted from.
        sample: what the file seems to be.
        blocks: what its tables seem to hold.
        programme: the programme of study, where it is known.
    """
    return "\n".join(_lines(source, file_name, sample, blocks, programme)) + "\n"


def _lines(
    source: str, file_name: str, sample: Sample, blocks: list[Block], programme: str | None
) -> Iterator[str]:
    suffix = file_name.rpartition(".")[2] if "." in file_name else ""
    title = source.replace("_", " ").capitalize()
    yield f"# Drafted from {_comment(file_name)}: look at every line that ends in a question."
    yield "# docs/source-specs.md explains each of them; `tessera source check` says what is wrong."
    yield f"source: {source}"
    yield f"title: {title}"
    yield "owner: assessment_unit  # who works what is refused?"
    yield f"files: [{_quoted('*.' + suffix if suffix else '*')}]"
    yield f"reader: {flow({'name': sample.reader, **sample.options})}"
    yield "time_zone: UTC  # the zone of times without one, such as Europe/Vienna?"
    yield "# person_namespace: student_number  # the same in every spec that uses these ids"
    markers = sorted({mark for block in blocks for mark in block.markers})
    if markers:
        yield f"missing: {flow(['', *markers])}"
    if programme is None:
        yield "# values: {programme_id: MED}  # needed: the programme of study"
    else:
        yield f"values: {flow({'programme_id': programme})}"
    yield "records:" if blocks else "records: []  # nothing here looks like a kind of record"
    hidden = {part["name"] for part in sample.facts.get(PARTS, ()) if part.get("hidden")}
    for block in blocks:
        yield from _block(block, is_hidden=block.part in hidden)
    not_taken = list(dict.fromkeys(name for block in blocks for name in block.not_taken))
    if not_taken:
        yield f"# drop: {flow(not_taken)}  # not taken: list them here, or map them"
    for name, reason in {n: r for block in blocks for n, r in block.refused.items()}.items():
        yield f"# never taken: {_comment(name)} ({_comment(reason)})"


def _block(block: Block, *, is_hidden: bool) -> Iterator[str]:
    yield f"  - kind: {block.kind}"
    if block.part is not None:
        remark = "  # hidden in the workbook: is it to be read?" if is_hidden else ""
        yield f"    part: {scalar(block.part)}{remark}"
    yield f"    record_id: {_quoted(block.record_id)}{_remarks(block, 'record_id')}"
    if block.wide is not None:
        yield f"    wide: {flow(block.wide)}  # one record for each of these columns?"
    if block.fields or block.missing:
        yield "    fields:"
    for name, mapping in block.fields.items():
        shown = scalar(mapping["column"]) if mapping.keys() == {"column"} else flow(mapping)
        yield f"      {name}: {shown}{_remarks(block, name)}"
    for name in block.missing:
        yield f"      # {name}: {{value: …}}  # needed: {GLOSSARY.get(name, name)}"


def _remarks(block: Block, name: str) -> str:
    found = block.remarks.get(name, [])
    return f"  # {_comment('; '.join(found))}" if found else ""


def _comment(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def flow(value: Any) -> str:
    """Return a value as YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else scalar(str(value))


def scalar(text: str) -> str:
    """Return a text as YAML, in quotes where it needs them."""
    is_bare = _BARE.fullmatch(text) and text.lower() not in _WORDS and " #" not in text
    return text if is_bare else _quoted(text)


def _quoted(text: str) -> str:
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in ('"', "\\"):
        return f"\\{character}"
    if character.isprintable():
        return character
    number = ord(character)
    return f"\\u{number:04X}" if number < 0x10000 else f"\\U{number:08X}"
