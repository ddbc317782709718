from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import polars as pl
import pytest

from pipelines.intake.read import ReadReport, read_file
from pipelines.sources import codes
from pipelines.sources.catalogue import Catalogue, load_folders

HEAD = """
source: school
title: Forms of a made-up school
owner: assessment_unit
files: ["*.csv"]
time_zone: Europe/Vienna
"""


@dataclass(frozen=True)
class Result:
    report: ReadReport
    folder: Path

    def records(self, kind: str = "exam_result") -> pl.DataFrame:
        assert self.report.error is None, self.report.error
        return pl.read_parquet(self.folder / f"records-{kind}-*.parquet").sort("source_row")

    def originals(self) -> pl.DataFrame:
        files = sorted(self.folder.glob("source-*.parquet"))
        return pl.concat(map(pl.read_parquet, files), how="diagonal").sort("source_row")

    def problems(self, kind: str = "exam_result") -> list[tuple[int, str, str | None]]:
        frame = self.records(kind).select("source_row", "problems").explode("problems")
        return [
            (row, problem["code"], problem["field"]) for row, problem in frame.rows() if problem
        ]


@pytest.fixture(scope="session")
def code_lists() -> dict[str, pl.DataFrame]:
    return codes.load_folders([codes.SHIPPED])


@pytest.fixture
def catalogue_of(tmp_path: Path, code_lists: dict[str, pl.DataFrame]) -> Callable[..., Catalogue]:
    def load(body: str, head: str = HEAD) -> Catalogue:
        folder = tmp_path / "specs"
        folder.mkdir(exist_ok=True)
        (folder / "school.yaml").write_text(head + dedent(body), encoding="utf-8")
        return load_folders([folder], code_lists)

    return load


@pytest.fixture
def read_bytes(tmp_path: Path, catalogue_of: Callable[..., Catalogue]) -> Callable[..., Result]:
    def run(data: bytes | str, body: str, head: str = HEAD) -> Result:
        catalogue = catalogue_of(body, head)
        path, folder = tmp_path / "delivered", tmp_path / "read"
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        folder.mkdir(exist_ok=True)
        return Result(read_file(path, catalogue.sources["school"], catalogue, folder), folder)

    return run
