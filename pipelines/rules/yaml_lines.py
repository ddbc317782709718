"""YAML that remembers its lines, takes text literally, and never refers to itself.

Only `true`, `false`, `null` and whole numbers without leading zeros are read as such. Everything
else stays the text that was written, so that `no`, `007`, `1.10`, `1:30` and `2024-01-05` survive,
and keys of mappings are always text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Place = tuple[str | int, ...]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WHOLE_NUMBER = re.compile(r"-?(0|[1-9]\d*)")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True)
class YamlFault:
    """What cannot be used in a YAML file: where it stands, what it is, what to do."""

    line: int
    field: str
    what: str
    remedy: str


class YamlError(Exception):
    """A file is not YAML that can be used; `faults` lists every reason."""

    def __init__(self, faults: list[YamlFault]) -> None:
        super().__init__("; ".join(f"line {fault.line}: {fault.what}" for fault in faults))
        self.faults = faults


class YamlFile:
    """The content of a YAML file, and the line of each of its values."""

    def __init__(self, path: Path) -> None:
        """Read `path`.

        Raises:
            YamlError: the text is not UTF-8, not YAML, refers to itself, or has a key twice.
        """
        self.path = path
        self._lines: dict[Place, int] = {}
        self._faults: list[YamlFault] = []
        root = _compose(path.read_bytes())
        self.data: Any = None if root is None else self._build(root, ())
        if self._faults:
            raise YamlError(self._faults)

    def line(self, place: Sequence[str | int]) -> int:
        """Return the line of the value at `place`, or of the nearest thing that holds it."""
        for length in range(len(place), 0, -1):
            if tuple(place[:length]) in self._lines:
                return self._lines[tuple(place[:length])]
        return self._lines.get((), 1)

    def _build(self, node: yaml.Node, place: Place) -> Any:
        self._lines.setdefault(place, _line(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self._build(item, (*place, n)) for n, item in enumerate(node.value)]
        text = str(node.value)
        if isinstance(node, yaml.ScalarNode) and not node.style:
            if text in _WORDS:
                return _WORDS[text]
            if _WHOLE_NUMBER.fullmatch(text):
                return int(text)
        return text

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        content: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._fault(key_node, place, "the key is no text", "Write a name before the colon")
                continue
            key = str(key_node.value)
            here = (*place, key)
            if key == "<<" and not key_node.style:
                self._fault(key_node, here, "merges are not read", "Write the keys out here")
            if key in content:
                self._fault(key_node, here, f"the key {key} stands here twice",
                            "Keep one of the two")  # fmt: skip
            self._lines[here] = _line(key_node)
            content[key] = self._build(value_node, here)
        return content

    def _fault(self, node: yaml.Node, place: Place, what: str, remedy: str) -> None:
        self._faults.append(YamlFault(_line(node), ".".join(map(str, place)), what, remedy))


def _compose(content: bytes) -> yaml.Node | None:
    """Return the nodes of one document that refers to nothing.

    References are looked for before nodes are made of the text: nodes that hold themselves have no
    end.
    """
    try:
        text = content.decode()
        _refuse_references(text)
        return yaml.compose(text, Loader=_LOADER)
    except UnicodeDecodeError as error:
        what, remedy = "the bytes are not UTF-8 text", "Save the file as UTF-8"
        raise YamlError([YamlFault(_line_at(content, error.start), "yaml", what, remedy)]) from None
    except yaml.reader.ReaderError as error:
        what, remedy = f"holds the character U+{error.character:04X}", "Take the character out"
        line = _line_at(content, error.position)
        raise YamlError([YamlFault(line, "yaml", what, remedy)]) from None
    except yaml.MarkedYAMLError as error:
        what = f"cannot be read as YAML: {error.problem}"
        remedy = "Check indentation, colons, brackets and quotes on that line and the one before"
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise YamlError([YamlFault(line, "yaml", what, remedy)]) from None


def _refuse_references(text: str) -> None:
    """Refuse anchors and aliases.

    Raises:
        YamlError: naming every one of them.
    """
    remedy = "Write the value out at each place, or put text that begins so in quotes"
    faults = [
        YamlFault(_line(event), "yaml", f"the {_noun(event)}{event.anchor} is not read", remedy)
        for event in yaml.parse(text, Loader=_LOADER)
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None
    ]
    if faults:
        raise YamlError(list(dict.fromkeys(faults)))


def _noun(event: yaml.NodeEvent) -> str:
    return "alias *" if isinstance(event, yaml.AliasEvent) else "anchor &"


def _line(thing: yaml.Node | yaml.NodeEvent) -> int:
    return thing.start_mark.line + 1 if thing.start_mark else 1


def _line_at(content: bytes, position: int) -> int:
    return content[:position].count(b"\n") + 1
