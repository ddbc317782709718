"""What erasures left of deliveries: rows that are gone, and deliveries that are read no more."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import AwareDatetime, BaseModel, ConfigDict

from pipelines.home import Home, write_atomically


class ErasedFile(BaseModel):
    """A file that was rewritten or removed, with its SHA-256 before and after."""

    model_config = ConfigDict(frozen=True)

    path: str
    old_sha256: str
    new_sha256: str | None
    """None where the file was removed."""


class ErasedDelivery(BaseModel):
    """What an erasure took from one delivery."""

    model_config = ConfigDict(frozen=True)

    delivery_id: str
    rows: tuple[int, ...]
    """The rows of the file that are gone."""
    is_frozen: bool
    """Whether the delivered bytes are gone, so that no mended spec can read it again."""


class Erasure(BaseModel):
    """The record of an erasure. It names nobody but the person who answers for it."""

    model_config = ConfigDict(frozen=True)

    erasure_id: str
    erased_at: AwareDatetime
    by: str
    reason: str
    n_records: int = 0
    deliveries: tuple[ErasedDelivery, ...] = ()
    sha256s: tuple[str, ...] = ()
    """Delivered bytes that must not be taken in again."""
    files: tuple[ErasedFile, ...] = ()
    notes: tuple[str, ...] = ()
    """What a person has to see to."""


def write_erasure(home: Home, erasure: Erasure) -> None:
    """Put an erasure on record."""
    path = home.log / "erasures" / f"{erasure.erasure_id}.json"
    write_atomically(path, erasure.model_dump_json(indent=2).encode() + b"\n")


def erasures(home: Home) -> Iterator[Erasure]:
    """Yield every erasure."""
    for path in sorted((home.log / "erasures").glob("*.json")):
        yield Erasure.model_validate_json(path.read_bytes())


def erased_rows(home: Home, delivery_id: str) -> frozenset[int]:
    """Return the rows of a delivery that are gone."""
    return frozenset(
        row
        for erasure in erasures(home)
        for delivery in erasure.deliveries
        if delivery.delivery_id == delivery_id
        for row in delivery.rows
    )


def frozen(home: Home) -> frozenset[str]:
    """Return the deliveries whose bytes are gone: they stay as they were last read."""
    return frozenset(
        delivery.delivery_id
        for erasure in erasures(home)
        for delivery in erasure.deliveries
        if delivery.is_frozen
    )


def erased_bytes(home: Home) -> frozenset[str]:
    """Return the SHA-256 of delivered bytes that must not be taken in again."""
    return frozenset(sha256 for erasure in erasures(home) for sha256 in erasure.sha256s)
