"""A private copy of a build to try changed models on, and what they change in the marts.

The copy is a home of its own without log, vault and editions: it holds pseudonyms, demographics and
evidence as the warehouse does, so that only its owner may read it, and nothing that names a person.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.home import PRIVATE, Home, write_atomically
from pipelines.settings import Settings
from pipelines.warehouse.build import build_on, build_record, finished_build
from pipelines.warehouse.connection import (
    MARTS,
    WarehouseError,
    attach,
    copy_warehouse,
    open_warehouse,
)
from pipelines.warehouse.dbt_project import (
    Artefacts,
    NodeResult,
    project_folder,
    target_folder,
)
from pipelines.warehouse.dbt_runner import invoke
from pipelines.warehouse.editions import (
    Edition,
    TableDifference,
    compare_tables,
    folder_of,
    input_difference,
    read_edition,
)
from pipelines.warehouse.inputs import BuildInputs, moved_reference
from pipelines.warehouse.load import replace_declared
from pipelines.warehouse.tables import count_rows

MARKER = "CLONE"
"""The file that tells a copy from a home."""
PRIVATE_FOLDER = 0o700
BEFORE = "before"
UNFINISHED = "UNFINISHED"
"""The file that says that a build of a copy was begun and did not end well."""
TRIED = "tried.json"
"""The models that earlier builds of a copy made: whose change is taken back is made again."""
PATIENCE = 60.0
STATIC_DOCS = "static_index.html"


class WorkbenchError(WarehouseError):
    """The copy cannot be made or worked on; the message says why and what to do."""


@dataclass(frozen=True)
class Rebuilt:
    """What building changed models did.

    Attributes:
        models: models that were built, in their order.
        n_tests: data and unit tests that passed.
        warnings: tests that failed and only warn, each as a sentence with what it found.
    """

    models: tuple[str, ...]
    n_tests: int
    warnings: tuple[str, ...] = ()


def clone(home: Home, folder: Path, edition_id: str | None = None) -> str:
    """Copy the build of an edition, and return its id, which is that of the edition too.

    Only the build that stands in a home can be copied: an edition holds marts, and not what they
    were made from.

    Args:
        home: whose build.
        folder: where to make the copy; a new folder.
        edition_id: the edition that the build must be of; the current one by default.

    Raises:
        WorkbenchError: nothing was built yet, the build that stands is not of that edition, or the
            folder is in use for something else.
        EditionError: there is no such edition.
    """
    inputs = finished_build(home)
    if inputs is None:
        raise WorkbenchError("there is no finished build to copy: run `tessera run`")
    _refuse_another_edition(home, inputs, read_edition(folder_of(home, edition_id)))
    if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).exists():
        raise WorkbenchError(f"{folder} holds something else: name a new folder")
    copy = Home.open(folder)
    if copy.root == home.root:
        raise WorkbenchError("a home cannot be copied onto itself: name a new folder")
    copy.root.chmod(PRIVATE_FOLDER)
    write_atomically(copy.root / MARKER, json.dumps({"build_id": inputs.build_id}).encode() + b"\n")
    with home.writing(timeout=PATIENCE), copy.writing(timeout=PATIENCE):
        shutil.rmtree(copy.warehouse.parent)
        copy.warehouse.parent.mkdir()
        copy_warehouse(home, copy)
        shutil.copytree(target_folder(home), target_folder(copy))
        shutil.copyfile(build_record(home), build_record(copy))
        (_before(copy)).mkdir()
        shutil.copyfile(target_folder(home) / "manifest.json", _before(copy) / "manifest.json")
        shutil.copyfile(home.marts, _marts_before(copy))
    for path in copy.root.rglob("*"):
        path.chmod(PRIVATE_FOLDER if path.is_dir() else PRIVATE)
    return inputs.build_id


def build_changed(copy: Home, settings: Settings) -> Rebuilt:
    """Build what was changed since the copy was made, and all that follows from it, with its tests.

    Changed are models, and rules and code lists of which a row is another now; also models whose
    change was taken back after an earlier build.

    Raises:
        WorkbenchError: this is no copy.
        BuildError: a model or a test failed; the message names it.
        RuleFileError: a rule set has a fault; the message says where.
        SourceError: a code list has one.
    """
    inputs = _inputs_of_copy(copy)
    with copy.writing(timeout=PATIENCE), open_warehouse(copy, settings) as con:
        replace_declared(con, settings)
        moved = [f"source:raw.{table}+" for table in moved_reference(con, inputs)]
        _unfinished(copy).touch(PRIVATE)
        try:
            build_on(
                copy,
                settings,
                "build",
                *("--select", "state:modified+", *moved, *_tried(copy)),
                *("--state", str(_before(copy))),
            )
        finally:
            _remember_tried(copy)
        _unfinished(copy).unlink()
    results = Artefacts(target_folder(copy)).results()
    return Rebuilt(
        models=tuple(r.name for r in results if r.resource_type in {"model", "seed"}),
        n_tests=sum(_is_passed_test(result) for result in results),
        warnings=tuple(result.sentence() for result in results if result.status == "warn"),
    )


def diff_marts(copy: Home) -> list[TableDifference]:
    """Return how the marts of a copy differ from those that it was made with.

    Raises:
        WorkbenchError: this is no copy, or its last build did not end well.
    """
    _refuse_a_home(copy)
    if _unfinished(copy).exists():
        raise WorkbenchError(
            f"the last build of {copy.root} stopped, so that some marts are as they were before: "
            f"mend what it named, then `tessera model build --home {copy.root}`"
        )
    artefacts = Artefacts(target_folder(copy))
    keys = {mart.name: mart.key for mart in artefacts.marts()}
    models = {node["name"] for node in artefacts.manifest["nodes"].values()}
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        attach(con, _marts_before(copy), BEFORE, read_only=True)
        attach(con, copy.marts, MARTS, read_only=True)
        old, new = _tables(con, BEFORE), _tables(con, MARTS) & models
        found = [_difference(con, table, old, new, keys.get(table, ())) for table in old | new]
    return sorted((d for d in found if not d.is_empty), key=lambda d: d.table)


def write_docs(home: Home, settings: Settings, out: Path) -> Path:
    """Write dbt's docs of every model, with their lineage, as one page that needs no server.

    Raises:
        WorkbenchError: dbt could not make them.
    """
    if not home.warehouse.exists():
        raise WorkbenchError(f"{home.warehouse} does not exist yet: run `tessera run` first")
    with home.writing(timeout=PATIENCE), open_warehouse(home, settings):
        done = invoke(home, settings, project_folder(), "docs generate", "--static")
    made = target_folder(home) / STATIC_DOCS
    if not done.success or not made.exists():
        raise WorkbenchError(f"dbt could not make its docs: {done.exception or 'see its log'}")
    out.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(made, out)
    return out


def _difference(
    con: duckdb.DuckDBPyConnection,
    table: str,
    old: frozenset[str],
    new: frozenset[str],
    key: Sequence[str],
) -> TableDifference:
    before, after = f'{BEFORE}."{table}"', f'{MARTS}."{table}"'
    if table not in new:
        return TableDifference(table, 0, count_rows(con, before), 0)
    if table not in old:
        return TableDifference(table, count_rows(con, after), 0, 0)
    return compare_tables(con, before, after, key)


def _tables(con: duckdb.DuckDBPyConnection, database: str) -> frozenset[str]:
    found = con.execute(
        "select table_name from duckdb_tables() where database_name = ?", [database]
    ).fetchall()
    return frozenset(name for (name,) in found)


def _is_passed_test(result: NodeResult) -> bool:
    return result.resource_type in {"test", "unit_test"} and result.status == "pass"


def _refuse_a_home(copy: Home) -> None:
    if not (copy.root / MARKER).exists():
        raise WorkbenchError(
            f"{copy.root} is no copy to try models on: make one with `tessera model clone`"
        )


def _refuse_another_edition(home: Home, inputs: BuildInputs, edition: Edition) -> None:
    if edition.edition_id == inputs.build_id:
        return
    known_at = f" --known-at {edition.known_at.isoformat()}" if edition.known_at else ""
    rules = " --rules now" if edition.inputs.rules == "now" else ""
    raise WorkbenchError(
        f"the build that stands is {inputs.build_id} and not edition {edition.edition_id}; it "
        f"differs in {', '.join(input_difference(edition.inputs, inputs))}. Name another edition, "
        f"or build that day again by the present code and rules and make it the current edition: "
        f"`tessera run --home {home.root} --as-of {edition.as_of}{known_at}{rules}`"
    )


def _inputs_of_copy(copy: Home) -> BuildInputs:
    """Return what the build was made from that was copied.

    Raises:
        WorkbenchError: this is no copy, or was not made to its end.
    """
    _refuse_a_home(copy)
    inputs = finished_build(copy)
    if inputs is None:
        raise WorkbenchError(
            f"{copy.root} was not copied to its end: make it again with `tessera model clone`"
        )
    return inputs


def _before(copy: Home) -> Path:
    return copy.warehouse.parent / BEFORE


def _unfinished(copy: Home) -> Path:
    return copy.warehouse.parent / UNFINISHED


def _tried(copy: Home) -> list[str]:
    path = copy.warehouse.parent / TRIED
    return list(json.loads(path.read_bytes())) if path.exists() else []


def _remember_tried(copy: Home) -> None:
    if (target_folder(copy) / "run_results.json").exists():
        names = {
            f"{result.name}+"
            for result in Artefacts(target_folder(copy)).results()
            if result.resource_type == "model"
        }
        write_atomically(copy.warehouse.parent / TRIED, json.dumps(sorted(names)).encode())


def _marts_before(copy: Home) -> Path:
    return _before(copy) / "marts.duckdb"
