"""ZIP archives: every member that is asked for is read by the reader of its kind."""

from __future__ import annotations

import shutil
import tempfile
import weakref
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, ClassVar, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from pipelines.sources.readers.archive import ENCRYPTED, Archive
from pipelines.sources.readers.base import (
    READERS,
    Chunk,
    Opener,
    Reader,
    ReaderOfParts,
    ReaderOptions,
    Reading,
    Unreadable,
    Wanted,
    is_part,
    reader_for,
    register,
)
from pipelines.sources.readers.parts import in_part, read_parts

MAX_RATIO = 200
"""How many times its size in the archive a member may have; text is rarely above 30."""
MAX_BYTES = 32 << 30
SMALL = 64 << 20
"""Below this size no ratio is a danger."""
COPY_BYTES = 1 << 20
MAX_MEMBERS = 10_000
UNPACKED = "tessera-unpacked-"
"""How the names of folders begin into which members are unpacked."""


class MemberReader(BaseModel):
    """How every member is read, where their names do not tell or options are needed."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str

    def opened(self) -> tuple[type[Reader], ReaderOptions]:
        """Return the reader and its options.

        Raises:
            ValueError: there is no such reader, or it has no such options.
        """
        reader = READERS.get(self.name)
        if reader is None or reader is Zip:
            raise ValueError(f"no reader {self.name!r} of members; known: {', '.join(_inner())}")
        return reader, reader.options.model_validate(self.model_extra or {})


def _checked(value: Any) -> Any:
    if value is not None:
        MemberReader.model_validate(value).opened()
    return value


class ZipOptions(ReaderOptions):
    """Which members are read, and how."""

    members: str = Field(default="*", min_length=1)
    """A pattern over names of members; others are no part of the delivery."""
    of: Annotated[MemberReader | None, BeforeValidator(_checked)] = None
    """The reader of the members and its options; default: by the ending of each name."""


@register("zip")
class Zip:
    """Reads members one after the other through a folder of its own; nothing else is unpacked."""

    name: ClassVar[str] = "zip"
    version: ClassVar[int] = 1
    options: ClassVar[type[ReaderOptions]] = ZipOptions
    suffixes: ClassVar[tuple[str, ...]] = (".zip",)
    has_parts: ClassVar[bool] = True

    @staticmethod
    def open(path: Path, options: ZipOptions, wanted: Wanted) -> Reading:
        """Begin to read an archive."""
        members = list_members(path)
        facts: dict[str, Any] = {"reader": Zip.name, "members": len(members)}
        return read_parts(facts, _openers(path, members, options), wanted)

    @staticmethod
    def parts(path: Path, options: ZipOptions) -> dict[str, Opener]:
        """Return how each member is opened; a workbook has a part for each sheet."""
        return _openers(path, list_members(path), options)


def _openers(
    path: Path, members: dict[str, zipfile.ZipInfo], options: ZipOptions
) -> dict[str, Opener]:
    openers: dict[str, Opener] = {}
    for name, info in members.items():
        if not is_part(name, options.members):
            continue
        if _has_sheets(name, options):
            openers |= _sheets(path, name, info, options)
        else:
            openers[name] = _opener(path, name, info, options)
    if not openers:
        raise Unreadable(
            "missing_part",
            f"The archive has no member like {options.members!r}.",
            f"It has: {', '.join(map(repr, list(members)[:40])) or 'none'}.",
        )
    return openers


def list_members(path: Path) -> dict[str, zipfile.ZipInfo]:
    """Return the members of an archive by name, in its order; equal names are numbered.

    Folders, and what macOS adds for itself, are no members.

    Raises:
        Unreadable: the file is no ZIP archive, or one that would not fit here.
    """
    try:
        with Archive(path) as archive:
            infos = [info for info in archive.infolist() if not _is_no_file(info)]
    except (zipfile.BadZipFile, ValueError) as error:
        raise Unreadable(
            "unreadable_file",
            f"The file is no ZIP archive that can be read: {error}.",
            "Check whether the upload ended early, and send the archive again.",
        ) from None
    if len(infos) > MAX_MEMBERS:
        raise _too_large(f"it has {len(infos)} members")
    seen: Counter[str] = Counter()
    members = {}
    for info in infos:
        seen[info.filename] += 1
        number = f"#{seen[info.filename]}" if seen[info.filename] > 1 else ""
        members[info.filename + number] = info
    return members


def _is_no_file(info: zipfile.ZipInfo) -> bool:
    name = PurePosixPath(info.filename)
    return info.is_dir() or "__MACOSX" in name.parts or name.name.startswith(".")


def unpack(path: Path, name: str, info: zipfile.ZipInfo, folder: Path) -> Path:
    """Write one member into a folder under a name of our own, and return where it lies.

    Raises:
        Unreadable: the member is encrypted, damaged or larger than its size in the archive lets
            expect.
    """
    refuse_bomb(name, info)
    if info.flag_bits & ENCRYPTED:
        raise Unreadable(
            "unreadable_file",
            f"The member {name!r} is encrypted.",
            "Send the archive without a password, over a protected way.",
        )
    target = folder / f"member{PurePosixPath(info.filename).suffix.lower()}"
    try:
        with (
            Archive(path) as archive,
            archive.open(info) as member,
            target.open("wb") as file,
        ):
            shutil.copyfileobj(member, file, COPY_BYTES)
    except zipfile.BadZipFile as error:
        raise Unreadable(
            "unreadable_file",
            f"The member {name!r} is damaged: {error}.",
            "Pack the archive again and send it again.",
        ) from None
    return target


def refuse_bomb(name: str, info: zipfile.ZipInfo) -> None:
    """See that a member unpacks to no more than its size in the archive lets expect.

    Raises:
        Unreadable: it would unpack to far more.
    """
    if info.file_size > MAX_BYTES or (
        info.file_size > SMALL and info.file_size > MAX_RATIO * max(1, info.compress_size)
    ):
        raise _too_large(f"{name!r} would unpack to {info.file_size:,} bytes")


def _too_large(what: str) -> Unreadable:
    return Unreadable(
        "archive_too_large",
        f"The archive is not unpacked: {what}.",
        f"An archive may hold {MAX_MEMBERS:,} members, each at most {MAX_RATIO} times its packed "
        f"size and {MAX_BYTES >> 30} GiB. Send the files unpacked, or in several archives.",
    )


def reader_of(name: str, options: ZipOptions) -> tuple[type[Reader], ReaderOptions]:
    """Return the reader of a member, and its options.

    Raises:
        Unreadable: nothing here reads such a member.
    """
    if options.of is not None:
        return options.of.opened()
    reader = reader_for(Path(name.partition("#")[0]))
    if reader is Zip:
        raise Unreadable(
            "nested_archive",
            f"The member {name!r} is an archive itself.",
            "Send its files in one archive, or it alone.",
        )
    if reader is None:
        raise Unreadable(
            "unreadable_file",
            f"The member {name!r} is of no kind that is known here.",
            "Name the members to be read by `members:`, or their reader by `of:`, in the spec.",
        )
    return reader, reader.options()


def _has_sheets(name: str, options: ZipOptions) -> bool:
    reader = reader_for(Path(name)) if options.of is None else READERS[options.of.name]
    return reader is not None and reader is not Zip and reader.has_parts


def _opener(path: Path, name: str, info: zipfile.ZipInfo, options: ZipOptions) -> Opener:
    def begun(member: Path, wanted: Wanted) -> Reading:
        reader, inner = reader_of(name, options)
        return reader.open(member, inner, wanted)

    return _unpacked(path, name, info, begun)


def _unpacked(
    path: Path, name: str, info: zipfile.ZipInfo, begin: Callable[[Path, Wanted], Reading]
) -> Opener:
    """Return an opener that keeps the unpacked member for as long as it is read."""

    def opened(wanted: Wanted) -> Reading:
        folder = Path(tempfile.mkdtemp(prefix=UNPACKED))
        try:
            reading = begin(unpack(path, name, info, folder), wanted)
        except BaseException:
            shutil.rmtree(folder)
            raise
        reading.chunks = _handed_on(reading.chunks, folder)
        weakref.finalize(reading.chunks, shutil.rmtree, folder, ignore_errors=True)
        return reading

    return opened


def _handed_on(chunks: Iterator[Chunk], folder: Path) -> Iterator[Chunk]:
    try:
        yield from chunks
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sheets(path: Path, name: str, info: zipfile.ZipInfo, options: ZipOptions) -> dict[str, Opener]:
    """Return how each sheet of a member that is a workbook is opened, as `member/sheet`."""
    reader, inner = reader_of(name, options)
    book = cast("type[ReaderOfParts]", reader)
    with tempfile.TemporaryDirectory(prefix=UNPACKED) as folder:
        try:
            sheets = list(book.parts(unpack(path, name, info, Path(folder)), inner))
        except Unreadable as error:
            raise in_part(error, name) from None

    def opener(sheet: str) -> Opener:
        def begun(member: Path, wanted: Wanted) -> Reading:
            return book.parts(member, inner)[sheet](wanted)

        return _unpacked(path, name, info, begun)

    return {f"{name}/{sheet}": opener(sheet) for sheet in sheets}


def _inner() -> list[str]:
    return sorted(name for name, reader in READERS.items() if reader is not Zip)
