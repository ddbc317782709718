"""What labels mean, as reviewed data: the nearest known levels, and who approved which label.

Approvals are appended to a file of the home's log. They come after the shipped and the site's
`scale_labels.csv`, so the newest word on a label counts, and who said it stays on record.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from rapidfuzz import fuzz, process

from pipelines.home import write_atomically
from pipelines.sources.codes import crosswalk, newest_version, versions_of
from pipelines.sources.codes.contradictions import Row
from pipelines.sources.faults import Fault, known
from pipelines.sources.text import folded

FILE = "crosswalk.jsonl"
NEAREST = 3
LEAST_SIMILARITY = 0.5
"""What is less alike is no suggestion. Source: local choice."""


class CrosswalkError(Exception):
    """A label cannot be approved; the message says why and what to do."""


class Approval(BaseModel):
    """Somebody says which level of a scale a label means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scale_id: str
    scale_version: str
    raw_label: str
    level: int
    approved_by: str
    approved_at: AwareDatetime
    reason: str | None = None
    replaces_level: int | None = None


class Near(BaseModel):
    """A level that a label may mean, and how alike the two are, from 0 to 1."""

    model_config = ConfigDict(frozen=True)

    level: str
    label: str
    similarity: float


def approvals_path(home: Path) -> Path:
    """Return the file of approvals of a home."""
    return home / "log" / FILE


def read_approvals(path: Path, faults: list[Fault]) -> list[Approval]:
    """Return every approval, the oldest first."""
    if not path.exists():
        return []
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if not line:
            continue
        try:
            found.append(Approval.model_validate_json(line))
        except ValidationError as error:
            said = str(error.errors()[0]["msg"])
            faults.append(Fault(path, number, "approval", said, "Restore the file from a backup"))
    return found


def apply(
    labels: Mapping[tuple[str, ...], Row], path: Path, approvals: Iterable[Approval]
) -> dict[tuple[str, ...], Row]:
    """Return the rows of `scale_labels` with the newest approval of a label over them."""
    return {**labels} | {
        (item.scale_id, item.scale_version, folded([item.raw_label])[0]): Row(
            {
                "scale_id": item.scale_id,
                "scale_version": item.scale_version,
                "raw_label": item.raw_label,
                "level": item.level,
                "approved_by": item.approved_by,
                "approved_at": item.approved_at.isoformat(),
                "source": "local choice",
            },
            path,
            None,
        )
        for item in approvals
    }


def approve(
    home: Path,
    codes: dict[str, pl.DataFrame],
    scale_id: str,
    label: str,
    level: str,
    *,
    by: str,
    version: str | None = None,
    reason: str | None = None,
    replace: bool = False,
) -> Approval | None:
    """Remember which level a label means; None where that is known already.

    Args:
        home: the folder of the home; its lock is the caller's.
        codes: the code lists in force.
        scale_id: the scale.
        label: the label as the source writes it.
        level: the number or the name of the level.
        by: the person who approves.
        version: of the scale; the newest by default.
        reason: why, needed where something else was approved before.
        replace: whether the label may mean something else from now on.

    Raises:
        CrosswalkError: there is no such scale or level, or the label means something else already.
    """
    scales = codes["scales"]
    if scale_id not in set(scales["scale_id"]):
        names = scales["scale_id"].unique().sort().to_list()
        raise CrosswalkError(f"no scale {scale_id!r}. {known(names, scale_id)}")
    version = version or newest_version(codes, scale_id)
    number = _level(codes, scale_id, version, level)
    key = folded([label])[0]
    if not key:
        raise CrosswalkError("the label is empty: write it as the source does, in quotes")
    standing = crosswalk(codes, scale_id, version).get(key)
    if standing == number:
        return None
    if standing is not None:
        _refuse_silent_change(codes, scale_id, version, key, standing, reason, replace=replace)
    approval = Approval(
        scale_id=scale_id,
        scale_version=version,
        raw_label=" ".join(label.split()),
        level=number,
        approved_by=by,
        approved_at=datetime.now(UTC),
        reason=reason,
        replaces_level=standing,
    )
    path = approvals_path(home)
    before = path.read_bytes() if path.exists() else b""
    line = json.dumps(approval.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)
    write_atomically(path, before + line.encode() + b"\n")
    return approval


def nearest(label: str, meanings: Mapping[str, str]) -> list[Near]:
    """Return what a label may mean, the most alike first.

    Args:
        label: a label that is not known.
        meanings: what every known label, folded, means.
    """
    found = process.extract(
        folded([label])[0],
        list(meanings),
        scorer=fuzz.WRatio,
        score_cutoff=100 * LEAST_SIMILARITY,
        limit=None,
    )
    best: dict[str, Near] = {}
    for text, score, _ in sorted(found, key=lambda item: (-item[1], item[0])):
        meaning = meanings[text]
        if meaning not in best:
            best[meaning] = Near(level=meaning, label=text, similarity=round(score / 100, 2))
    return list(best.values())[:NEAREST]


def _level(codes: dict[str, pl.DataFrame], scale_id: str, version: str, level: str) -> int:
    scales = codes["scales"]
    here = scales.filter((pl.col("scale_id") == scale_id) & (pl.col("scale_version") == version))
    if not here.height:
        versions = versions_of(codes, scale_id)
        raise CrosswalkError(f"{scale_id} has no version {version!r}. {known(versions, version)}")
    by_name = dict(zip(folded(here["level_label"]), here["level"], strict=True))
    by_name |= {str(number): number for number in here["level"]}
    found = by_name.get(folded([level])[0])
    if found is None:
        named = ", ".join(
            f"{number} {name}"
            for number, name in zip(here["level"], here["level_label"], strict=True)
        )
        raise CrosswalkError(
            f"{scale_id} version {version} has no level {level!r}; it has: {named}"
        )
    return int(found)


def _refuse_silent_change(
    codes: dict[str, pl.DataFrame],
    scale_id: str,
    version: str,
    key: str,
    standing: int,
    reason: str | None,
    *,
    replace: bool,
) -> None:
    here = (pl.col("scale_id") == scale_id) & (pl.col("scale_version") == version)
    levels = codes["scales"].filter(here)
    own = {*(str(level) for level in levels["level"]), *folded(levels["level_label"])}
    if key in own:
        raise CrosswalkError(
            f"{key!r} is a level of {scale_id} itself and cannot mean another one: correct the "
            "records at the source, or name another scale in its spec"
        )
    if replace and reason and reason.strip():
        return
    labels = codes["scale_labels"].filter(here)
    said = dict(
        zip(
            folded(labels["raw_label"]),
            zip(labels["approved_by"], labels["approved_at"], strict=True),
            strict=True,
        )
    )
    who, when = said.get(key, (None, None))
    by = f", approved by {who}" + (f" on {when[:10]}" if when else "") if who else ""
    raise CrosswalkError(
        f"the label means level {standing} of {scale_id} already{by}. If that is wrong, say why: "
        "--replace --reason '…'; the archive is then read again"
    )
