"""Editions that differ from another in what is measured, and in nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from pipelines.home import Home
from pipelines.warehouse.editions import DATABASE, MANIFEST, read_edition, to_json
from pipelines.warehouse.tables import file_hash


def with_changed_learners(home: Path, one_in: int) -> str:
    """Publish a copy of the current edition in which some learners' evidence reads otherwise.

    `current` stays where it is. The tables of the copy are those of the original but for the
    database that pages are made from.

    Args:
        home: the folder of the home.
        one_in: of so many learners one is changed.

    Returns:
        The id of the copy.
    """
    editions = Home(home).editions
    origin = (editions / "current").resolve()
    edition = read_edition(origin)
    inputs = edition.inputs.model_copy(
        update={"receipts": (*edition.inputs.receipts, f"one-in-{one_in}")}
    )
    folder = editions / inputs.build_id
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(origin, folder)
    with duckdb.connect(str(folder / DATABASE)) as connection:
        connection.execute(
            "update fct_evidence set narrative_other = 'Changed.' where learner_key in ("
            "select learner_key from (select learner_key, "
            "row_number() over (order by learner_key) as place "
            "from (select distinct learner_key from fct_evidence)) where place % ? = 0)",
            [one_in],
        )
    files = edition.files | {DATABASE: file_hash(folder / DATABASE)}
    changed = edition.model_copy(
        update={"edition_id": inputs.build_id, "inputs": inputs, "files": files}
    )
    (folder / MANIFEST).write_bytes(to_json(changed))
    return inputs.build_id
