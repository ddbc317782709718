"""The home folder: where each thing lives, and the lock that keeps two writers apart."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

LAYOUT_VERSION = "1"
WAREHOUSE = "build.duckdb"
"""The name of the warehouse of every home."""


class HomeError(Exception):
    """The home cannot be used; the message says why and what to do."""


def marts_beside(warehouse: Path) -> Path:
    """Return where the marts of a warehouse lie, as the profile of the dbt project says it too."""
    return warehouse.with_name(f"{warehouse.stem}.marts.duckdb")


@dataclass(frozen=True)
class Home:
    """The paths of one home (`TESSERA_HOME`)."""

    root: Path

    @classmethod
    def open(cls, root: Path) -> Home:
        """Make the folders of a home where they are missing, and return it.

        Raises:
            HomeError: the folder was laid out by another version of Tessera.
        """
        home = cls(root.expanduser().resolve())
        for folder in (
            home.inbox,
            home.archive,
            home.vault,
            home.staging,
            home.refused_originals,
            home.receipts,
            home.deliveries,
            home.calibrations,
            home.runs,
            home.warehouse.parent,
            home.editions,
            home.packs,
        ):
            folder.mkdir(parents=True, exist_ok=True)
        home.restricted.chmod(0o700)
        version = home.root / "VERSION"
        if not version.exists():
            version.write_text(LAYOUT_VERSION + "\n", encoding="utf-8")
        found = version.read_text(encoding="utf-8").strip()
        if found != LAYOUT_VERSION:
            raise HomeError(
                f"{home.root} is laid out as version {found}, this Tessera reads {LAYOUT_VERSION}: "
                "use the Tessera that made it, or another TESSERA_HOME"
            )
        return home

    @classmethod
    def find(cls, root: Path) -> Home:
        """Return a home that was made before, and make none.

        Raises:
            HomeError: there is none, or another version of Tessera laid it out.
        """
        if not (root.expanduser() / "VERSION").is_file():
            raise HomeError(f"there is no home at {root}; `tessera run --home {root}` makes one")
        return cls.open(root)

    @property
    def inbox(self) -> Path:
        """Return where deliveries are dropped, one folder a source."""
        return self.root / "inbox"

    @property
    def restricted(self) -> Path:
        """Return the folder that only the service account may read."""
        return self.root / "restricted"

    @property
    def archive(self) -> Path:
        """Return the delivered bytes, by their SHA-256."""
        return self.restricted / "archive"

    @property
    def vault(self) -> Path:
        """Return the identities: keys, persons, links."""
        return self.restricted / "vault"

    @property
    def staging(self) -> Path:
        """Return work in progress between the stages of intake."""
        return self.restricted / "staging"

    @property
    def refused_originals(self) -> Path:
        """Return refused records as they were written."""
        return self.restricted / "quarantine"

    @property
    def views(self) -> Path:
        """Return what learners, mentors and the programme see; it may name people."""
        return self.restricted / "views"

    @property
    def log(self) -> Path:
        """Return the evidence log."""
        return self.root / "log"

    @property
    def receipts(self) -> Path:
        """Return the arrivals."""
        return self.log / "receipts"

    @property
    def deliveries(self) -> Path:
        """Return segments and intake records: `<delivery>/<interpretation>/`."""
        return self.log / "deliveries"

    @property
    def calibrations(self) -> Path:
        """Return the calibrations, one folder a version."""
        return self.root / "calibrations"

    @property
    def runs(self) -> Path:
        """Return what each run did."""
        return self.root / "runs"

    @property
    def warehouse(self) -> Path:
        """Return the DuckDB file that builds are made in."""
        return self.root / "warehouse" / WAREHOUSE

    @property
    def marts(self) -> Path:
        """Return the DuckDB file beside it that marts are made in, and editions are copied from."""
        return marts_beside(self.warehouse)

    @property
    def spill(self) -> Path:
        """Return where databases put what does not fit into memory while they work."""
        return self.warehouse.parent / "spill"

    @property
    def editions(self) -> Path:
        """Return the published editions and `current`."""
        return self.root / "editions"

    @property
    def packs(self) -> Path:
        """Return the committee packs."""
        return self.root / "packs"

    @property
    def airflow(self) -> Path:
        """Return the home of the embedded Airflow."""
        return self.root / "airflow"

    @contextmanager
    def writing(self, timeout: float = 0) -> Iterator[None]:
        """Hold the one lock of this home while writing to it.

        Args:
            timeout: seconds to wait for another writer.

        Raises:
            HomeError: another process is writing.
        """
        lock = FileLock(self.root / ".lock", timeout=timeout)
        try:
            lock.acquire()
        except Timeout:
            raise HomeError(
                f"another process is writing to {self.root}: wait for it to end and try again"
            ) from None
        try:
            yield
        finally:
            lock.release()


PRIVATE = 0o600
"""The mode of files that only the service account may read."""


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def point(link: Path, target: str) -> None:
    """Let a link lead to what lies beside it under the name `target`, by one rename."""
    if link.is_symlink() and os.readlink(link) == target:  # noqa: PTH115
        return
    temporary = link.with_name(f".{link.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(link)
    sync(link.parent)


def write_atomically(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write a file so that readers see all of it or nothing.

    Args:
        path: where; its folder is made.
        data: its bytes.
        mode: who may read it from the first byte on, less what the umask takes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def link_or_copy(origin: Path, place: Path) -> None:
    """Give a file that never changes a second name, or copy it where that cannot be."""
    try:
        os.link(origin, place)
    except OSError:
        shutil.copyfile(origin, place)
