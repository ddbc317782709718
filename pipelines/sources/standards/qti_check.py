"""QTI results in a file: one result, or an archive of many."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.sources.readers.archive import DAMAGE, Archive
from pipelines.sources.readers.base import Unreadable
from pipelines.sources.standards.judgement import Finding, Judgement
from pipelines.sources.standards.qti import MAX_BYTES, OtherXml, Result, parse

MAX_MEMBERS = 200_000
MAX_TOTAL = 4 * 1024**3
"""How many bytes all members may have together when they are unpacked."""


@dataclass(frozen=True)
class Delivered:
    """One result of a file, with the member that holds it."""

    row: int
    member: str | None
    data: bytes
    result: Result


def check(path: Path) -> Iterator[Judgement]:
    """Judge every `assessmentResult` of an XML file, or of an archive of them.

    Raises:
        Unreadable: the file is neither, or holds no result.
    """
    for delivered in read(path):
        result = delivered.result
        place = delivered.member or "/assessmentResult"
        yield Judgement(delivered.row, place, tuple(result.errors), tuple(result.notes))


def read(path: Path) -> Iterator[Delivered]:
    """Read and judge every result of a file.

    Raises:
        Unreadable: the file is neither XML nor an archive, or holds no result.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(4)
            data = start + stream.read(MAX_BYTES + 1) if start[:2] != b"PK" else b""
    except OSError as error:
        raise Unreadable(
            "unreadable_file", f"The file cannot be read: {error.strerror}.", "Send it again."
        ) from None
    if start[:2] == b"PK":
        yield from _members(path)
        return
    try:
        yield Delivered(1, None, data, parse(data))
    except OtherXml as other:
        raise _no_result(f"its root is {str(other)[:60]}") from None


def _members(path: Path) -> Iterator[Delivered]:
    row = total = 0
    try:
        with Archive(path) as archive:
            members = [m for m in archive.infolist() if _may_hold_a_result(m)]
            if len(members) > MAX_MEMBERS:
                raise _too_large(f"more than {MAX_MEMBERS:,} results")
            for member in members:
                data, result = _member(archive, member)
                total += len(data)
                if total > MAX_TOTAL:
                    raise _too_large(f"more than {MAX_TOTAL >> 30} GiB when unpacked")
                if result is not None:
                    row += 1
                    yield Delivered(row, member.filename, data, result)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise Unreadable(
            "not_an_archive",
            f"The archive cannot be read: {str(error)[:100] or 'it is damaged'}.",
            "Pack the files again as a ZIP archive without a password.",
        ) from None
    if not row:
        raise _no_result("no member of the archive is one")


def _may_hold_a_result(member: zipfile.ZipInfo) -> bool:
    name = member.filename
    return name.lower().endswith(".xml") and not member.is_dir() and "__MACOSX/" not in name


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> tuple[bytes, Result | None]:
    """Return the bytes of a member and its result; None where it is another kind of XML."""
    data = b""
    try:
        with archive.open(member) as stream:
            data = stream.read(MAX_BYTES + 1)
        return data, parse(data)
    except OtherXml:
        return data, None
    except Unreadable as reason:
        finding = Finding(
            reason.code, member.filename, reason.message.rstrip("."), reason.suggestion, "XML 1.0"
        )
    except (zipfile.BadZipFile, *DAMAGE, OSError) as e:
        finding = Finding(
            "damaged_member",
            member.filename,
            f"the member cannot be unpacked: {str(e)[:100]}",
            "pack the files again, without a password",
            None,
        )
    return data, Result(errors=[finding])


def _no_result(why: str) -> Unreadable:
    return Unreadable(
        "not_qti",
        f"The file holds no QTI result: {why}.",
        "Send assessmentResult documents of QTI Results Reporting 2.1, 2.2 or 3.0.",
    )


def _too_large(what: str) -> Unreadable:
    return Unreadable("too_large", f"The archive holds {what}.", "Send it in several archives.")
