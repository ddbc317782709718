"""The report on an edition that is right by construction, and on one that is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pytest

from benchmarks.validity import ledger, published
from benchmarks.validity.ledger import AS_EXPECTED, DIFFERS
from pipelines.synth.cohort import make
from pipelines.synth.request import Request

Change = Callable[[duckdb.DuckDBPyConnection], object]
FACTS = {
    "delivery_id": pl.String,
    "source_row": pl.Int64,
    "record_id": pl.String,
    "learner_key": pl.String,
    "timing_note": pl.String,
    "narrative_strengths": pl.String,
    "kind": pl.String,
}


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cohort") / "inbox"
    return make(Request(learners=30, years=2, format="jsonl"), out).truth


def perfect(truth: Path, folder: Path) -> Path:
    """Write an edition in which everything is as the truth says."""
    deliveries = pl.read_parquet(truth / "deliveries.parquet")
    again = pl.read_parquet(truth / "faults.parquet").filter(pl.col("kind") == "duplicate_export")
    told = deliveries.select(
        "file",
        "status",
        delivery_id=pl.col("file"),
        n_receipts=1 + pl.col("file").is_in(again["detail"].to_list()).cast(pl.Int64),
        **{name: pl.col(f"n_{name}") for name in ledger.OUTCOMES},
    )
    keys = pl.read_parquet(truth / "learners/*.parquet").select("learner_id", "other_id")
    out = truth.with_name("inbox")
    parts = []
    faults = pl.read_parquet(truth / "faults.parquet")
    for path in sorted((out / "example_forms").glob("forms_to_*.jsonl")):
        file = path.relative_to(out).as_posix()
        rows = pl.read_ndjson(path, infer_schema_length=None).with_row_index("source_row", offset=1)
        bad = faults.filter(
            (pl.col("file") == file) & ~pl.col("expected").str.contains("accepted")
        )["row"]
        parts.append(
            rows.filter(
                ~pl.col("source_row").is_in(bad.to_list()) & (pl.col("Status") != "withdrawn")
            ).select(
                delivery_id=pl.lit(file),
                source_row=pl.col("source_row").cast(pl.Int64),
                record_id=pl.col("Form ID"),
                learner_id=pl.col("Student").str.to_lowercase(),
                narrative_strengths=pl.col("What went well"),
            )
        )
    own = pl.concat(
        [
            keys.select("learner_id", key="learner_id"),
            keys.drop_nulls().select(learner_id="other_id", key="learner_id"),
        ]
    )
    reused = faults.filter(pl.col("kind") == "reused_id")["record_id"]
    voided = faults.filter(pl.col("kind").str.contains("void"))["record_id"]
    facts = (
        pl.concat(parts)
        .filter(~pl.col("record_id").is_in(voided.to_list()))
        .join(own, on="learner_id", how="left")
        .select(
            "delivery_id",
            "source_row",
            "record_id",
            form_record_id="record_id",
            learner_key=pl.col("key").fill_null("unknown"),
            timing_note=pl.when(pl.col("record_id").is_in(reused.to_list())).then(
                pl.lit("before_enrolment")
            ),
            narrative_strengths="narrative_strengths",
            kind=pl.lit("workplace_assessment"),
        )
    )
    nothing = pl.DataFrame(schema=FACTS)
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(folder / published.DATABASE)) as con:
        tables = {
            "programme_delivery": told,
            "fct_evidence": facts,
            "fct_ai_declaration": nothing,
            "fct_decision": nothing,
        }
        for name, table in tables.items():
            con.register("given", table.to_arrow())
            con.execute(f"create table {name} as select * from given")
            con.unregister("given")
    return folder


def judged(truth: Path, folder: Path, change: Change | None = None) -> dict[str, pl.DataFrame]:
    edition = perfect(truth, folder)
    if change is not None:
        with duckdb.connect(str(edition / published.DATABASE)) as con:
            change(con)
    with published.opened(edition) as opened:
        told = ledger.check(opened, truth)
    return {
        "faults": pl.DataFrame(told["faults"]),
        "differences": pl.DataFrame(told["deliveries"]["differences"]),
    }


def verdicts(found: dict[str, pl.DataFrame], kind: str) -> list[str]:
    return found["faults"].filter(pl.col("kind") == kind)["verdict"].to_list()


def test_an_edition_as_the_truth_says_has_no_difference(truth: Path, tmp_path: Path) -> None:
    found = judged(truth, tmp_path)
    wrong = found["faults"].filter(pl.col("verdict") != AS_EXPECTED)
    assert wrong.is_empty(), wrong
    assert found["differences"].is_empty()
    assert found["faults"]["kind"].n_unique() > 20


def test_a_lost_record_is_named(truth: Path, tmp_path: Path) -> None:
    late = pl.read_parquet(truth / "faults.parquet").filter(pl.col("kind") == "late_form")
    lost = late["record_id"][0]
    found = judged(
        truth,
        tmp_path,
        lambda con: con.execute("delete from fct_evidence where record_id = ?", [lost]),
    )
    assert verdicts(found, "late_form").count(DIFFERS) == 1


def test_a_withdrawn_record_that_still_counts_is_named(truth: Path, tmp_path: Path) -> None:
    faults = pl.read_parquet(truth / "faults.parquet")
    (target,) = faults.filter(pl.col("kind") == "void_before_target").head(1).to_dicts()
    found = judged(
        truth,
        tmp_path,
        lambda con: con.execute(
            "insert into fct_evidence by name select ? as delivery_id, ? as source_row, "
            "? as record_id, record_id as form_record_id, 'k' as learner_key, "
            "'workplace_assessment' as kind",
            [target["file"], target["row"], target["record_id"]],
        ),
    )
    assert DIFFERS in verdicts(found, "void_before")
    assert DIFFERS in verdicts(found, "void_before_target")


def test_a_person_split_in_two_is_named(truth: Path, tmp_path: Path) -> None:
    faults = pl.read_parquet(truth / "faults.parquet")
    one = faults.filter(pl.col("kind") == "merged_person")["record_id"][0]
    found = judged(
        truth,
        tmp_path,
        lambda con: con.execute(
            "update fct_evidence set learner_key = 'other' where record_id = ?", [one]
        ),
    )
    assert verdicts(found, "merged_person").count(DIFFERS) == 1


def test_a_text_that_was_changed_on_the_way_is_named(truth: Path, tmp_path: Path) -> None:
    faults = pl.read_parquet(truth / "faults.parquet")
    one = faults.filter(pl.col("kind") == "hostile_text")["record_id"][0]
    found = judged(
        truth,
        tmp_path,
        lambda con: con.execute(
            "update fct_evidence set narrative_strengths = trim(narrative_strengths) || '.' "
            "where record_id = ?",
            [one],
        ),
    )
    assert verdicts(found, "hostile_text").count(DIFFERS) == 1


def test_a_record_with_a_patient_identifier_that_is_not_held_differs(
    truth: Path, tmp_path: Path
) -> None:
    faults = pl.read_parquet(truth / "faults.parquet")
    named = faults.filter(pl.col("kind") == "patient_identifier").to_dicts()

    def accept(con: duckdb.DuckDBPyConnection) -> None:
        for each in named:
            con.execute(
                "insert into fct_evidence by name select ? as delivery_id, ? as source_row, "
                "? as record_id, record_id as form_record_id, 'k' as learner_key, "
                "'workplace_assessment' as kind",
                [each["file"], each["row"], each["record_id"]],
            )

    found = judged(truth, tmp_path, accept)
    assert set(verdicts(found, "patient_identifier")) == {DIFFERS}


def test_kinds_of_faults_that_a_cohort_holds_none_of_are_named(truth: Path, tmp_path: Path) -> None:
    perfect(truth, tmp_path)
    with published.opened(tmp_path) as edition:
        assert ledger.check(edition, truth)["not_planted"] == []
    planted = pl.read_parquet(truth / "faults.parquet")
    without = planted.filter(pl.col("kind") != "hostile_text")
    assert ledger._not_planted(without.select("kind")) == ["hostile_text"]


def test_counts_that_do_not_balance_are_named_by_delivery(truth: Path, tmp_path: Path) -> None:
    found = judged(
        truth,
        tmp_path,
        lambda con: con.execute(
            "update programme_delivery set accepted = accepted - 1 "
            "where file = 'example_msf/msf_to_20261120.jsonl'"
        ),
    )
    (row,) = found["differences"].to_dicts()
    assert row["file"] == "example_msf/msf_to_20261120.jsonl"
    assert row["accepted"]["expected"] == row["accepted"]["found"] + 1
