"""Separate outputs for learner, mentor and programme, each with a manifest of its own.

They may name people, so they lie in the restricted folder; a person hands them out.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from pipelines.committee import pack, programme
from pipelines.committee.answer_form import NAME, SOURCE, answer_form
from pipelines.committee.edition import EditionError, Source, find
from pipelines.committee.learner import assemble
from pipelines.committee.pack import MANIFEST, NoEditionError, PackError
from pipelines.committee.people import NOBODY, Everybody, everybody
from pipelines.committee.queries import Portfolio, read
from pipelines.committee.render import Pages, style_sheet
from pipelines.committee.roles import LEARNER, MENTOR, PROGRAMME, View, for_learner, for_mentor
from pipelines.committee.site import File, write_all
from pipelines.committee.twin import schema, twin
from pipelines.home import Home
from pipelines.intake.feeds import load_feeds
from pipelines.settings import Settings

PATIENCE = 60.0
_SAFE_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class ViewManifest(BaseModel):
    """What `manifest.json` says of one person's, or the programme's, view."""

    model_config = ConfigDict(frozen=True)

    role: str
    person_key: str | None
    edition_id: str
    edition_hash: str
    pages_version: str
    files: dict[str, File]


@dataclass(frozen=True)
class Built:
    """The views of one role that stand now."""

    role: str
    edition_id: str
    folder: Path
    n_views: int
    n_unnamed: int
    """How many people the vault has no name of; their key stands in its place."""


def folder_of(home: Home, role: str, edition_id: str, person_key: str | None = None) -> Path:
    """Return where a view lies."""
    folder = home.views / role / edition_id
    return folder if person_key is None else folder / person_key


def build(
    home: Home,
    settings: Settings,
    role: str,
    edition_id: str | None = None,
    only: str | None = None,
) -> Built:
    """Write the views of a role, one folder a person, each whole or not at all.

    Args:
        home: whose edition and vault.
        settings: which site's sources.
        role: `learner`, `mentor` or `programme`.
        edition_id: which edition; the current one by default.
        only: the key of the one learner or mentor to write it for; everybody by default.

    Raises:
        NoEditionError: there is no such edition, or it knows no such person.
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
    if role == PROGRAMME:
        pages = programme.files(source)
        with home.writing(timeout=PATIENCE):
            _put(home, source, role, None, pages)
        return Built(role, source.edition_id, folder_of(home, role, source.edition_id), 1, 0)
    portfolio = read(source)
    known = everybody(home, settings)
    column = "learner_key" if role == LEARNER else "mentor_key"
    keys = sorted({str(row[column]) for row in portfolio.learners if row[column]})
    if only is not None and only not in keys:
        raise NoEditionError(
            f"edition {source.edition_id} knows no {role} {only!r}: keys look like "
            f"{keys[0] if keys else 'L-4F7K2QXA3M'}; `tessera identity list --all` lists them"
        )
    chosen = keys if only is None else [only]
    namespace = load_feeds(settings)[SOURCE].namespace.name
    with home.writing(timeout=PATIENCE):
        for key in chosen:
            _put(home, source, role, key, _of_person(portfolio, role, key, known, namespace))
    return Built(
        role,
        source.edition_id,
        folder_of(home, role, source.edition_id),
        len(chosen),
        sum(known.get(key, NOBODY).name is None for key in chosen),
    )


def verify(folder: Path) -> list[str]:
    """Return what is not as it was built in a view, nothing where all is."""
    try:
        manifest = ViewManifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError):
        return [f"{folder / MANIFEST} cannot be read: build the view again"]
    return [f"{p.file}: {p.message}" for p in pack.differences(folder, manifest.files)]


def _of_person(
    portfolio: Portfolio, role: str, key: str, known: Everybody, namespace: str
) -> Iterator[tuple[str, bytes]]:
    if not _SAFE_KEY.fullmatch(key):
        raise PackError(f"the key {key!r} cannot name a folder: keys come from the vault")
    if role == MENTOR:
        narrowed, view = for_mentor(portfolio, key, known)
        pages = Pages(narrowed, view)
        rows = sorted(narrowed.learners, key=lambda row: str(view.name(row["learner_key"])))
        yield "index.html", pages.mentored([assemble(narrowed, row) for row in rows]).encode()
    else:
        narrowed, view = for_learner(portfolio, key, known)
        pages = Pages(narrowed, view)
        page = assemble(narrowed, narrowed.learners[0])
        learner_id = known.get(key, NOBODY).ids.get(namespace, "")
        yield "index.html", pages.own(page, NAME).encode()
        yield NAME, answer_form(narrowed, page, learner_id)
    yield "assets/pack.css", style_sheet()
    yield "data/learner.schema.json", schema()
    yield from _pages_of(narrowed, pages)


def _pages_of(narrowed: Portfolio, pages: Pages) -> Iterator[tuple[str, bytes]]:
    for row in narrowed.learners:
        page = assemble(narrowed, row)
        yield f"learners/{page.key}.html", pages.learner(page).encode()
        for file, text in pages.evidence(page):
            yield f"evidence/{file}", text.encode()
        told = twin(narrowed, page).model_dump_json(indent=1)
        yield f"data/learners/{page.key}.json", told.encode()


def _put(
    home: Home, source: Source, role: str, key: str | None, pages: Iterable[tuple[str, bytes]]
) -> None:
    """Write one view beside the others, and rename it when all of it is there."""
    place = folder_of(home, role, source.edition_id, key)
    place.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".view-", dir=home.views))
    try:
        manifest = ViewManifest(
            role=role,
            person_key=key,
            edition_id=source.edition_id,
            edition_hash=source.digest,
            pages_version=pack.pages_version(),
            files=write_all(work, pages),
        )
        (work / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")
        if place.exists():
            shutil.rmtree(place)
        work.rename(place)
    finally:
        shutil.rmtree(work, ignore_errors=True)


__all__ = ["Built", "View", "ViewManifest", "build", "folder_of", "verify"]
