"""YAML as specs are read: with the faults of the reader among those of specs."""

from __future__ import annotations

from pathlib import Path

from pipelines.rules.yaml_lines import YamlError, YamlFile
from pipelines.sources.faults import Fault, SourceError


def read_yaml(path: Path) -> YamlFile:
    """Read one YAML document.

    Raises:
        SourceError: the file is not YAML that can be used.
    """
    try:
        return YamlFile(path)
    except YamlError as error:
        raise SourceError(
            Fault(path, fault.line, fault.field, fault.what, fault.remedy) for fault in error.faults
        ) from None
