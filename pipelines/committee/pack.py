"""The pack: pages of one edition, written whole or not at all, with a hash for each file."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import duckdb
from pydantic import BaseModel, ConfigDict, ValidationError

from pipelines.committee import site
from pipelines.committee.edition import EditionError, Source, find
from pipelines.committee.reuse import Clocks, Previous
from pipelines.committee.site import File, PackError
from pipelines.errors import first_line
from pipelines.home import Home, point
from pipelines.settings import Settings
from pipelines.warehouse.editions import current_id
from pipelines.warehouse.tables import table_of

__all__ = [
    "MANIFEST",
    "Manifest",
    "NoEditionError",
    "PackError",
    "Problem",
    "Verdict",
    "build",
    "manifest_of",
    "pages_version",
    "tables_apart",
    "verify",
]

MANIFEST = "manifest.json"
PATIENCE = 60.0


class NoEditionError(PackError):
    """There is no such edition to make a pack from."""


class Manifest(BaseModel):
    """What `manifest.json` says of a pack."""

    model_config = ConfigDict(frozen=True)

    manifest_version: int = 1
    edition_id: str
    edition_hash: str
    """SHA-256 of the edition's `edition.json`, which holds the hashes of its tables."""
    pages_version: str
    as_of: date
    known_at: datetime | None
    n_learners: int
    files: dict[str, File]
    inputs: dict[str, str] = {}
    """For each learner a digest of what the pages were made from, but the clocks."""


@dataclass(frozen=True)
class Problem:
    """Something in a pack that is not as it was built."""

    file: str
    code: str
    message: str


@dataclass(frozen=True)
class Verdict:
    """Whether a pack is as it was built, and belongs to its edition."""

    edition_id: str
    path: Path
    n_files: int
    problems: tuple[Problem, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Say whether nothing is wrong."""
        return not self.problems


def build(home: Home, settings: Settings, edition_id: str | None = None) -> Path:
    """Write the pack of an edition, `packs/<edition_id>/`.

    `packs/current` points to the pack of the current edition. A pack that stands and verifies is
    kept as it is: the same edition makes the same bytes.

    Args:
        home: whose editions and packs.
        settings: how many workers render the pages of a large cohort.
        edition_id: which edition; the current one by default.

    Raises:
        NoEditionError: there is no such edition.
        PackError: the edition is not what was published.
    """
    try:
        source = find(home, edition_id)
    except EditionError as error:
        raise NoEditionError(str(error)) from None
    try:
        source.verify()
    except EditionError as error:
        raise PackError(str(error)) from None
    pack = home.packs / source.edition_id
    with home.writing(timeout=PATIENCE):
        if not _stands(source, pack):
            _write(home, source, pack, settings.workers)
        if source.edition_id == current_id(home):
            point(home.packs / "current", source.edition_id)
    return pack


def verify(home: Home, edition_id: str | None = None) -> Verdict:
    """Prove that a pack's files are those that were built, and that its edition is the same.

    Args:
        home: whose packs.
        edition_id: which pack; the current one by default.

    Raises:
        PackError: there is no such pack.
    """
    pack = home.packs / (edition_id or "current")
    if not pack.exists():
        raise PackError(f"there is no pack {pack}: make it with `tessera pack build`")
    pack = pack.resolve()
    manifest = _manifest(pack)
    if manifest is None:
        problem = Problem(MANIFEST, "manifest", "the manifest cannot be read: build the pack again")
        return Verdict(pack.name, pack, 0, (problem,))
    problems = list(differences(pack, manifest.files))
    if manifest.edition_id != pack.name:
        message = f"the folder is called {pack.name}, the manifest {manifest.edition_id}"
        problems.append(Problem(MANIFEST, "edition", message))
    problems += _edition_problems(home, manifest)
    return Verdict(manifest.edition_id, pack, len(manifest.files), tuple(problems))


def _manifest(pack: Path) -> Manifest | None:
    try:
        return Manifest.model_validate_json((pack / MANIFEST).read_bytes())
    except (OSError, ValidationError):
        return None


def differences(pack: Path, files: dict[str, File]) -> Iterator[Problem]:
    """Yield every file of a folder that is not as it was built."""
    found = {path.relative_to(pack).as_posix() for path in pack.rglob("*") if path.is_file()}
    for name in sorted(files.keys() - found):
        yield Problem(name, "missing", "the file is gone: build the pack again")
    for name in sorted(found - files.keys() - {MANIFEST}):
        yield Problem(name, "unexpected", "the file is not part of the pack: take it away")
    for name in sorted(files.keys() & found):
        if hashlib.sha256((pack / name).read_bytes()).hexdigest() != files[name].sha256:
            yield Problem(name, "changed", "the bytes are not those that were built")


def _edition_problems(home: Home, manifest: Manifest) -> list[Problem]:
    try:
        source = find(home, manifest.edition_id)
        source.verify()
    except EditionError as error:
        return [Problem("edition.json", "edition", str(error))]
    if source.digest != manifest.edition_hash:
        message = "the edition is not the one that the pack was built from: build the pack again"
        return [Problem("edition.json", "edition", message)]
    return list(tables_apart(manifest, source.edition.files))


def tables_apart(manifest: Manifest, of_edition: dict[str, str]) -> Iterator[Problem]:
    """Yield the tables of a pack that are not those of its edition, by the hashes of both."""
    for name, file in manifest.files.items():
        origin = name.removeprefix(f"{site.DATA}/")
        if table_of(origin) is not None and of_edition.get(origin) != file.sha256:
            yield Problem(name, "edition", "the table is not that of the edition")


def manifest_of(pack: Path) -> Manifest:
    """Return the manifest of a pack.

    Raises:
        PackError: it cannot be read.
    """
    manifest = _manifest(pack)
    if manifest is None:
        raise PackError(f"{pack / MANIFEST} cannot be read: build the pack again")
    return manifest


def _stands(source: Source, pack: Path) -> bool:
    """Say whether a pack is there, whole, of this very edition, and made by these very pages."""
    manifest = _manifest(pack)
    return (
        manifest is not None
        and manifest.edition_hash == source.digest
        and manifest.pages_version == pages_version()
        and not any(differences(pack, manifest.files))
    )


def pages_version() -> str:
    """Return a hash of what makes the pages: queries, templates, styles and code."""
    digest = hashlib.sha256()
    folder = Path(__file__).parent
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".py", ".sql", ".html", ".js", ".css"}:
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _write(home: Home, source: Source, pack: Path, workers: int) -> None:
    """Write into a folder beside the packs, and rename it when all of it is there."""
    home.packs.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".pack-", dir=home.packs))
    try:
        version = pages_version()
        previous = _previous(home, version)
        written = site.write(source, work, workers, version, previous)
        manifest = Manifest(
            edition_id=source.edition_id,
            edition_hash=source.digest,
            pages_version=version,
            as_of=written.as_of,
            known_at=written.known_at,
            n_learners=written.n_learners,
            files=written.files,
            inputs=written.inputs,
        )
        (work / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")
        work.chmod(0o755)
        _replace(work, pack)
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise PackError(
            f"edition {source.edition_id} does not hold what these pages read, so another version "
            f"of Tessera published it: publish again with `tessera run` ({first_line(error)})"
        ) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _previous(home: Home, version: str) -> Previous | None:
    """Return the current pack, where these very pages made it."""
    pack = home.packs / "current"
    manifest = _manifest(pack)
    if manifest is None or manifest.pages_version != version:
        return None
    return Previous(
        pack.resolve(),
        Clocks(manifest.edition_id, manifest.as_of, manifest.known_at),
        manifest.inputs,
        {name: file.sha256 for name, file in manifest.files.items()},
    )


def _replace(work: Path, pack: Path) -> None:
    """Put a finished folder in its place; a pack that stood there broken moves out of the way."""
    if pack.exists():
        broken = pack.with_name(f".broken-{pack.name}-{os.getpid()}")
        pack.rename(broken)
        work.rename(pack)
        shutil.rmtree(broken, ignore_errors=True)
    else:
        work.rename(pack)
