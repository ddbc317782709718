"""YAML that remembers its lines and takes text literally.

Only `true`, `false`, `null` and whole numbers without leading zeros are read as such. Everything
else stays the text that was written, so that `no`, `007`, `1.10` and `2024-01-05` survive, and
keys of mappings are always text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipelines.sources.faults import Fault, SourceError

Place = tuple[str | int, ...]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WHOLE_NUMBER = re.compile(r"-?(0|[1-9]\d*)")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True)
class YamlFile:
    """The content of a YAML file and the line of each of its places."""

    path: Path
    data: Any
    lines: dict[Place, int]

    def line_of(self, place: Place) -> int | None:
        """Return the line of a place, or of the nearest place around it."""
        for length in range(len(place), -1, -1):
            if place[:length] in self.lines:
                return self.lines[place[:length]]
        return None


def read_yaml(path: Path) -> YamlFile:
    """Read one YAML document.

    Raises:
        SourceError: the file is not readable YAML, or a mapping holds a key twice.
    """
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=_LOADER)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SourceError([_syntax_fault(path, error)]) from None
    lines: dict[Place, int] = {}
    faults: list[Fault] = []
    data = None if root is None else _build(root, (), lines, faults, path)
    if faults:
        raise SourceError(faults)
    return YamlFile(path, data, lines)


def _syntax_fault(path: Path, error: Exception) -> Fault:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "the bytes are not UTF-8 text"
    return Fault(
        path,
        mark.line + 1 if mark else None,
        "yaml",
        f"cannot be read as YAML: {problem}",
        "Check indentation, colons, brackets and quotes on that line and the one before",
    )


def _build(
    node: yaml.Node, place: Place, lines: dict[Place, int], faults: list[Fault], path: Path
) -> Any:
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        content: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if key in content:
                faults.append(
                    Fault(path, line, ".".join(map(str, (*place, key))), "stands here twice",
                          "Keep one of the two")
                )  # fmt: skip
            lines[(*place, key)] = line
            content[key] = _build(value_node, (*place, key), lines, faults, path)
        return content
    if isinstance(node, yaml.SequenceNode):
        return [
            _build(item, (*place, index), lines, faults, path)
            for index, item in enumerate(node.value)
        ]
    text = str(node.value)
    if isinstance(node, yaml.ScalarNode) and not node.style:
        if text in _WORDS:
            return _WORDS[text]
        if _WHOLE_NUMBER.fullmatch(text):
            return int(text)
    return text
