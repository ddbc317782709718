"""How a contract looks as columns: in a read frame, in a segment, in `raw.<kind>`."""

from __future__ import annotations

import types
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import polars as pl
from pydantic import AwareDatetime, BaseModel

from pipelines.contracts.base import Record
from pipelines.contracts.fields import (
    SCORE_DIGITS,
    SCORE_PLACES,
    JsonText,
    Person,
    Vaulted,
    VaultOnly,
    Verbatim,
)
from pipelines.contracts.glossary import GLOSSARY

LINEAGE: dict[str, pl.DataType] = {
    "event_id": pl.String(),
    "record_key": pl.String(),
    "content_hash": pl.String(),
    "source_id": pl.String(),
    "delivery_id": pl.String(),
    "interpretation_id": pl.String(),
    "source_row": pl.Int64(),
    "source_cell": pl.String(),
    "known_at": pl.Datetime("us", "UTC"),
    "contract_version": pl.Int32(),
}
"""Columns that intake adds in front of a contract's own."""

DUCKDB_TYPES: dict[type[pl.DataType], str] = {
    pl.String: "varchar",
    pl.Int64: "bigint",
    pl.Int32: "integer",
    pl.Boolean: "boolean",
    pl.Date: "date",
    pl.Datetime: "timestamptz",
    pl.Decimal: f"decimal({SCORE_DIGITS}, {SCORE_PLACES})",
}


@dataclass(frozen=True)
class Column:
    """One field of a contract as a column."""

    name: str
    stored_name: str | None
    """The name in segments and `raw.<kind>`; None where only the vault may hold the value."""
    dtype: pl.DataType
    required: bool
    person_role: str | None
    """Learner or assessor, where the field holds ids of persons."""
    is_vaulted: bool
    is_verbatim: bool
    is_json: bool
    choices: tuple[str, ...] | None
    description: str

    @property
    def is_person(self) -> bool:
        """Whether the field holds ids of persons."""
        return self.person_role is not None

    @property
    def is_personal(self) -> bool:
        """Whether the value is masked wherever it is mentioned."""
        return self.is_person or self.is_vaulted or self.is_verbatim

    @property
    def duckdb_type(self) -> str:
        """Return the type of the stored column in DuckDB."""
        return duckdb_type(self.dtype)


def duckdb_type(dtype: pl.DataType) -> str:
    """Return the DuckDB type that holds a polars type."""
    if isinstance(dtype, pl.List):
        return duckdb_type(_instance(dtype.inner)) + "[]"
    if isinstance(dtype, pl.Struct):
        parts = (f"{field.name} {duckdb_type(_instance(field.dtype))}" for field in dtype.fields)
        return f"struct({', '.join(parts)})"
    return DUCKDB_TYPES[type(dtype)]


@cache
def columns(contract: type[Record]) -> tuple[Column, ...]:
    """Return the columns of a contract, in the order of its fields."""
    return tuple(
        _column(name, info.annotation, tuple(info.metadata), info.is_required(), info.description)
        for name, info in contract.model_fields.items()
    )


def segment_schema(contract: type[Record]) -> dict[str, pl.DataType]:
    """Return name and type of every column of a contract's segments, lineage first."""
    stored = {c.stored_name: c.dtype for c in columns(contract) if c.stored_name is not None}
    return LINEAGE | stored


def _column(
    name: str, annotation: Any, outer: tuple[Any, ...], required: bool, description: str | None
) -> Column:
    base, inner = _unwrap(annotation)
    metadata = outer + inner
    person = next((item for item in metadata if isinstance(item, Person)), None)
    is_vaulted = any(isinstance(item, Vaulted) for item in metadata)
    is_vault_only = is_vaulted or any(isinstance(item, VaultOnly) for item in metadata)
    choices = tuple(get_args(base)) if get_origin(base) is Literal else None
    return Column(
        name=name,
        stored_name=_stored_name(name, is_person=person is not None, is_vault_only=is_vault_only),
        dtype=_dtype(base),
        required=required,
        person_role=person.role if person else None,
        is_vaulted=is_vaulted,
        is_verbatim=any(isinstance(item, Verbatim) for item in metadata),
        is_json=any(isinstance(item, JsonText) for item in metadata),
        choices=choices,
        description=description or GLOSSARY.get(name, ""),
    )


def _stored_name(name: str, *, is_person: bool, is_vault_only: bool) -> str | None:
    if is_vault_only:
        return None
    if not is_person:
        return name
    return name.removesuffix("_id") + ("_pseudonym" if name.endswith("_id") else "_pseudonyms")


def _unwrap(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    metadata: tuple[Any, ...] = ()
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation, *extra = get_args(annotation)
            metadata += tuple(extra)
        elif origin in (Union, types.UnionType):
            (annotation,) = (arg for arg in get_args(annotation) if arg is not type(None))
        else:
            return annotation, metadata


def _dtype(base: Any) -> pl.DataType:
    if get_origin(base) is list:
        inner, _ = _unwrap(get_args(base)[0])
        return pl.List(_dtype(inner))
    if isinstance(base, type) and issubclass(base, BaseModel):
        fields = ((n, _unwrap(i.annotation)[0]) for n, i in base.model_fields.items())
        return pl.Struct({name: _dtype(inner) for name, inner in fields})
    if get_origin(base) is Literal or base is str:
        return pl.String()
    simple: dict[Any, pl.DataType] = {
        bool: pl.Boolean(),
        int: pl.Int64(),
        Decimal: pl.Decimal(SCORE_DIGITS, SCORE_PLACES),
        date: pl.Date(),
        AwareDatetime: pl.Datetime("us", "UTC"),
    }
    return simple[base]


def _instance(dtype: Any) -> pl.DataType:
    instance: pl.DataType = dtype() if isinstance(dtype, type) else dtype
    return instance
