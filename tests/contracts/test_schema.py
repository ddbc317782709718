"""How contracts look as columns, and older segments as present ones."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipelines.contracts import CONTRACTS, ExamResult
from pipelines.contracts.glossary import GLOSSARY
from pipelines.contracts.schema import columns, segment_schema
from pipelines.contracts.versions import UPCASTS, VersionError, read_segment, upcast, upcast_from

GOLDEN = Path(__file__).parents[1] / "golden" / "segments"


def test_every_column_is_described() -> None:
    for contract in CONTRACTS.values():
        assert all(column.description for column in columns(contract)), contract.kind
        assert segment_schema(contract).keys() >= {"event_id"}


def test_the_glossary_names_only_what_exists() -> None:
    names = {name for contract in CONTRACTS.values() for name in contract.model_fields}
    names |= segment_schema(ExamResult).keys()
    assert set(GLOSSARY) <= names


def test_no_segment_has_a_column_for_what_only_the_vault_may_hold() -> None:
    for contract in CONTRACTS.values():
        stored = set(segment_schema(contract))
        for column in columns(contract):
            if column.is_vaulted or column.is_person:
                assert column.name not in stored


@pytest.mark.parametrize(
    ("kind", "version"),
    [
        (kind, version)
        for kind, contract in CONTRACTS.items()
        for version in range(1, contract.contract_version + 1)
    ],
)
def test_a_segment_of_every_version_ever_released_reads_as_the_present_one(
    kind: str, version: int
) -> None:
    frame = read_segment(GOLDEN / f"v{version}" / f"{kind}.parquet", kind, version).collect()
    assert dict(frame.schema) == segment_schema(CONTRACTS[kind])
    assert frame.height == 1
    assert frame["record_id"].to_list() == ["r1"]


def test_each_step_between_versions_is_registered() -> None:
    for kind, contract in CONTRACTS.items():
        for version in range(1, contract.contract_version):
            assert (kind, version) in UPCASTS


class NewerResult(ExamResult):
    """An exam result of a later version, with another field."""

    contract_version = 3
    remark: str | None = None


def test_an_older_frame_goes_through_every_step_and_gets_new_columns() -> None:
    registry: dict[tuple[str, int], object] = {}

    @upcast_from("exam_result", 1, registry)  # type: ignore[arg-type]
    def _first(frame: pl.LazyFrame) -> pl.LazyFrame:
        return frame.with_columns(pl.col("score") * 2)

    @upcast_from("exam_result", 2, registry)  # type: ignore[arg-type]
    def _second(frame: pl.LazyFrame) -> pl.LazyFrame:
        return frame.with_columns(pl.col("score") + 1)

    old = pl.scan_parquet(GOLDEN / "v1" / "exam_result.parquet")
    new = upcast(old, NewerResult, 1, registry).collect()  # type: ignore[arg-type]
    assert [float(score) for score in new["score"]] == [124.0]
    assert new["remark"].to_list() == [None]
    assert new["contract_version"].to_list() == [3]


def test_a_missing_step_and_a_newer_segment_are_refused() -> None:
    old = pl.scan_parquet(GOLDEN / "v1" / "exam_result.parquet")
    with pytest.raises(VersionError, match="no step for exam_result from contract version 1"):
        upcast(old, NewerResult, 1, {})
    with pytest.raises(VersionError, match="use the newer Tessera"):
        upcast(old, ExamResult, 9)
