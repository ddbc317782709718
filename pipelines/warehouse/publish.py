"""Publishes an audited build as a new edition beside the old ones: a copy of its marts.

Everything is written into a hidden folder, made durable, and named by one rename; `current` then
moves by one rename. A reader sees the old edition or the new one, and what it has opened stays.
"""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

import pipelines
from pipelines.home import Home, point, sync
from pipelines.settings import Settings
from pipelines.sql import literal
from pipelines.warehouse.build import audit_record, finished_build
from pipelines.warehouse.connection import MARTS, WarehouseError, attach, open_warehouse, session
from pipelines.warehouse.dbt_project import Artefacts, Mart, target_folder
from pipelines.warehouse.editions import (
    CURRENT,
    DATA_DOCS,
    DATABASE,
    MANIFEST,
    Edition,
    EditionError,
    current_id,
    differing_tables,
    read_edition,
    to_json,
    told_of_tables,
    verify,
)
from pipelines.warehouse.inputs import BuildInputs
from pipelines.warehouse.tables import TABLES, Parts, Written, file_hash, write_table

BIG = 50_000
"""Rows from which on a mart is written beside others."""

EDITION = "edition"
"""What the copy is attached as while it is made ready."""

MOST_FREE = 0.3
"""How much room a copy may have for nothing, as a share of what its tables take."""

WRITTEN_AGAIN = ("files", "table_hashes", "parts_by", "fingerprints", "versions")
"""What a manifest says of how its files were written."""

GOOD_VERDICTS = {"pass", "warn"}
PATIENCE = 60.0


class PublishError(WarehouseError):
    """A candidate may not be published; the last good edition stays current."""


def publish(home: Home, settings: Settings) -> str | None:
    """Make the build that stands in the warehouse the current edition.

    An edition of the same inputs that is no longer what was published is put right: its tables are
    written again, and its manifest stays what it was.

    Returns:
        The id of the edition that is current now, or None where it was current and whole already.

    Raises:
        PublishError: nothing was built, the audit of this build is missing or failed, or the build
            gave other rows than the damaged edition had.
    """
    with home.writing(timeout=PATIENCE):
        inputs = finished_build(home)
        if inputs is None:
            raise PublishError("there is no finished build to publish: run `tessera run`")
        audit = _passed_audit(home, inputs.build_id)
        _remove_leftovers(home)
        edition_id = inputs.build_id
        folder = home.editions / edition_id
        if not _is_whole(folder):
            draft = home.editions / f".draft-{edition_id}"
            _write_edition(home, settings, draft, inputs, audit)
            if folder.exists():
                _keep_its_manifest(folder, draft)
            _make_durable(draft)
            _put_in_place(draft, folder)
        elif current_id(home) == edition_id:
            return None
        make_current(home, edition_id)
        return edition_id


def _put_in_place(draft: Path, folder: Path) -> None:
    """Name a draft; a damaged edition that has the name makes room and goes."""
    damaged = folder.with_name(f".draft-damaged-{folder.name}")
    if folder.exists():
        folder.rename(damaged)
    draft.rename(folder)
    sync(folder.parent)
    shutil.rmtree(damaged, ignore_errors=True)


def _is_whole(folder: Path) -> bool:
    try:
        return not verify(folder)
    except EditionError:
        return False


def _keep_its_manifest(damaged: Path, draft: Path) -> None:
    """Give a draft the manifest of the edition whose place it takes, with its own files' hashes.

    Raises:
        PublishError: the rows are not those of that edition.
    """
    again = read_edition(draft)
    try:
        before = read_edition(damaged)
    except EditionError:
        return
    if others := differing_tables(damaged, draft, again.counts):
        raise PublishError(
            f"edition {again.edition_id} is damaged, and a build of the same inputs gives other "
            f"rows of {', '.join(others)}: restore the edition from a backup, and report this"
        )
    mended = before.model_copy(update={name: getattr(again, name) for name in WRITTEN_AGAIN})
    if mended != before:
        earlier = (*before.earlier_manifests, file_hash(damaged / MANIFEST))
        mended = mended.model_copy(update={"earlier_manifests": earlier})
    (draft / MANIFEST).write_bytes(to_json(mended))


def make_current(home: Home, edition_id: str) -> None:
    """Move `current` to an edition by one rename."""
    point(home.editions / CURRENT, edition_id)


def _passed_audit(home: Home, build_id: str) -> dict[str, Any]:
    path = audit_record(home)
    if not path.exists():
        raise PublishError("the build was not audited: nothing is published")
    audit: dict[str, Any] = json.loads(path.read_bytes())
    if audit.get("build_id") != build_id:
        raise PublishError(
            f"the audit is of build {audit.get('build_id')}, the warehouse holds {build_id}: "
            "nothing is published"
        )
    if audit.get("verdict") not in GOOD_VERDICTS:
        raise PublishError(
            f"the audit says {audit.get('verdict')}: nothing is published, "
            "the last edition stays current"
        )
    return audit


def _remove_leftovers(home: Home) -> None:
    for path in home.editions.glob(".draft-*"):
        shutil.rmtree(path)


def _write_edition(
    home: Home, settings: Settings, folder: Path, inputs: BuildInputs, audit: dict[str, Any]
) -> None:
    artefacts = Artefacts(target_folder(home))
    marts = artefacts.marts()
    (folder / TABLES).mkdir(parents=True)
    with open_warehouse(home, settings) as con:
        _close_gaps(con, home)
        sizes = _sizes(con)
        _refuse_missing(marts, sizes)
        con.execute("set preserve_insertion_order = true")
        with ThreadPoolExecutor(settings.workers) as pool:
            copied = pool.submit(_copy_marts, con, home, marts, folder / DATABASE)
            tables = _write_tables(con, pool, marts, sizes, folder, _current_parts(home))
            database_hash = copied.result()
    docs = home.warehouse.parent / DATA_DOCS
    if docs.is_dir():
        shutil.copytree(docs, folder / DATA_DOCS)
    edition = Edition(
        edition_id=inputs.build_id,
        created_at=datetime.now(UTC),
        as_of=inputs.as_of,
        known_at=inputs.known_at,
        inputs=inputs,
        keys={mart.name: mart.key for mart in marts},
        parts_by={mart.name: mart.parts_by for mart in marts if mart.parts_by is not None},
        mart_versions={mart.name: mart.version for mart in marts},
        programme_page={m.name: m.programme_page for m in marts if m.programme_page is not None},
        versions={
            "tessera": pipelines.__version__,
            "python": platform.python_version(),
            "duckdb": duckdb.__version__,
            "pyarrow": version("pyarrow"),
            "dbt": artefacts.dbt_version,
        },
        audit=audit,
        **told_of_tables(tables, {DATABASE: database_hash}),
    )
    (folder / MANIFEST).write_bytes(to_json(edition))


def _close_gaps(con: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Write the file of the marts anew where it has too many gaps.

    A table that is made anew stands beside the old one until it is done, and what the old one took
    is free from then on.
    """
    con.execute(f"checkpoint {MARTS}")
    free, used = con.execute(
        "select free_blocks, used_blocks from pragma_database_size() where database_name = ?",
        [MARTS],
    ).fetchall()[0]
    if free <= used * MOST_FREE:
        return
    closed = home.marts.with_name(f".{home.marts.name}.closed")
    closed.unlink(missing_ok=True)
    attach(con, closed, EDITION)
    con.execute(f"copy from database {MARTS} to {EDITION}")
    con.execute(f"checkpoint {EDITION}")
    con.execute(f"detach {EDITION}")
    con.execute(f"detach {MARTS}")
    closed.replace(home.marts)
    attach(con, home.marts, MARTS)


def _refuse_missing(marts: Sequence[Mart], standing: Collection[str]) -> None:
    """Refuse a warehouse that lacks a mart.

    Raises:
        PublishError: a mart is missing, as in a warehouse that an older version built.
    """
    if missing := sorted({mart.name for mart in marts} - set(standing)):
        raise PublishError(
            f"the build has no {', '.join(missing)}: nothing is published; "
            "build again with `tessera run --full-refresh`"
        )


def _copy_marts(
    con: duckdb.DuckDBPyConnection, home: Home, marts: Sequence[Mart], database: Path
) -> str:
    """Copy the marts, leave those with a contract, each with what is said of it and its columns.

    Returns:
        The SHA-256 of the copy.
    """
    shutil.copyfile(home.marts, database)
    with session(con) as own:
        attach(own, database, EDITION)
        for name in _sizes(own).keys() - {mart.name for mart in marts}:
            own.execute(f'drop table {EDITION}."{name}"')
        for mart in marts:
            table = f'{EDITION}."{mart.name}"'
            _comment(own, f"table {table}", mart.description)
            for column, description in mart.columns.items():
                _comment(own, f'column {table}."{column}"', description)
        own.execute(f"checkpoint {EDITION}")
        own.execute(f"detach {EDITION}")
    return file_hash(database)


def _current_parts(home: Home) -> Parts | None:
    """Return the parts that the current edition has, where there is one that can be read."""
    current = current_id(home)
    if current is None:
        return None
    folder = home.editions / current
    try:
        return read_edition(folder).parts(folder)
    except EditionError:
        return None


def _write_tables(
    con: duckdb.DuckDBPyConnection,
    pool: ThreadPoolExecutor,
    marts: Sequence[Mart],
    sizes: Mapping[str, int],
    folder: Path,
    earlier: Parts | None,
) -> dict[str, Written]:
    """Write every mart as Parquet in the order of its key.

    Big ones are written beside each other, since one file is written by one core.
    """

    def write(mart: Mart) -> Written:
        relation = f'{MARTS}."{mart.name}"'
        with session(con) as own:
            return write_table(own, relation, mart.name, mart.layout, folder, earlier)

    beside = {
        mart.name: pool.submit(write, mart)
        for mart in sorted(marts, key=lambda mart: -sizes[mart.name])
        if sizes[mart.name] >= BIG
    }
    written = {mart.name: write(mart) for mart in marts if mart.name not in beside}
    written |= {name: future.result() for name, future in beside.items()}
    return {mart.name: written[mart.name] for mart in marts}


def _sizes(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    return dict(
        con.execute(
            "select table_name, estimated_size from duckdb_tables() where database_name = ?",
            [MARTS],
        ).fetchall()
    )


def _comment(con: duckdb.DuckDBPyConnection, thing: str, description: str) -> None:
    if description:
        con.execute(f"comment on {thing} is {literal(' '.join(description.split()))}")


def _make_durable(folder: Path) -> None:
    for path in _walk(folder):
        sync(path)
    sync(folder)


def _walk(folder: Path) -> Sequence[Path]:
    return sorted(folder.rglob("*"), reverse=True)
