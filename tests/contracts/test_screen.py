"""The generated screen never passes what pydantic would refuse or read differently."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts import CONTRACTS
from pipelines.contracts.base import Record
from pipelines.contracts.schema import Column, columns
from pipelines.contracts.screen import PROVEN, screen

HOSTILE = st.sampled_from(
    ["", " ", "0", "-0", "+1", "007", "1_0", "1e3", ".5", "5.", "1.0", "1.1234567", "nan", "inf",
     "999999999999.999999", "1000000000000", "9223372036854775808", "-1", "101", "1.01", "٣",
     "true", "True", "yes", "1", "on", "null", "[]", "{}", "=1+1", "a\tb", "a\nb", "a\u200bb",
     " a", "a ", "x" * 200, "x" * 201, "é" * 200, "\u0378", "🙂", "\x00",
     "2024-02-29", "2023-02-29", "2024-1-1", "20240101", "44561", "1700000000", "0202-01-01",
     "2024-02-29T10:00:00Z", "2024-02-29T10:00:00", "2024-02-29T24:00:00Z",
     "2024-02-29T10:00:60Z", "2024-02-29T10:00:00.1234567Z", "2024-02-29T10:00:00.5+05:30",
     "2024-02-29 10:00:00Z", "2024-02-29T10:00Z", "2199-12-31T23:59:59-14:00",
     "1899-12-31T23:59:59Z", "1900-01-01T00:00:00+13:59", "2024-02-29T10:00:00+24:00",
     "2024-02-29t10:00:00z", "2024-06-31T10:00:00Z", "+2024-01-01T00:00:00Z"]
)  # fmt: skip


def values(column: Column) -> st.SearchStrategy[str | None]:
    """Return texts for a column: plain ones, and what is made to trip a parser."""
    plain: st.SearchStrategy[str]
    if column.choices is not None:
        plain = st.sampled_from(column.choices)
    elif isinstance(column.dtype, pl.Datetime):
        plain = st.datetimes(min_value=datetime(1890, 1, 1), max_value=datetime(2210, 1, 1)).map(  # noqa: DTZ001
            lambda t: t.isoformat() + "+02:00"
        )
    elif isinstance(column.dtype, pl.Date):
        plain = st.dates().map(str)
    elif isinstance(column.dtype, pl.Decimal):
        plain = st.decimals(-200, 200, places=3, allow_nan=False).map(str)
    elif isinstance(column.dtype, pl.Int64):
        plain = st.integers(-2, 120).map(str)
    elif isinstance(column.dtype, pl.Boolean):
        plain = st.sampled_from(["true", "false"])
    else:
        plain = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.just("id-1")
    often = st.one_of(st.none(), plain, plain, HOSTILE)
    return st.one_of(plain, HOSTILE) if column.required else often


def accepted(contract: type[Record], row: dict[str, Any]) -> dict[str, Any]:
    """Return what pydantic makes of a row of texts."""
    given_values = {name: value for name, value in row.items() if value is not None}
    return contract.model_validate(given_values).model_dump()


@pytest.mark.parametrize("kind", CONTRACTS)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_what_the_screen_passes_pydantic_accepts_with_the_same_values(
    kind: str, data: st.DataObject, good: dict[str, dict[str, Any]]
) -> None:
    contract = CONTRACTS[kind]
    fields = {column.name: column for column in columns(contract)}
    names = st.lists(st.sampled_from(sorted(fields)), max_size=4)
    wild = [{name: data.draw(values(fields[name])) for name in data.draw(names)} for _ in range(4)]
    rows = [{name: good[kind].get(name) for name in fields} | changes for changes in wild]
    screened = screen(contract).apply(pl.DataFrame(rows, schema=dict.fromkeys(fields, pl.String)))
    for texts, typed in zip(rows, screened.iter_rows(named=True), strict=True):
        if typed.pop(PROVEN):
            assert accepted(contract, texts) == typed


WITH_LISTS = {"ai_use_declaration", "learner", "decision"}


@pytest.mark.parametrize("kind", [kind for kind in CONTRACTS if kind not in WITH_LISTS])
def test_the_plain_form_of_a_good_record_is_proven(
    kind: str, good: dict[str, dict[str, Any]]
) -> None:
    contract = CONTRACTS[kind]
    row = {column.name: good[kind].get(column.name) for column in columns(contract)}
    typed = screen(contract).apply(pl.DataFrame([row], schema=dict.fromkeys(row, pl.String)))
    assert typed[PROVEN].to_list() == [True]
    assert accepted(contract, row) == typed.drop(PROVEN).row(0, named=True)


def test_a_missing_required_field_is_never_proven(good: dict[str, dict[str, Any]]) -> None:
    for kind, contract in CONTRACTS.items():
        for column in columns(contract):
            if column.required:
                row = {c.name: good[kind].get(c.name) for c in columns(contract)}
                row[column.name] = None
                frame = pl.DataFrame([row], schema=dict.fromkeys(row, pl.String))
                assert not screen(contract).apply(frame)[PROVEN][0], (kind, column.name)
