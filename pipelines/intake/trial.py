"""What a drafted spec would make of the first rows of a file; nothing is stored."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import Column, columns
from pipelines.intake.checkers import UnreadableError, Verdict
from pipelines.intake.feeds import load_feeds
from pipelines.intake.preview import by_source
from pipelines.settings import Settings
from pipelines.sources.guess.compose import compose
from pipelines.sources.guess.draft import Block
from pipelines.sources.guess.sample import Sample
from pipelines.sources.readers.delimited import Delimited
from pipelines.sources.readers.jsonl import JsonLines

HEAD_BYTES = 512 << 10
MAX_BYTES = 64 << 20
SHOWN = 5
PLACEHOLDER = "placeholder"


@dataclass
class Trial:
    """What became of the first records."""

    n_ok: int = 0
    n_refused: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    examples: list[Verdict] = field(default_factory=list)
    error: str | None = None
    """Why nothing could be tried."""


def try_out(
    source: str, file: Path, sample: Sample, blocks: list[Block], settings: Settings
) -> Trial:
    """Read the first rows by the draft, with placeholders for what it still lacks."""
    trial = Trial()
    if not blocks:
        trial.error = "no kind of record was recognised"
        return trial
    with tempfile.TemporaryDirectory(prefix="tessera-try-") as folder:
        site = Path(folder) / "site"
        (site / "sources").mkdir(parents=True)
        if settings.site is not None and (settings.site / "codes").is_dir():
            shutil.copytree(settings.site / "codes", site / "codes")
        text = compose(source, file.name, sample, list(map(_completed, blocks)), PLACEHOLDER)
        (site / "sources" / f"{source}.yaml").write_text(text, encoding="utf-8")
        tried = settings.model_copy(update={"site": site})
        try:
            head = _head(file, sample, Path(folder))
            for verdict in by_source(load_feeds(tried)[source], tried, head):
                trial.n_ok += not verdict.problems
                trial.n_refused += bool(verdict.problems)
                trial.reasons.update({problem.code for problem in verdict.problems})
                if verdict.problems and len(trial.examples) < SHOWN:
                    trial.examples.append(verdict)
        except UnreadableError as error:
            trial.error = str(error)
    return trial


def _head(file: Path, sample: Sample, folder: Path) -> Path:
    """Return the file, or its first lines where lines can be taken by themselves."""
    size = file.stat().st_size
    if size > HEAD_BYTES and sample.reader in (Delimited.name, JsonLines.name):
        with file.open("rb") as opened:
            data = opened.read(HEAD_BYTES)
        head = folder / file.name
        head.write_bytes(data[: data.rfind(b"\n") + 1] or data)
        return head
    if size > MAX_BYTES:
        raise UnreadableError("the file is too large to be tried as a whole")
    return file


def _completed(block: Block) -> Block:
    by_name = {column.name: column for column in columns(CONTRACTS[block.kind])}
    fields: dict[str, dict[str, Any]] = {
        name: {"value": _placeholder(by_name[name])} for name in block.missing
    }
    return replace(block, fields=block.fields | fields, missing=[])


def _placeholder(column: Column) -> str | bool | list[str]:
    if column.choices is not None:
        return column.choices[0]
    if column.dtype == pl.Boolean():
        return False
    if isinstance(column.dtype, pl.List):
        return [PLACEHOLDER]
    if isinstance(column.dtype, pl.Date | pl.Datetime):
        return date(2000, 1, 1).isoformat()
    return "1" if column.dtype.is_numeric() else PLACEHOLDER
