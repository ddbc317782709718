from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import great_expectations.expectations as gxe
import pytest

from expectations.engine import Engine
from expectations.outcome import Finding, gravest, verdict_of
from expectations.registry import Suite, promise

ROOT = Path(__file__).resolve().parents[2]

ONE_RUN = """
import great_expectations.expectations as gxe
from expectations.engine import Engine
from expectations.registry import Suite, promise
with Engine() as engine:
    suite = Suite("s", "select 1 as x", (promise(
        gxe.ExpectColumnValuesToBeInSet, rule="r", severity="critical", owner="o", words="w",
        broken="b", column="x", value_set=[2],
    ),))
    print(engine.validate([suite])[0].is_kept)
"""


def finding(severity: str, is_kept: bool) -> Finding:
    return Finding("r", "s", is_kept, severity, "o", "w")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("findings", "verdict"),
    [
        ([], "pass"),
        ([finding("critical", True)], "pass"),
        ([finding("info", False)], "pass"),
        ([finding("info", False), finding("warning", False)], "warn"),
        ([finding("warning", False), finding("critical", False)], "fail"),
    ],
)
def test_the_gravest_broken_promise_gives_the_verdict(findings, verdict: str) -> None:
    assert verdict_of(findings) == verdict
    assert (gravest(findings) is not None) == (verdict == "fail")


@pytest.mark.slow
def test_a_run_says_nothing_but_its_result() -> None:
    run = subprocess.run(
        [sys.executable, "-c", ONE_RUN], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert run.stdout == "False\n"
    assert run.stderr == ""


def test_an_attached_database_is_read_and_never_locked(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "it's.duckdb"
    with duckdb.connect(path) as con:
        con.execute("create table t as select 1 as x")
    engine.attach(path, "other")
    assert engine.rows("select x from other.t") == [(1,)]
    engine.detach("other")
    with duckdb.connect(path) as con:
        con.execute("insert into t values (2)")


def test_a_million_rows_are_judged_where_they_lie(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    duckdb.sql(f"copy (select range as n from range(1000000)) to '{path}'")
    suite = Suite(
        "many",
        f"select * from read_parquet('{path}')",
        (
            promise(
                gxe.ExpectColumnValuesToBeBetween,
                rule="many.below",
                severity="warning",
                owner="o",
                words="All are below 999,999.",
                broken="{unexpected} of {n} are not below.",
                column="n",
                max_value=999_998,
            ),
        ),
    )
    (found,) = engine.validate([suite])
    assert found.sentence == "1 of 1,000,000 are not below."


@pytest.mark.parametrize(
    ("n_odd", "told"),
    [
        (1, "1 of 5 records is odd: leave it out."),
        (2, "2 of 5 records are odd: leave them out."),
    ],
)
def test_one_and_several_are_told_in_words_that_fit_them(
    engine: Engine, n_odd: int, told: str
) -> None:
    suite = Suite(
        "few",
        "select * from range(5) as numbers (n)",
        (
            promise(
                gxe.ExpectColumnValuesToBeBetween,
                rule="few.below",
                severity="warning",
                owner="o",
                words="All are even.",
                broken="{unexpected} of {n:record|records} {unexpected:|is|are} odd: leave "
                "{unexpected:|it|them} out.",
                column="n",
                max_value=4 - n_odd,
            ),
        ),
    )
    (found,) = engine.validate([suite])
    assert found.sentence == told
