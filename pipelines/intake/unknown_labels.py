"""Labels in quarantine that no crosswalk knows, with what they may mean."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from pydantic import BaseModel, ConfigDict

from pipelines.contracts.problems import mask
from pipelines.home import Home
from pipelines.intake.quarantine import show
from pipelines.sources.catalogue import Catalogue
from pipelines.sources.codes import crosswalk, newest_version
from pipelines.sources.crosswalk import Near, nearest
from pipelines.sources.mapping.fields import canonical
from pipelines.sources.spec import FieldMap
from pipelines.sources.text import folded

CODE = "unknown_label"
LONGEST_LABEL = 60
_PERSONAL = re.compile(r"@|\d{5}")


class UnknownLabel(BaseModel):
    """A label that is not known, how often it waits, and what it may mean."""

    model_config = ConfigDict(frozen=True)

    source: str
    kind: str
    field: str
    scale: str | None
    scale_version: str | None
    label: str
    is_masked: bool
    """Whether only the form of the label is shown, for it may hold personal data."""
    n_records: int
    nearest: list[Near]
    owner: str
    remedy: str


def unknown_labels(
    home: Home, catalogue: Catalogue, source: str | None = None
) -> list[UnknownLabel]:
    """Return the labels that wait in quarantine, the most frequent first."""
    counted: Counter[tuple[str, str, str, str]] = Counter()
    written: dict[tuple[str, str, str, str], str] = {}
    owners: dict[str, str] = {}
    for refused in show(home, code=CODE, source=source, waiting=False):
        owners[refused.source] = refused.owner
        for problem in refused.problems:
            value = (refused.record or {}).get(str(problem["field"]))
            if problem["code"] != CODE or not isinstance(value, str):
                continue
            key = (refused.source, refused.kind, str(problem["field"]), folded([value])[0])
            counted[key] += 1
            written.setdefault(key, value)
    found = [
        _described(catalogue, key, written[key], n, owners[key[0]]) for key, n in counted.items()
    ]
    return sorted(found, key=lambda item: (-item.n_records, item.source, item.field, item.label))


def _described(
    catalogue: Catalogue, key: tuple[str, str, str, str], label: str, n: int, owner: str
) -> UnknownLabel:
    source, kind, field, _ = key
    mapping = _mapping(catalogue, source, kind, field)
    scale = mapping.scale if mapping is not None else None
    version = None
    meanings: dict[str, str] = {}
    remedy = f"add the label to `map` of {field} in the spec of {source}"
    if mapping is not None and scale is not None:
        version = mapping.scale_version or newest_version(catalogue.codes, scale)
        levels = crosswalk(catalogue.codes, scale, version)
        meanings = {text: str(level) for text, level in levels.items()}
    elif mapping is not None and mapping.map is not None:
        meanings = {
            text: canonical(value)
            for text, value in zip(folded(mapping.map), mapping.map.values(), strict=True)
            if value is not None
        }
    shown, is_masked = _shown(label)
    near = nearest(label, meanings)
    if scale is not None:
        level = near[0].level if near else "LEVEL"
        named = "'…'" if is_masked else f"'{label}'"
        remedy = f"tessera crosswalk approve {scale} {named} {level} --by 'A. Muster'"
    return UnknownLabel(
        source=source,
        kind=kind,
        field=field,
        scale=scale,
        scale_version=version,
        label=shown,
        is_masked=is_masked,
        n_records=n,
        nearest=near,
        owner=owner,
        remedy=remedy,
    )


def _shown(label: str) -> tuple[str, bool]:
    """Return a label, masked where it looks more like a text about somebody."""
    if len(label) <= LONGEST_LABEL and label.isprintable() and not _PERSONAL.search(label):
        return label, False
    return str(mask(label, personal=len(label) > LONGEST_LABEL)), True


def _mapping(catalogue: Catalogue, source: str, kind: str, field: str) -> FieldMap | None:
    spec = catalogue.sources.get(source)
    maps: dict[str, Any] = {}
    for record in spec.records if spec is not None else ():
        if record.kind == kind:
            maps = dict(record.field_maps()) | maps
    return maps.get(field)
