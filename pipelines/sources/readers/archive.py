"""ZIP archives as they are read: what their directory says is looked over first."""

from __future__ import annotations

import zipfile
from pathlib import Path


class Archive(zipfile.ZipFile):
    """A ZIP archive to read, whose directory points at members within it.

    Raises:
        BadZipFile: the file is no such archive.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        if any(not 0 <= info.header_offset < self.start_dir for info in self.infolist()):
            self.close()
            raise zipfile.BadZipFile("its directory names a member that lies outside")
