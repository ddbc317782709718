"""Proof that an edition follows from the log: everything is built again elsewhere and compared."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.warehouse.build import build, present_inputs
from pipelines.warehouse.calibration import put_in_raw
from pipelines.warehouse.connection import MARTS, open_warehouse
from pipelines.warehouse.dbt_project import Artefacts, target_folder
from pipelines.warehouse.editions import (
    Edition,
    differing_tables,
    folder_of,
    input_difference,
    read_edition,
)
from pipelines.warehouse.load import load
from pipelines.warehouse.tables import write_table

SHARED = ("log", "restricted", "calibrations")
"""What a rebuild reads in the home itself; all else is its own."""


@dataclass(frozen=True)
class Rebuilt:
    """How what the log gives now compares with an edition.

    Attributes:
        edition_id: the edition that was compared.
        inputs: what is another input now, such as the code or an interpretation, by name.
        equal: tables whose rows are the same.
        differing: tables whose rows are not, or that only one of the two has.
    """

    edition_id: str
    inputs: dict[str, Any]
    equal: tuple[str, ...]
    differing: tuple[str, ...]

    @property
    def is_proved(self) -> bool:
        """Return whether every table came out the same."""
        return not self.differing

    @property
    def is_contradicted(self) -> bool:
        """Return whether the same inputs gave other rows."""
        return bool(self.differing) and not self.inputs


def rebuild(home: Home, settings: Settings, edition_id: str | None = None) -> Rebuilt:
    """Build an edition's tables again from the log alone, and compare them.

    The log is read up to the edition's known-at and judged on its as-of, with its calibration.
    Specs, rule sets and code are the present ones; where they changed since, `inputs` says so.
    Nothing in the home changes.

    Args:
        home: whose log and editions.
        settings: memory, threads, and the site's folder.
        edition_id: which edition; the current one by default.

    Raises:
        WarehouseError: there is no such edition, or the build fails.
    """
    folder = folder_of(home, edition_id)
    edition = read_edition(folder)
    with _apart(home) as scratch:
        load(scratch, settings, known_at=edition.known_at)
        if edition.inputs.calibration_version is not None:
            put_in_raw(scratch, settings, edition.inputs.calibration_version)
        rules = edition.inputs.rules
        build(scratch, settings, edition.as_of, rules=rules, full_refresh=True)
        return _compare(scratch, settings, edition, folder)


@contextmanager
def _apart(home: Home) -> Iterator[Home]:
    """Give a home of its own warehouse beside the log, the vault and the calibrations of `home`."""
    folder = Path(tempfile.mkdtemp(prefix=".rebuild-", dir=home.root))
    try:
        for name in SHARED:
            (folder / name).symlink_to(home.root / name)
        yield Home.open(folder)
    finally:
        shutil.rmtree(folder)


def _compare(scratch: Home, settings: Settings, edition: Edition, folder: Path) -> Rebuilt:
    marts = Artefacts(target_folder(scratch)).marts()
    with open_warehouse(scratch, settings) as con:
        con.execute("set preserve_insertion_order = true")
        for mart in marts:
            write_table(con, f'{MARTS}."{mart.name}"', mart.name, mart.layout, scratch.root)
    names = {mart.name for mart in marts}
    differing = differing_tables(folder, scratch.root, names)
    return Rebuilt(
        edition.edition_id,
        input_difference(
            edition.inputs,
            present_inputs(scratch, settings, edition.as_of, edition.inputs.rules),
        ),
        tuple(sorted((names | edition.counts.keys()) - set(differing))),
        tuple(differing),
    )
