"""A mart's contract is kept: what its consumers rely on goes only with another version."""

from __future__ import annotations

import copy

import pytest

from tests.golden.make_marts import Contracts, broken, declared, kept

KEPT: Contracts = {"fct_x": {"version": 1, "columns": {"a": "bigint", "b": "varchar"}}}


def test_no_column_of_a_kept_contract_is_missing_under_its_version() -> None:
    problems = broken(kept(), declared())
    assert problems == [], (
        "raise `meta: {version: ...}` in the config of the mart, and run "
        "python -m tests.golden.make_marts"
    )


def test_every_mart_is_kept_as_it_is_now() -> None:
    """Else a column that a mart got since it was kept could go again, and nobody would be told."""
    assert kept() == declared(), "run python -m tests.golden.make_marts"


def test_every_kept_contract_has_columns_with_types() -> None:
    assert len(kept()) > 40
    for contract in kept().values():
        assert contract["columns"]
        assert all(contract["columns"].values())


@pytest.mark.parametrize("column", ["a", "b"])
def test_a_column_that_goes_or_gets_another_type_is_found(column: str) -> None:
    now = copy.deepcopy(KEPT)
    now["fct_x"]["columns"][column] = "date"
    assert f"fct_x.{column} is date" in broken(KEPT, now)[0]
    del now["fct_x"]["columns"][column]
    assert f"fct_x.{column} is gone" in broken(KEPT, now)[0]


def test_a_column_may_be_added_and_another_version_may_change_any() -> None:
    now = copy.deepcopy(KEPT)
    now["fct_x"]["columns"]["c"] = "date"
    assert broken(KEPT, now) == []
    assert broken(KEPT, {"fct_x": {"version": 2, "columns": {"a": "date"}}}) == []


def test_a_mart_that_is_gone_is_found() -> None:
    assert broken(KEPT, {}) == ["fct_x is gone"]
