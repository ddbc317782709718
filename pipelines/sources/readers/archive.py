"""ZIP archives as they are read: looked over first, and damaged in one way."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from pathlib import Path
from types import TracebackType
from typing import IO, Any

DAMAGE = (zlib.error, lzma.LZMAError, EOFError, NotImplementedError)
"""What a damaged member raises by the ways of packing; that of bzip2 is an `OSError` without a
number."""
ENCRYPTED = 0x1


class Archive(zipfile.ZipFile):
    """A ZIP archive to read, whose directory points at members within it.

    However a member is damaged, leaving the archive by it raises `BadZipFile`.

    Raises:
        BadZipFile: the file is no such archive.
    """

    def __init__(self, path: Path) -> None:
        try:
            super().__init__(path)
        except NotImplementedError as error:
            raise zipfile.BadZipFile(str(error)) from error
        if any(not 0 <= info.header_offset < self.start_dir for info in self.infolist()):
            self.close()
            raise zipfile.BadZipFile("its directory names a member that lies outside")

    def open(self, name: str | zipfile.ZipInfo, *given: Any, **named: Any) -> IO[bytes]:
        """Open a member.

        Raises:
            BadZipFile: it is protected by a password.
        """
        info = self.getinfo(name) if isinstance(name, str) else name
        if info.flag_bits & ENCRYPTED:
            raise zipfile.BadZipFile(f"its member {info.filename!r} needs a password")
        return super().open(name, *given, **named)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the archive; what damage raised is raised as damage."""
        super().__exit__(kind, error, traceback)
        is_unnumbered = isinstance(error, OSError) and error.errno is None
        if is_unnumbered or isinstance(error, DAMAGE):
            raise zipfile.BadZipFile(str(error) or "it ends early") from error
