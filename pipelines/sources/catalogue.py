"""All source specs and code lists of an installation, checked together."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

import polars as pl
from pydantic import BaseModel, ValidationError

from pipelines.rules.yaml_lines import Place, YamlFile
from pipelines.sources import codes as code_lists
from pipelines.sources.checks import SpecCheck
from pipelines.sources.crosswalk import approvals_path
from pipelines.sources.faults import Fault, SourceError, known
from pipelines.sources.spec import SourceSpec
from pipelines.sources.text import globs_overlap
from pipelines.sources.yaml_file import read_yaml

if TYPE_CHECKING:
    from pipelines.settings import Settings

SHIPPED = Path(__file__).parent / "specs"


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Specs by source id, the code lists, and every spec's own lookup tables.

    A catalogue equals itself alone, so that what follows from it can be kept beside it.
    """

    sources: dict[str, SourceSpec]
    codes: dict[str, pl.DataFrame]
    lookups: dict[str, dict[str, dict[str, str]]]

    def source_of(self, relative: str) -> SourceSpec | None:
        """Return the source of a file, named relative to the inbox with forward slashes."""
        return next((spec for spec in self.sources.values() if spec.takes(relative)), None)

    def waits_for_roster(self, spec: SourceSpec) -> bool:
        """Tell whether records of learners whom no roster names wait until one does."""
        if spec.unknown_learners is not None:
            return spec.unknown_learners == "wait"
        return any(
            "learner" in other.kinds and other.namespace == spec.namespace
            for other in self.sources.values()
        )

    def refused_in_json(self, spec: SourceSpec) -> str:
        """Return a pattern of the keys, as `key`, and values in JSON that are never taken."""
        names = [*self.codes["refused_columns"]["column_pattern"], *spec.refuse]
        keys = "|".join(
            re.escape(name).replace(r"\*", '[^"]*').replace("_", "[ _.-]?") for name in names
        )
        value = r'"(?:[^"\\]|\\.)*"|\{[^{}]*\}|\[[^\[\]]*\]|[^,}\]\s]+'
        return rf'(?i)(?P<key>"\s*(?:{keys})\s*"\s*:\s*)(?:{value})'

    def reason_to_refuse(self, spec: SourceSpec, column: str) -> str | None:
        """Return why a column must not be taken, or None."""
        return spec.refuse.get(column) or code_lists.reason_never_taken(self.codes, column)


def load(settings: Settings) -> Catalogue:
    """Load the shipped specs and code lists with the site's over them.

    Raises:
        SourceError: something is wrong; every fault says file, line, field and remedy.
    """
    specs = [SHIPPED, *([settings.site / "sources"] if settings.site else [])]
    lists = [code_lists.SHIPPED, *([settings.site / "codes"] if settings.site else [])]
    path = approvals_path(settings.home)
    approvals = path if path.exists() else None
    files = [path for folder in (*specs, *lists) for path in sorted(folder.glob("*.*"))]
    files += [approvals] if approvals else []
    stamps = tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in files)
    return _load(tuple(specs), tuple(lists), approvals, stamps)


@lru_cache(maxsize=4)
def _load(
    specs: tuple[Path, ...],
    lists: tuple[Path, ...],
    approvals: Path | None,
    stamps: tuple[tuple[str, int, int], ...],
) -> Catalogue:
    """Load once for each state of the files."""
    del stamps
    return load_folders(list(specs), code_lists.load_folders(list(lists), approvals))


def load_folders(folders: list[Path], codes: dict[str, pl.DataFrame]) -> Catalogue:
    """Load the specs of folders, where later ones replace specs of the same source id."""
    faults: list[Fault] = []
    by_id: dict[str, tuple[SourceSpec, YamlFile, dict[str, dict[str, str]]]] = {}
    for folder in folders:
        here: dict[str, Path] = {}
        for path in sorted(folder.glob("*.yaml")):
            try:
                spec, file, lookups = load_spec(path, codes)
            except SourceError as error:
                faults += error.faults
                continue
            if spec.source in here:
                faults.append(
                    Fault(path, file.line(("source",)), "source",
                          f"{spec.source} is also the id of {here[spec.source]}",
                          "Give one of the two another id")
                )  # fmt: skip
            here[spec.source] = path
            by_id[spec.source] = (spec, file, lookups)
    faults += _overlaps([(spec, file) for spec, file, _ in by_id.values()])
    if faults:
        raise SourceError(faults)
    ordered = sorted(by_id)
    return Catalogue(
        sources={name: by_id[name][0] for name in ordered},
        codes=codes,
        lookups={name: by_id[name][2] for name in ordered},
    )


def load_spec(
    path: Path, codes: dict[str, pl.DataFrame]
) -> tuple[SourceSpec, YamlFile, dict[str, dict[str, str]]]:
    """Load and check one spec, and read its lookup tables.

    Raises:
        SourceError: the spec has faults.
    """
    file = read_yaml(path)
    if not isinstance(file.data, dict):
        raise SourceError(
            [Fault(path, 1, "yaml", "holds no spec", "Begin with `source:`, `title:`, `owner:`")]
        )
    try:
        spec = SourceSpec.model_validate(file.data)
    except ValidationError as error:
        raise SourceError([_model_fault(file, details) for details in error.errors()]) from None
    spec._path = path
    check = SpecCheck(spec, file, codes)
    lookups = {name: check.lookup(name, lookup) for name, lookup in spec.lookups.items()}
    check.run()
    if check.faults:
        raise SourceError(check.faults)
    return spec, file, lookups


def _overlaps(specs: list[tuple[SourceSpec, YamlFile]]) -> Iterator[Fault]:
    for n, (spec, file) in enumerate(specs):
        for other, _ in specs[:n]:
            if spec.inbox_folder != other.inbox_folder:
                continue
            for glob in spec.files:
                meets = next((g for g in other.files if globs_overlap(glob, g)), None)
                if meets is not None:
                    yield Fault(
                        file.path,
                        file.line(("files",)),
                        "files",
                        f"{glob!r} and {meets!r} of source {other.source} match the same files "
                        f"in folder {spec.inbox_folder}",
                        "Make the patterns exclude each other, or use another folder",
                    )


def _model_fault(file: YamlFile, details: Mapping[str, Any]) -> Fault:
    place: Place = tuple(details["loc"])
    field = ".".join(map(str, place)) or "spec"
    line = file.line(place)
    kind = details["type"]
    if kind == "extra_forbidden":
        names = _names_at(SourceSpec, place[:-1])
        return Fault(file.path, line, field, "is unknown", known(names, str(place[-1])))
    if kind == "missing":
        return Fault(file.path, line, field, "is missing", f"Add `{place[-1]}:`")
    message = str(details["msg"]).removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    if kind == "string_pattern_mismatch":
        message = f"{details['input']!r} has characters that are not allowed here"
        return Fault(file.path, line, field, message, f"Write it like {details['ctx']['pattern']}")
    return Fault(file.path, line, field, message, "Correct it; docs/source-specs.md has examples")


def _names_at(model: type[BaseModel], place: Place) -> list[str]:
    """Return the names that a spec may use at a place."""
    current: Any = model
    is_key = False
    for part in place:
        if is_key or isinstance(part, int):
            is_key = False
        elif isinstance(current, type) and issubclass(current, BaseModel):
            fields = current.model_fields.items()
            found = [info.annotation for name, info in fields if part in (name, info.alias)]
            current = _inner(found[0]) if found else None
            is_key = bool(found) and get_origin(found[0]) is dict
    if isinstance(current, type) and issubclass(current, BaseModel):
        return [info.alias or name for name, info in current.model_fields.items()]
    return []


def _inner(annotation: Any) -> Any:
    """Return the model within lists, dicts and options."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _inner(get_args(annotation)[0])
    if origin in (list, dict, Union, types.UnionType):
        models = (_inner(arg) for arg in get_args(annotation))
        return next((m for m in models if isinstance(m, type) and issubclass(m, BaseModel)), None)
    return annotation
