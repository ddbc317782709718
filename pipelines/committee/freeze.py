"""What one meeting saw, kept as it was rendered: frozen once, reprinted byte for byte.

A frozen pack is one ZIP archive below `packs/frozen/<meeting>/<freeze>/` with a record beside it.
It never changes. What the law removes leaves a record of the removal in its place.
"""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict

from pipelines.committee import pack
from pipelines.committee.edition import find
from pipelines.committee.pack import MANIFEST, Manifest, PackError
from pipelines.committee.queries import read
from pipelines.home import Home, write_atomically
from pipelines.settings import Settings

ARCHIVE = "pack.zip"
RECORD = "freeze.json"
REMOVED = "removed.json"
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the archive, so that the same pack gives the same bytes."""
PATIENCE = 60.0
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class FreezeError(PackError):
    """The pack cannot be frozen or reprinted; the message says why and what to do."""


class RemovedError(FreezeError):
    """Some or all of a frozen pack was removed under law; the message names the record."""

    def __init__(self, message: str, remaining: bytes | None = None) -> None:
        self.remaining = remaining
        """An archive of the files that are left, byte for byte as they were frozen."""
        super().__init__(message)


class Frozen(BaseModel):
    """One pack as it was frozen for one meeting."""

    model_config = ConfigDict(frozen=True)

    freeze_id: str
    meeting_id: str
    edition_id: str
    edition_hash: str
    manifest_sha256: str
    archive_sha256: str
    n_files: int
    n_learners: int
    frozen_at: AwareDatetime
    frozen_by: str
    """Who froze it: a person, or the schedule that a person set up."""


class Removal(BaseModel):
    """Why a frozen pack, or some of its files, is not there any more."""

    model_config = ConfigDict(frozen=True)

    record_id: str
    kind: str
    """`erasure` or `retention`."""
    reason: str
    removed_at: AwareDatetime
    removed_by: str
    archive_sha256: str
    """Of the archive as it was before."""
    n_files: int | None = None
    """How many files were taken out; none where the whole archive was."""
    remaining_sha256: str | None = None
    """Of the archive of what is left; none where nothing is."""

    def told(self, what: str) -> str:
        """Return what was removed, when, why and by which record, as a sentence."""
        some = f"{self.n_files} files of {what} were" if self.n_files is not None else f"{what} was"
        return (
            f"{some} removed on {self.removed_at:%Y-%m-%d} by {self.kind} record "
            f"{self.record_id}: {self.reason}"
        )


def freeze(
    home: Home, settings: Settings, meeting_id: str, by: str, edition_id: str | None = None
) -> Frozen:
    """Build the pack of an edition and keep it as the one that a meeting sees.

    Freezing the same pack for the same meeting again gives the record that stands.

    Args:
        home: whose editions and packs.
        settings: how many workers render the pages.
        meeting_id: which meeting; the edition must know it.
        by: who freezes.
        edition_id: which edition; the current one by default.

    Raises:
        FreezeError: the edition knows no such meeting, or nobody is on its agenda.
        PackError: the pack cannot be built.
    """
    folder = pack.build(home, settings, edition_id)
    _refuse_unknown_meeting(home, folder.name, meeting_id)
    manifest_bytes = (folder / MANIFEST).read_bytes()
    manifest = Manifest.model_validate_json(manifest_bytes)
    digest = hashlib.sha256(manifest_bytes).hexdigest()
    freeze_id = hashlib.sha256(f"{meeting_id}\n{digest}".encode()).hexdigest()[:16]
    place = _shelf(home, meeting_id) / freeze_id
    if (place / RECORD).exists():
        return _record(place)
    data = archived(
        (path.relative_to(folder).as_posix(), path.read_bytes())
        for path in sorted(p for p in folder.rglob("*") if p.is_file())
    )
    frozen = Frozen(
        freeze_id=freeze_id,
        meeting_id=meeting_id,
        edition_id=manifest.edition_id,
        edition_hash=manifest.edition_hash,
        manifest_sha256=digest,
        archive_sha256=hashlib.sha256(data).hexdigest(),
        n_files=len(manifest.files) + 1,
        n_learners=manifest.n_learners,
        frozen_at=datetime.now(UTC),
        frozen_by=by,
    )
    place.parent.mkdir(parents=True, exist_ok=True)
    with home.writing(timeout=PATIENCE):
        work = Path(tempfile.mkdtemp(prefix=".freeze-", dir=place.parent))
        try:
            write_atomically(work / ARCHIVE, data)
            write_atomically(work / RECORD, frozen.model_dump_json(indent=1).encode() + b"\n")
            work.chmod(0o755)
            work.rename(place)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return frozen


def frozen_packs(home: Home, meeting_id: str | None = None) -> list[Frozen]:
    """Return what was frozen, the oldest first; of one meeting, or of all."""
    pattern = f"{meeting_id}/*/{RECORD}" if meeting_id is not None else f"*/*/{RECORD}"
    found = [_record(path.parent) for path in (home.packs / "frozen").glob(pattern)]
    return sorted(found, key=lambda frozen: (frozen.frozen_at, frozen.freeze_id))


def frozen_pack(home: Home, meeting_id: str, freeze_id: str | None = None) -> Frozen:
    """Return what was frozen for a meeting: the newest, or the one named.

    Raises:
        FreezeError: there is none.
    """
    found = [f for f in frozen_packs(home, _safe(meeting_id)) if freeze_id in (None, f.freeze_id)]
    if not found:
        raise FreezeError(
            f"nothing was frozen for meeting {meeting_id}: "
            "tessera pack freeze --meeting ... freezes, tessera pack list shows what there is"
        )
    return found[-1]


def reprint(home: Home, frozen: Frozen) -> bytes:
    """Return the archive of a frozen pack, byte for byte as it was frozen.

    Raises:
        RemovedError: erasure or retention has removed it, or some of it; the message names the
            record, and `remaining` is what is left.
        FreezeError: the bytes are not those that were frozen.
    """
    place = place_of(home, frozen)
    removal = removal_of(home, frozen)
    if removal is None:
        return checked(place / ARCHIVE, frozen.archive_sha256)
    told = removal.told(f"the pack frozen for {frozen.meeting_id}")
    if removal.remaining_sha256 is None:
        raise RemovedError(told)
    raise RemovedError(told, checked(place / ARCHIVE, removal.remaining_sha256))


def removal_of(home: Home, frozen: Frozen) -> Removal | None:
    """Return the newest record of what was removed from a frozen pack, None where all is there."""
    records = sorted(place_of(home, frozen).glob("removed*.json"))
    found = [Removal.model_validate_json(path.read_bytes()) for path in records]
    return max(found, key=lambda removal: removal.removed_at, default=None)


def checked(path: Path, sha256: str) -> bytes:
    """Return the bytes of an archive.

    Raises:
        FreezeError: it is not there, or not what its record says.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FreezeError(f"{path} cannot be read: {error.strerror}") from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise FreezeError(f"{path} is not what was frozen: restore it from a backup, and keep both")
    return data


def unpack(data: bytes, folder: Path) -> int:
    """Write the files of a reprinted archive below a folder that is empty or new.

    Returns:
        How many files there are.

    Raises:
        FreezeError: the folder holds something.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FreezeError(f"{folder} is not empty: name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(folder)
        return len(archive.namelist())


def remove(home: Home, frozen: Frozen, removal: Removal) -> None:
    """Take a frozen pack away under law, and leave the record of it in its place."""
    place = place_of(home, frozen)
    with home.writing(timeout=PATIENCE):
        write_atomically(place / REMOVED, removal.model_dump_json(indent=1).encode() + b"\n")
        (place / ARCHIVE).unlink(missing_ok=True)


def _refuse_unknown_meeting(home: Home, edition_id: str, meeting_id: str) -> None:
    learners = read(find(home, edition_id), sections=("learners",)).learners
    known = sorted({str(row["meeting_id"]) for row in learners if row["meeting_id"]})
    if meeting_id not in known:
        there_is = f"it knows {', '.join(known)}" if known else "no meeting has learners"
        raise FreezeError(
            f"edition {edition_id} has nobody on the agenda of meeting {meeting_id}; {there_is}. "
            "Meetings come in with the committee's source"
        )


def archived(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Return files as an archive; the same files in the same order give the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, data in files:
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return out.getvalue()


def members(archive: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of each file of an archive, in its order."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        for entry in opened.infolist():
            yield entry.filename, opened.read(entry)


def _record(place: Path) -> Frozen:
    return Frozen.model_validate_json((place / RECORD).read_bytes())


def place_of(home: Home, frozen: Frozen) -> Path:
    """Return the folder of a frozen pack, with its records."""
    return _shelf(home, frozen.meeting_id) / frozen.freeze_id


def _shelf(home: Home, meeting_id: str) -> Path:
    return home.packs / "frozen" / _safe(meeting_id)


def _safe(meeting_id: str) -> str:
    if not _SAFE.fullmatch(meeting_id):
        raise FreezeError(f"the meeting id {meeting_id!r} cannot name a folder")
    return meeting_id
