"""Proves that what a meeting got belongs together: frozen pack, addenda and edition."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

from pydantic import ValidationError

from pipelines.committee import addendum as additions
from pipelines.committee import freeze, site
from pipelines.committee.addendum import Addendum
from pipelines.committee.edition import EditionError, find
from pipelines.committee.freeze import FreezeError, Frozen, RemovedError, members
from pipelines.committee.pack import MANIFEST, Manifest, Problem, pages_version, tables_apart
from pipelines.home import Home
from pipelines.settings import Settings


def problems_of_frozen(home: Home, frozen: Frozen) -> Iterator[Problem]:
    """Yield what is wrong with a frozen pack, its edition and its addenda; nothing where all holds.

    What the law removed is no problem: what is left has to be as it was frozen.
    """
    manifest = None
    try:
        data = freeze.reprint(home, frozen)
        manifest = yield from _problems_of_archive(data, frozen)
    except RemovedError:
        pass
    except FreezeError as error:
        yield Problem(freeze.ARCHIVE, "changed", str(error))
    yield from _problems_of_edition(home, frozen.edition_id, frozen.edition_hash, manifest)
    for addendum in additions.addenda(home, frozen):
        yield from _problems_of_addendum(home, frozen, addendum)


def rendered_again(home: Home, settings: Settings, manifest: Manifest) -> Iterator[Problem]:
    """Render the pages of an edition once more, and yield what is not as in the pack.

    Raises:
        EditionError: the edition is not there, or not what was published.
    """
    if manifest.pages_version != pages_version():
        yield Problem(
            MANIFEST,
            "pages_version",
            f"pages {manifest.pages_version} made it and this Tessera makes {pages_version()}: "
            "only the Tessera that made a pack renders the same bytes",
        )
        return
    source = find(home, manifest.edition_id)
    source.verify()
    with tempfile.TemporaryDirectory(prefix=".proof-", dir=home.packs) as work:
        again = site.write(source, Path(work), settings.workers).files
    for name in sorted(manifest.files.keys() | again.keys()):
        if manifest.files.get(name) != again.get(name):
            yield Problem(name, "rendered", "the edition renders to other bytes: build it again")


def _problems_of_archive(data: bytes, frozen: Frozen) -> Generator[Problem, None, Manifest | None]:
    """Yield what is wrong between the files of an archive and its manifest; return the manifest."""
    files = dict(members(data))
    raw = files.pop(MANIFEST, b"")
    if hashlib.sha256(raw).hexdigest() != frozen.manifest_sha256:
        yield Problem(MANIFEST, "changed", "the manifest is not the one that was frozen")
        return None
    try:
        manifest = Manifest.model_validate_json(raw)
    except ValidationError:
        yield Problem(MANIFEST, "manifest", "the manifest cannot be read")
        return None
    if manifest.edition_id != frozen.edition_id or manifest.edition_hash != frozen.edition_hash:
        yield Problem(MANIFEST, "edition", "the manifest names another edition than the record")
    for name in sorted(manifest.files.keys() ^ files.keys()):
        yield Problem(name, "missing" if name in manifest.files else "unexpected", "not as frozen")
    for name in sorted(manifest.files.keys() & files.keys()):
        if hashlib.sha256(files[name]).hexdigest() != manifest.files[name].sha256:
            yield Problem(name, "changed", "the bytes are not those that the manifest names")
    return manifest


def _problems_of_edition(
    home: Home, edition_id: str, edition_hash: str, manifest: Manifest | None
) -> Iterator[Problem]:
    try:
        source = find(home, edition_id)
        source.verify()
    except EditionError as error:
        yield Problem("edition.json", "edition", str(error))
        return
    is_erased = bool(source.edition.erasures)
    was_mended = edition_hash in source.edition.earlier_manifests and not is_erased
    is_it = source.digest == edition_hash or was_mended
    if not is_it and not is_erased:
        yield Problem("edition.json", "edition", f"edition {edition_id} is not the one it was then")
    if is_it and manifest is not None:
        yield from tables_apart(manifest, source.edition.files)


def _problems_of_addendum(home: Home, frozen: Frozen, addendum: Addendum) -> Iterator[Problem]:
    where = additions.archive_of(home, frozen, addendum).name
    try:
        files = dict(members(additions.reprint(home, frozen, addendum)))
    except RemovedError:
        return
    except FreezeError as error:
        yield Problem(where, "changed", str(error))
        return
    raw = files.pop(additions.MANIFEST, b"")
    if hashlib.sha256(raw).hexdigest() != addendum.manifest_sha256:
        yield Problem(where, "changed", "its manifest is not the one that was made")
        return
    named = {name: told["sha256"] for name, told in json.loads(raw)["files"].items()}
    held = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    if named != held:
        yield Problem(where, "changed", "its files are not those that its manifest names")
    if addendum.freeze_id != frozen.freeze_id:
        yield Problem(where, "edition", f"it belongs to the frozen pack {addendum.freeze_id}")
    yield from _problems_of_edition(home, addendum.edition_id, addendum.edition_hash, None)
