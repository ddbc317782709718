"""What lies in the inbox becomes receipts and archived bytes; the inbox itself is never changed."""

from __future__ import annotations

import hashlib
import mmap
import os
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from pipelines.home import Home
from pipelines.intake.erased import erased_bytes, frozen
from pipelines.intake.feeds import Feed, Feeds, load_feeds
from pipelines.intake.records import (
    Receipt,
    deliveries,
    is_committed,
    receipts,
    write_receipt,
)
from pipelines.settings import Settings

MANIFEST_SUFFIX = ".manifest.json"
PARTIAL_SUFFIXES = (".part", ".partial", ".tmp", ".filepart", ".crdownload", "~")
NO_OWNER = "assessment_unit"
INCOMING = ".incoming"
"""In the archive: the file that is being taken in. What a kill leaves is replaced."""
_BLOCK = 1 << 20
_PIECE = 64 << 20

Progress = Callable[[str, int, int], None]
"""Called with the file, the bytes hashed so far, and its size."""


class ReceiveReport(BaseModel):
    """What the inbox held."""

    model_config = ConfigDict(frozen=True)

    n_files: int
    received: list[str]
    """Deliveries with a new receipt."""
    not_received: list[str]
    """Files that were not taken in, each with its reason; only new ones."""
    pending: list[str]
    """Deliveries that have no interpretation under the present specs."""

    @property
    def is_nothing_new(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.received or self.not_received or self.pending)


class _Manifest(BaseModel):
    sent_at: AwareDatetime | None = None
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-fA-F]{64}$")
    rows: int | None = Field(default=None, ge=0)


@dataclass(eq=False)
class _Refusal(Exception):  # noqa: N818 - an outcome, not a failure
    status: str
    code: str
    reason: str
    sha256: str | None = None


def delivery_id_of(source_id: str, sha256: str) -> str:
    """Return the id of the delivery of these bytes by this source."""
    return f"{source_id}-{sha256[:16]}"


def archive_path(home: Home, sha256: str) -> Path:
    """Return where delivered bytes are kept."""
    return home.archive / sha256[:2] / sha256


def receive(
    home: Home,
    settings: Settings,
    inbox: Path | None = None,
    *,
    feeds: Feeds | None = None,
    settle: float = 1.0,
    wait: float = 60.0,
    progress: Progress | None = None,
    expect: Callable[[int], None] | None = None,
) -> ReceiveReport:
    """Take in what is new in the inbox, and tell what is to be read.

    Args:
        home: where receipts and bytes go.
        settings: says where the site's sources are.
        inbox: another inbox than the home's.
        feeds: the sources, where they are known already.
        settle: seconds that a file must have been left alone, else it is looked at again.
        wait: seconds to wait for another writer.
        progress: told how far hashing is.
        expect: told the bytes of every file that was not seen before, when its copying begins.
    """
    feeds = load_feeds(settings) if feeds is None else feeds
    with home.writing(timeout=wait):
        return _Receiving(home, feeds, inbox or home.inbox, progress, expect).run(settle)


class _Receiving:
    def __init__(
        self,
        home: Home,
        feeds: Feeds,
        inbox: Path,
        progress: Progress | None,
        expect: Callable[[int], None] | None,
    ) -> None:
        self._home = home
        self._expect = expect
        self._feeds = feeds
        self._inbox = inbox
        self._progress = progress
        self._shelves: dict[str, list[Receipt]] = defaultdict(list)
        self._arrivals: dict[str, list[Receipt]] = defaultdict(list)
        """Receipts by file."""
        for receipt in receipts(home):
            self._remember(receipt)
        self._erased = erased_bytes(home)
        self._received: list[str] = []
        self._not_received: list[str] = []

    def run(self, settle: float) -> ReceiveReport:
        files = dict(_look(self._inbox))
        _wait_for_writers(files.values(), settle)
        for path, seen in files.items():
            self._take(path, seen)
        return ReceiveReport(
            n_files=len(files),
            received=sorted(set(self._received)),
            not_received=self._not_received,
            pending=pending(self._home, self._feeds),
        )

    def _take(self, path: Path, seen: os.stat_result) -> None:
        file = path.relative_to(self._inbox).as_posix()
        takers = [feed for _, feed in sorted(self._feeds.items()) if feed.takes(file)]
        copy: Path | None = None
        try:
            self._refuse_unknown(file, takers)
            sha256, copy = self._taken_in(path, file, seen)
            manifest = _read_manifest(path, sha256)
            self._archive(path, sha256, copy)
        except _Refusal as refusal:
            self._note_refusal(file, seen, refusal, takers)
            return
        finally:
            if copy is not None:
                copy.unlink(missing_ok=True)
        for feed in takers:
            known_at = manifest.sent_at if feed.known_at_from_manifest else None
            delivery_id = delivery_id_of(feed.source_id, sha256)
            is_new = self._add(
                shelf=delivery_id,
                file=file,
                seen=seen,
                sha256=sha256,
                feed=feed,
                known_at=known_at,
                manifest_rows=manifest.rows,
            )
            if is_new:
                self._received.append(delivery_id)

    def _refuse_unknown(self, file: str, takers: list[Feed]) -> None:
        if file.endswith(PARTIAL_SUFFIXES):
            raise _Refusal(
                "incomplete", "half_written", f"{file} is still being uploaded, by its name"
            )
        if takers:
            return
        folder, slash, _ = file.partition("/")
        if not slash:
            raise _Refusal(
                "refused",
                "unknown_source",
                f"{file} lies in the inbox itself: put it into the folder of its source",
            )
        here = [feed for feed in self._feeds.values() if feed.inbox_folder == folder]
        if here:
            named = ", ".join(sorted(feed.source_id for feed in here))
            raise _Refusal(
                "refused",
                "unexpected_file",
                f"{file} has a name that no file pattern of {named} takes: rename it, or add "
                "the pattern to `files` in the source spec",
            )
        raise _Refusal(
            "refused",
            "unknown_source",
            f"no source takes files from the folder {folder}: add a source spec, or move the file",
        )

    def _taken_in(self, path: Path, file: str, seen: os.stat_result) -> tuple[str, Path | None]:
        """Hash a file; copy it first unless it came before just like this.

        One that nothing has changed since, by the file system's own clock, is not read again.
        """
        before = [
            receipt
            for receipt in self._arrivals[file]
            if (receipt.bytes, receipt.modified_ns) == (seen.st_size, seen.st_mtime_ns)
        ]
        for receipt in before:
            if receipt.sha256 and receipt.changed_ns == seen.st_ctime_ns:
                with _refusing_what_fails(file):
                    _refuse_unless_whole(file, seen, path.stat(), seen.st_size)
                return receipt.sha256, None
        if before:
            return self._hash(path, file, seen), None
        if self._expect is not None:
            self._expect(seen.st_size)
        self._home.archive.mkdir(parents=True, exist_ok=True)
        copy = self._home.archive / INCOMING
        try:
            with _refusing_what_fails(file):
                shutil.copyfile(path, copy)
            copied = copy.stat().st_size
            sha256 = self._hash_copy(copy, file) if copied else ""
            with _refusing_what_fails(file):
                now = path.stat()
            _refuse_unless_whole(file, seen, now, copied)
        except BaseException:
            copy.unlink(missing_ok=True)
            raise
        return sha256, copy

    def _hash(self, path: Path, file: str, seen: os.stat_result) -> str:
        digest, done = hashlib.sha256(), 0
        with _refusing_what_fails(file):
            with path.open("rb") as stream:
                while done <= seen.st_size and (block := stream.read(_BLOCK)):
                    digest.update(block)
                    done += len(block)
                    self._tell(file, done, seen.st_size)
            now = path.stat()
        _refuse_unless_whole(file, seen, now, done)
        return digest.hexdigest()

    def _hash_copy(self, copy: Path, file: str) -> str:
        """Hash a copy of ours that nobody shortens, in large pieces: other threads work on.

        Meanwhile it is written to the disk. What is hashed stays in the system's cache and leaves
        the memory of this process.
        """
        digest = hashlib.sha256()
        with (
            copy.open("rb") as stream,
            ThreadPoolExecutor(1) as beside,
            mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as pages,
            memoryview(pages) as whole,
        ):
            synced = beside.submit(os.fsync, stream.fileno())
            for start in range(0, len(whole), _PIECE):
                with whole[start : start + _PIECE] as piece:
                    digest.update(piece)
                    pages.madvise(mmap.MADV_DONTNEED, start, len(piece))
                    self._tell(file, start + len(piece), len(whole))
            synced.result()
        return digest.hexdigest()

    def _tell(self, file: str, done: int, size: int) -> None:
        if self._progress is not None:
            self._progress(file, done, size)

    def _archive(self, path: Path, sha256: str, copy: Path | None) -> None:
        if sha256 in self._erased:
            raise _Refusal(
                "refused",
                "erased",
                "these bytes hold a person who was erased: take the file away, and ask its sender "
                "for an export without that person",
                sha256,
            )
        target = archive_path(self._home, sha256)
        if target.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        if copy is None:
            copy = self._copied(path, sha256, target)
        copy.chmod(0o400)
        copy.replace(target)

    @staticmethod
    def _copied(path: Path, sha256: str, target: Path) -> Path:
        """Copy a file whose receipt stands though the archive lost its bytes."""
        temporary = target.with_name(f".{sha256}.{os.getpid()}")
        with path.open("rb") as source, temporary.open("wb") as copy:
            shutil.copyfileobj(source, copy, _BLOCK)
            copy.flush()
            os.fsync(copy.fileno())
        with temporary.open("rb") as copied:
            if hashlib.file_digest(copied, "sha256").hexdigest() != sha256:
                temporary.unlink()
                raise _Refusal("incomplete", "still_growing", f"{path.name} is still being written")
        return temporary

    def _note_refusal(
        self, file: str, seen: os.stat_result, refusal: _Refusal, takers: list[Feed]
    ) -> None:
        folder = file.partition("/")[0]
        here = [feed for feed in self._feeds.values() if feed.inbox_folder == folder]
        is_new = self._add(
            shelf=f"file-{hashlib.sha256(file.encode()).hexdigest()[:16]}",
            file=file,
            seen=seen,
            sha256=refusal.sha256,
            feed=next(iter(takers or here), None),
            refusal=refusal,
        )
        if is_new:
            self._not_received.append(refusal.reason)

    def _add(
        self,
        *,
        shelf: str,
        file: str,
        seen: os.stat_result,
        sha256: str | None,
        feed: Feed | None,
        refusal: _Refusal | None = None,
        known_at: datetime | None = None,
        manifest_rows: int | None = None,
    ) -> bool:
        now = datetime.now(UTC)
        earlier = self._shelves[shelf]
        receipt = Receipt(
            receipt_id=f"{shelf}.{len(earlier) + 1}",
            delivery_id=shelf if refusal is None else None,
            source_id=feed.source_id if feed else None,
            file=file,
            bytes=seen.st_size,
            sha256=sha256,
            modified_ns=seen.st_mtime_ns,
            changed_ns=seen.st_ctime_ns,
            known_at=known_at or now,
            received_at=now,
            status=refusal.status if refusal else "received",
            code=refusal.code if refusal else None,
            reason=refusal.reason if refusal else None,
            owner=feed.owner if feed else NO_OWNER,
            manifest_rows=manifest_rows,
        )
        if any(_is_same_arrival(receipt, other) for other in earlier):
            return False
        write_receipt(self._home, receipt)
        self._remember(receipt)
        return True

    def _remember(self, receipt: Receipt) -> None:
        self._shelves[receipt.shelf].append(receipt)
        self._arrivals[receipt.file].append(receipt)


def pending(home: Home, feeds: Feeds) -> list[str]:
    """Return the deliveries that have no interpretation under the present specs.

    Deliveries whose bytes were erased stay as they were last read.
    """
    kept = frozen(home)
    return [
        delivery_id
        for delivery_id, receipt in sorted(deliveries(home).items())
        if (feed := feeds.get(receipt.source_id or "")) is not None
        and not is_committed(home, delivery_id, feed.interpretation_id)
        and delivery_id not in kept
    ]


@contextmanager
def _refusing_what_fails(file: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _Refusal(
            "refused", "cannot_open", f"{file} cannot be opened: {error.strerror}"
        ) from None


def _refuse_unless_whole(file: str, seen: os.stat_result, now: os.stat_result, done: int) -> None:
    if (now.st_size, now.st_mtime_ns, done) != (seen.st_size, seen.st_mtime_ns, seen.st_size):
        raise _Refusal("incomplete", "still_growing", f"{file} is still being written")
    if done == 0:
        raise _Refusal("refused", "empty_file", f"{file} is empty: ask its sender for it again")


def _is_same_arrival(one: Receipt, other: Receipt) -> bool:
    def arrival(receipt: Receipt) -> tuple[object, ...]:
        return (
            receipt.file,
            receipt.sha256,
            receipt.bytes,
            receipt.modified_ns,
            receipt.status,
            receipt.code,
            receipt.manifest_rows,
        )

    return arrival(one) == arrival(other)


def _look(inbox: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for path in sorted(inbox.rglob("*")):
        names = path.relative_to(inbox).parts
        if any(name.startswith(".") for name in names) or path.name.endswith(MANIFEST_SUFFIX):
            continue
        try:
            if path.is_file():
                yield path, path.stat()
        except OSError:
            continue  # gone since it was listed


def _wait_for_writers(seen: Iterable[os.stat_result], settle: float) -> None:
    newest = max((item.st_mtime for item in seen), default=0.0)
    left = newest + settle - time.time()
    if 0 < left <= settle:
        time.sleep(left)


def _read_manifest(path: Path, sha256: str) -> _Manifest:
    beside = path.with_name(path.name + MANIFEST_SUFFIX)
    if not beside.exists():
        return _Manifest()
    try:
        manifest = _Manifest.model_validate_json(beside.read_bytes())
    except (OSError, ValidationError):
        raise _Refusal(
            "incomplete",
            "bad_manifest",
            f"{beside.name} is not a manifest: it holds sent_at (with offset), sha256 and rows",
            sha256,
        ) from None
    if manifest.sha256 is not None and manifest.sha256.lower() != sha256:
        raise _Refusal(
            "incomplete",
            "manifest_mismatch",
            f"{path.name} is not what {beside.name} announces: the upload is not complete, or "
            "the file was changed on the way",
            sha256,
        )
    return manifest
