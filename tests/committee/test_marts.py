"""The pages ask the marts for nothing that the marts' contracts do not promise."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.warehouse.dbt_project import ProgrammePage
from tests.committee.edition import TABLES_SQL

MARTS = Path(__file__).parents[2] / "dbt" / "models" / "marts"


COUNTING_LEARNERS = re.compile(r"n_(learners|examinees|presented)(_.*)?|n_one_.*")
COUNTING_ASSESSORS = re.compile(r"n_(assessors|examiners)(_min)?")
COUNTING_SOME = re.compile(
    r"n_(learners_(?!at_least$).+|complete|scored|compared|omitted|dont_know|one_.+)"
)


@pytest.mark.parametrize("path", sorted((MARTS / "programme").glob("*.yml")), ids=lambda p: p.stem)
def test_a_mart_that_goes_to_the_programme_names_its_counts_of_people(path: Path) -> None:
    (model,) = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)["models"]
    told = model.get("config", {}).get("meta", {}).get("programme_page")
    if told is not None:
        page = ProgrammePage.model_validate(told)
        counts = {c["name"] for c in model["columns"] if COUNTING_LEARNERS.fullmatch(c["name"])}
        assert counts <= {*page.counts_of_learners, *page.parts_of_learners}
        some = {c["name"] for c in model["columns"] if COUNTING_SOME.fullmatch(c["name"])}
        assert some <= {*page.parts_of_learners}
        names = {c["name"] for c in model["columns"]}
        assert {n for n in names if COUNTING_ASSESSORS.fullmatch(n)} == {*page.counts_of_assessors}
        assert not counts or {"whole_of", "part_of"} & page.model_fields_set


@cache
def _promised() -> dict[str, dict[str, Any]]:
    return {
        model["name"]: {column["name"]: column.get("data_type") for column in model["columns"]}
        for path in sorted(MARTS.rglob("*.yml"))
        for model in yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader).get("models", [])
        if model.get("columns")
    }


@pytest.mark.skipif(not MARTS.exists(), reason="the dbt project is not here")
@pytest.mark.parametrize("table", sorted(TABLES_SQL))
def test_every_column_of_the_invented_edition_is_promised_by_the_mart(table: str) -> None:
    promised = _promised()
    assert table in promised, f"no mart {table}"
    columns = re.sub(r"\s+", " ", TABLES_SQL[table])
    used = {part.split()[0] for part in re.split(r", (?=[a-z_]+ [a-z]+)", columns)}
    assert used <= promised[table].keys()
