"""Looks a home over: what is wrong, and what to do about it. Nothing is changed."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from typing import Literal

from pipelines.errors import first_line
from pipelines.home import Home, HomeError
from pipelines.settings import Settings

State = Literal["ok", "attention", "broken"]
LITTLE_SPACE = 2 * 1024**3
"""Below this many free bytes a night's run may not end."""
LOCKED = ("duckdb", "dbt-core", "dbt-duckdb", "great-expectations", "polars", "pydantic")
"""Packages whose other versions read or write other things."""


@dataclass(frozen=True)
class Finding:
    """What one check found, and what to do."""

    check: str
    state: State
    message: str
    remedy: str | None = None


Check = Callable[[Home, Settings], Iterator[Finding]]


def examine(home: Home, settings: Settings) -> Iterator[Finding]:
    """Yield what each check found, in the order of the way of the data."""
    for name, check in CHECKS.items():
        try:
            found = list(check(home, settings))
        except Exception as error:  # whatever is broken, the other checks go on
            found = [_broken(name, f"{type(error).__name__}: {first_line(error)}")]
        yield from found or [Finding(name, "ok", GOOD[name])]


def _space(home: Home, _: Settings) -> Iterator[Finding]:
    free = shutil.disk_usage(home.root).free
    if free < LITTLE_SPACE:
        yield Finding(
            "space",
            "attention",
            f"{free / 1024**3:.1f} GiB are free beside {home.root}",
            "make room, or move the home: its folder may be copied while nothing runs",
        )


def _lock(home: Home, _: Settings) -> Iterator[Finding]:
    try:
        with home.writing(timeout=0.2):
            return
    except HomeError:
        yield Finding("lock", "attention", "a process is writing to this home just now")


def _restricted(home: Home, _: Settings) -> Iterator[Finding]:
    for folder in (home.restricted, home.vault):
        mode = stat.S_IMODE(folder.stat().st_mode)
        if folder == home.restricted and mode & 0o077:
            yield _broken(
                "restricted", f"{folder} is open to others ({mode:o})", f"chmod 700 {folder}"
            )
    keys = home.vault / "keys.json"
    if any(home.deliveries.iterdir()) and not keys.exists():
        yield _broken(
            "restricted",
            "the vault has no keys, but the log was written with some",
            "restore restricted/vault/keys.json from the backup: without it nobody is recognised",
        )


def _declared(_: Home, settings: Settings) -> Iterator[Finding]:
    from pipelines.rules import RuleFileError, load_catalogue
    from pipelines.sources import catalogue
    from pipelines.sources.faults import SourceError

    try:
        load_catalogue(settings.site)
        catalogue.load(settings)
    except (RuleFileError, SourceError) as error:
        yield _broken("declarations", str(error), "tessera source check; tessera rules show")


def _log(home: Home, _: Settings) -> Iterator[Finding]:
    from pipelines.intake.ledger import ledger
    from pipelines.intake.records import deliveries

    archived = {path.name.partition(".")[0] for path in home.archive.glob("??/*")}
    for delivery_id, receipt in deliveries(home).items():
        if receipt.sha256 not in archived:
            yield _broken(
                "log",
                f"the archive has lost the file of delivery {delivery_id}",
                "restore restricted/archive from the backup, or let the source send it again",
            )
    for entry in ledger(home):
        told = sum(
            (entry.accepted, entry.duplicate, entry.superseded, entry.voided, entry.quarantined)
        )
        if told != entry.rows_read:
            yield _broken(
                "log",
                f"{entry.delivery_id}: {entry.rows_read} records were read and {told} have an "
                "outcome",
                f"tessera ledger --delivery {entry.delivery_id}; restore its folder below log/",
            )


def _editions(home: Home, _: Settings) -> Iterator[Finding]:
    from pipelines.warehouse.editions import CURRENT, editions, verify

    link = home.editions / CURRENT
    if link.is_symlink() and not link.exists():
        yield _broken("editions", "`current` points to no edition", "tessera run")
    for edition in editions(home):
        for problem in verify(home.editions / edition.edition_id):
            yield _broken(
                "editions",
                f"{edition.edition_id}: {problem}",
                f"tessera rebuild {edition.edition_id} tells whether the log still gives it",
            )


def _pack(home: Home, _: Settings) -> Iterator[Finding]:
    from pipelines.committee.pack import verify

    if (home.packs / "current").exists():
        for problem in verify(home).problems:
            yield _broken("pack", f"{problem.file}: {problem.message}", "tessera pack build")


def _warehouse(home: Home, settings: Settings) -> Iterator[Finding]:
    from pipelines.warehouse.connection import WarehouseBusyError, open_warehouse

    if not home.warehouse.exists():
        return
    try:
        with open_warehouse(home, settings, read_only=True, patience=1) as con:
            con.execute("select count(*) from raw.intake_record").fetchall()
    except WarehouseBusyError:
        yield Finding("warehouse", "attention", "a process holds the warehouse just now")
    except Exception as error:  # DuckDB says it in many ways
        yield _broken(
            "warehouse",
            first_line(error),
            f"remove {home.warehouse}: the next run makes it again from the log",
        )


def _packages(_: Home, __: Settings) -> Iterator[Finding]:
    required = metadata.requires("tessera") or []
    for name in LOCKED:
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield _broken("packages", f"{name} is not installed", "make venv")
            continue
        if not _is_allowed(name, installed, required):
            yield _broken(
                "packages",
                f"{name} {installed} is not a version that this Tessera works with",
                "make venv",
            )


def _is_allowed(name: str, installed: str, required: list[str]) -> bool:
    from packaging.requirements import Requirement

    wanted = [item for item in map(Requirement, required) if item.name == name and not item.marker]
    return all(item.specifier.contains(installed, prereleases=True) for item in wanted)


def _waiting(home: Home, _: Settings) -> Iterator[Finding]:
    from pipelines.intake.quarantine import causes

    found = causes(home)
    n = sum(cause.n_records for cause in found)
    if found:
        yield Finding(
            "waiting",
            "attention",
            f"{n:,} records, for {len(found)} causes, wait for a person",
            "tessera quarantine list",
        )


def _broken(check: str, message: str, remedy: str | None = None) -> Finding:
    return Finding(check, "broken", message, remedy)


CHECKS: dict[str, Check] = {
    "packages": _packages,
    "space": _space,
    "lock": _lock,
    "restricted": _restricted,
    "declarations": _declared,
    "log": _log,
    "waiting": _waiting,
    "warehouse": _warehouse,
    "editions": _editions,
    "pack": _pack,
}
"""Every check by its name."""

GOOD = {
    "packages": "the libraries that write data are of the versions asked for",
    "space": "there is room",
    "lock": "nobody is writing",
    "restricted": "identities, archive and originals are closed to others",
    "declarations": "source specs, code lists and rule sets have no faults",
    "log": "every delivery is archived, and every record read has one outcome",
    "waiting": "nothing waits for a person",
    "warehouse": "it opens",
    "editions": "each is as it was published",
    "pack": "it is as it was made, of the current edition",
}
"""What is said where a check finds nothing."""
