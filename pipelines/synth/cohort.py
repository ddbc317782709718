"""A whole cohort: blocks written by worker processes, then what is true of all of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from multiprocessing import get_context
from pathlib import Path

from pipelines.synth import oneroster, truth, xapi
from pipelines.synth.deliveries import EVIDENCE, NATIVE, Written, write_block
from pipelines.synth.request import Request, RequestError, truth_beside

READERS = {
    "csv": "{name: delimited}",
    "jsonl": "{name: jsonl}",
    "xlsx": "{name: xlsx}",
    "parquet": "{name: parquet}",
}
PEOPLE_OF = {
    xapi.SOURCE_FORMAT: (
        xapi.SOURCE,
        (
            r"(?m)^(owner: .*)$",
            r"\1\nperson_namespace: example_person\nperson_ids: {fold_case: true}",
        ),
    ),
    oneroster.SOURCE_FORMAT: (oneroster.SOURCE, ("student_number:", "example_person:")),
}
"""What makes the people of a standard's source those of the example school's rosters."""
SUFFIX = {"csv": "csv", "jsonl": "jsonl", "xlsx": "xlsx", "parquet": "parquet"}

Progress = Callable[[int, int, int], None]
"""Told blocks done, blocks in all, and evidence records so far."""


@dataclass(frozen=True)
class Made:
    """What making a cohort gave."""

    out: Path
    truth: Path
    site: Path | None
    """Specs for the chosen format, where the shipped ones read another."""
    n_files: int
    n_records: int
    n_faults: int


def make(
    request: Request,
    out: Path,
    truth_folder: Path | None = None,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> Made:
    """Write a cohort's deliveries into a folder and its truth beside it.

    The same request gives the same bytes, however many workers there are.

    Args:
        request: the cohort.
        out: an empty folder, such as an inbox.
        truth_folder: where the truth goes; by default beside `out`, as `<out>-truth`.
        workers: worker processes; small cohorts need none.
        progress: told how far it is.

    Raises:
        RequestError: a folder is not empty, or the truth would lie where intake reads.
    """
    truth_folder = truth_beside(out, truth_folder)
    site = _write_specs(request, out)
    out.mkdir(parents=True, exist_ok=True)
    deliveries, faults, n_records, n_blocks = [], [], 0, len(request.blocks)
    for done, written in enumerate(_blocks(request, out, truth_folder, workers), start=1):
        deliveries += written.deliveries
        faults += written.faults
        n_records += written.n_records
        if progress is not None:
            progress(done, n_blocks, n_records)
    deliveries.sort(key=lambda each: each.file)
    truth.write_whole(request, truth_folder, deliveries, faults)
    n_files = sum(not path.name.endswith(".manifest.json") for path in _files(out))
    return Made(out, truth_folder, site, n_files, n_records, len(faults))


def fill(inbox: Path, seed: int | None = None) -> list[Path]:
    """Fill an empty inbox with the default cohort and return the files."""
    make(Request() if seed is None else Request(seed=seed), inbox)
    return [path for path in _files(inbox) if not path.name.endswith(".manifest.json")]


def _blocks(request: Request, out: Path, folder: Path, workers: int) -> Iterator[Written]:
    numbers = range(len(request.blocks))
    if workers <= 1 or len(numbers) == 1:
        for number in numbers:
            yield write_block(request, number, out, folder)
        return
    context = get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(numbers)), mp_context=context) as pool:
        futures = [pool.submit(write_block, request, number, out, folder) for number in numbers]
        for future in futures:
            yield future.result()


def _write_specs(request: Request, out: Path) -> Path | None:
    """Write the shipped specs of the evidence with the reader of another format."""
    if request.format not in (*READERS, *PEOPLE_OF):
        return None
    out = out.absolute()
    site = out.with_name(f"{out.name}-site")
    if site.exists() and any(site.rglob("*.yaml")):
        raise RequestError(f"{site} is not empty: the specs of this format go there")
    shipped = files("pipelines.sources.specs")
    if request.format in PEOPLE_OF:
        source, (pattern, people) = PEOPLE_OF[request.format]
        spec = shipped.joinpath(f"{source}.yaml")
        if not spec.is_file():
            return None
        _write(site, source, re.sub(pattern, people, spec.read_text(encoding="utf-8")))
        return site
    wanted = [name for name in EVIDENCE if NATIVE.get(name, "csv") != request.format]
    for source in wanted:
        text = shipped.joinpath(f"{source}.yaml").read_text(encoding="utf-8")
        text = re.sub(r"(?m)^reader: .*$", f"reader: {READERS[request.format]}", text)
        text = re.sub(r"(?m)^files: .*$", f'files: "*.{SUFFIX[request.format]}"', text)
        _write(site, source, text)
    return site if wanted else None


def _write(site: Path, source: str, text: str) -> None:
    path = site / "sources" / f"{source}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]
