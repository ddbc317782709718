"""YAML that remembers on which line each value stands."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import yaml


class YamlError(Exception):
    """A file is not YAML that can be used; `line` says where."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line
        self.what = what


class YamlFile:
    """The content of a YAML file, and the line of each of its values."""

    def __init__(self, path: Path) -> None:
        """Read `path`.

        Raises:
            YamlError: the text is not UTF-8, not YAML, not a mapping, or has a key twice.
        """
        try:
            text = path.read_text(encoding="utf-8")
            node = yaml.compose(text, Loader=yaml.CSafeLoader)
            data = yaml.load(text, Loader=yaml.CSafeLoader)
        except UnicodeDecodeError as error:
            raise YamlError(1, f"the file is not UTF-8 ({error.reason})") from None
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise YamlError(line, str(error.problem)) from None
        except (yaml.YAMLError, ValueError) as error:
            raise YamlError(1, str(error)) from None
        if not isinstance(node, yaml.MappingNode):
            raise YamlError(1, "the file must be a mapping of keys to values")
        self._root: yaml.Node = node
        _refuse_double_keys(node)
        self.data: dict[str, Any] = data

    def line(self, location: Sequence[Hashable]) -> int:
        """Return the line of the value at `location`, or of the nearest thing that holds it."""
        node = self._root
        line = node.start_mark.line + 1
        for step in location:
            if isinstance(node, yaml.MappingNode):
                found = [(k, v) for k, v in node.value if k.value == str(step)]
                if not found:
                    break
                key, node = found[0]
                line = key.start_mark.line + 1
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
                node = node.value[step]
                line = node.start_mark.line + 1
            else:
                break
        return line


def _refuse_double_keys(node: yaml.Node) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                raise YamlError(key.start_mark.line + 1, f"the key {name} is given twice")
            seen.add(name)
            _refuse_double_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_double_keys(item)
