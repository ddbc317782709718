"""Writes a ZIP archive again without a person: member by member, and the others as they are.

A member whose rows are read is written like a file of its own. Of a member that nothing is read
of, a text loses the words of the person, and anything else is left empty: nobody can look into
it, and no record came from it. Names, order and dates stay, so that rows keep their numbers.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO
from xml.sax.saxutils import escape

from pipelines.intake.erase_rows import (
    WRITABLE,
    Erasing,
    NotRewritable,
    holds_any,
    scrub_text,
    write_rows,
)
from pipelines.intake.erase_target import Target
from pipelines.sources.readers import zipped
from pipelines.sources.readers.archive import Archive


def write_archive(
    archived: Path,
    file: BinaryIO,
    options: zipped.ZipOptions,
    parts: Iterable[Mapping[str, Any]],
    erasing: Erasing,
) -> None:
    """Write an archive again without what is to go from it.

    Args:
        archived: the archive as it was delivered.
        file: where the new one is written.
        options: how its members are read.
        parts: the parts that were read of it, each with its first and last row.
        erasing: what is to go.

    Raises:
        NotRewritable: a member that is read holds the person and cannot be written row by row.
        Unreadable: a member cannot be unpacked.
    """
    read = {str(part["name"]): part for part in parts}
    names = {info.header_offset: name for name, info in zipped.list_members(archived).items()}
    with (
        Archive(archived) as old,
        zipfile.ZipFile(file, "w") as new,
        tempfile.TemporaryDirectory(prefix=zipped.UNPACKED) as folder,
    ):
        for info in old.infolist():
            if info.is_dir():
                new.writestr(_entry(info, erasing.target), b"")
                continue
            name = names.get(info.header_offset)
            if name is None:
                continue
            member = zipped.unpack(archived, name, info, Path(folder))
            clean = Path(folder) / "clean"
            with clean.open("wb") as made:
                _write_member(member, made, name, options, read, erasing)
            _add(new, _entry(info, erasing.target), clean)


def _write_member(
    member: Path,
    made: BinaryIO,
    name: str,
    options: zipped.ZipOptions,
    read: Mapping[str, Mapping[str, Any]],
    erasing: Erasing,
) -> None:
    told = [part for key, part in read.items() if key == name or key.startswith(f"{name}/")]
    if not any(part["rows"] for part in told):
        try:
            scrub_text(member, made, erasing.target)
        except NotRewritable:
            made.truncate(0)
            made.seek(0)
        return
    reader, inner = zipped.reader_of(name, options)
    here = erasing.within(told[0]["first_row"], told[-1]["last_row"])
    if reader.name in WRITABLE:
        write_rows(member, made, reader.name, inner, here)
    elif here.rows or here.mentions or _holds(member, erasing.target):
        raise NotRewritable
    else:
        with member.open("rb") as source:
            shutil.copyfileobj(source, made, zipped.COPY_BYTES)


def _entry(info: zipfile.ZipInfo, target: Target) -> zipfile.ZipInfo:
    """Return the entry of a member: its name, date, mode and packing, and nothing else."""
    entry = zipfile.ZipInfo(target.scrub(info.filename), info.date_time)
    entry.compress_type = info.compress_type
    entry.create_system = info.create_system
    entry.external_attr = info.external_attr
    return entry


def _add(new: zipfile.ZipFile, entry: zipfile.ZipInfo, clean: Path) -> None:
    entry.file_size = clean.stat().st_size
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # two members may have one name
        with clean.open("rb") as source, new.open(entry, "w") as member:
            shutil.copyfileobj(source, member, zipped.COPY_BYTES)


def _holds(member: Path, target: Target) -> bool:
    """Tell whether a member that is copied holds a word of the person, as far as can be seen."""
    words = {text.lower().encode() for word in target.words for text in _spellings(word)}
    if not zipfile.is_zipfile(member):
        with member.open("rb") as file:
            return holds_any(file, words)
    with Archive(member) as book:
        for info in book.infolist():
            zipped.refuse_bomb(info.filename, info)
    return members_hold(member, words)


def members_hold(archive: Path, written: Iterable[bytes]) -> bool:
    """Tell whether a member of a ZIP archive holds one of some bytes, letter case of ASCII aside.

    Raises:
        BadZipFile: a member cannot be unpacked.
    """
    sought = set(written)
    with Archive(archive) as old:
        for info in old.infolist():
            with old.open(info) as member:
                if holds_any(member, sought):
                    return True
    return False


def _spellings(word: str) -> set[str]:
    """Return how a word stands in plain text, XML and JSON."""
    return {word, escape(word), json.dumps(word)[1:-1]}
