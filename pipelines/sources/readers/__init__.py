"""Readers by name: each turns the bytes of one file into chunks of text columns.

A new format is one module here that registers itself; nothing else changes but the import below.
"""

from __future__ import annotations

from pipelines.sources.readers import (
    case,
    delimited,
    json_file,
    jsonl,
    oneroster,
    parquet,
    qti,
    xapi,
    xlsx,
    zipped,
)
from pipelines.sources.readers.base import (
    READERS,
    Chunk,
    Reader,
    ReaderOptions,
    Unreadable,
    Wanted,
    register,
)

__all__ = [
    "READERS",
    "Chunk",
    "Reader",
    "ReaderOptions",
    "Unreadable",
    "Wanted",
    "case",
    "delimited",
    "json_file",
    "jsonl",
    "oneroster",
    "parquet",
    "qti",
    "register",
    "xapi",
    "xlsx",
    "zipped",
]
