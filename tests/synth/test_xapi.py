from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.synth import xapi
from pipelines.synth.cohort import Made, make
from pipelines.synth.request import Request


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    out = tmp_path_factory.mktemp("lrs") / "inbox"
    return make(Request(learners=12, years=2, format="xapi"), out)


def statements(made: Made, name: str = "forms_to_*.jsonl") -> list[dict[str, object]]:
    return [
        json.loads(line)
        for path in sorted((made.out / xapi.SOURCE).glob(name))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def test_statements_of_a_clean_cohort_pass_the_checker(tmp_path: Path) -> None:
    clean = make(Request(learners=3, years=1, mess="none", format="xapi"), tmp_path / "inbox")
    files = sorted((clean.out / xapi.SOURCE).glob("*.jsonl"))
    assert len(files) >= 2
    for file in files:
        told = CliRunner().invoke(app, ["check", "--kind", "xapi", str(file), "--json"])
        summary = json.loads(told.stdout.splitlines()[-1])["summary"]
        assert summary["rows"] > 10
        assert summary["refused"] == 0


def test_every_withdrawal_is_a_voiding_statement_of_a_statement(made: Made) -> None:
    sent = statements(made)
    voids = [each for each in sent if each["verb"]["id"] == xapi.VOIDED_VERB]  # type: ignore[index]
    known = {each["id"] for each in sent}
    faults = pl.read_parquet(made.truth / "faults.parquet")
    n_withdrawn = faults.filter(pl.col("kind").is_in(["void_after", "void_before"])).height
    n_amended = faults.filter(pl.col("kind") == "amended_form_target").height
    assert len(voids) == n_withdrawn + n_amended > 2
    assert {each["object"]["id"] for each in voids} <= known  # type: ignore[index]


def test_an_amended_form_is_a_new_statement(made: Made) -> None:
    faults = pl.read_parquet(made.truth / "faults.parquet")
    (form, *_) = faults.filter(pl.col("kind") == "amended_form_target")["record_id"]
    ids = [each["id"] for each in statements(made)]
    assert ids.count(xapi.statement_id(form)) == 1
    assert ids.count(xapi.statement_id(f"{form}/2")) == 1


def test_what_is_missing_is_left_out_and_never_null(made: Made) -> None:
    for name in ("forms_to_*.jsonl", "declarations.jsonl"):
        sent = statements(made, name)
        assert sent
        assert not [each for each in sent if None in leaves(each)]


def test_the_level_is_a_number_and_the_label_is_as_written(made: Made) -> None:
    levels = [
        each["result"]["extensions"]  # type: ignore[index]
        for each in statements(made)
        if each["verb"]["id"] == xapi.ASSESSED  # type: ignore[index]
    ]
    good = [each for each in levels if isinstance(each[xapi.extension("level")], int)]
    assert len(good) > 0.9 * len(levels)
    assert len(good) < len(levels)
    assert all(xapi.extension("label") in each for each in levels)


def test_the_people_of_statements_are_those_of_the_rosters(made: Made) -> None:
    assert made.site is not None
    spec = (made.site / "sources" / "xapi_wba.yaml").read_text(encoding="utf-8")
    assert "person_namespace: example_person" in spec
    assert f'home_pages: ["{xapi.HOME_PAGE}"]' in spec


def leaves(value: object) -> list[object]:
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in leaves(each)]
    if isinstance(value, list):
        return [leaf for each in value for leaf in leaves(each)]
    return [value]
