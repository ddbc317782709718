"""The ledger against planted faults, fault by fault."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.validity.published import Edition, learner_keys
from pipelines.synth import xapi
from pipelines.synth.parameters import shipped
from pipelines.synth.words import HOSTILE_TEXTS

OUTCOMES = ("accepted", "duplicate", "superseded", "voided", "quarantined")
AS_EXPECTED, DIFFERS = "as expected", "differs"
VOIDS = ("void_after", "void_before")


def check(edition: Edition, truth: Path, added: Mapping[str, int] | None = None) -> dict[str, Any]:
    """Compare an edition with the faults and deliveries of a cohort's truth.

    Args:
        edition: what was published.
        truth: the folder of the cohort's truth.
        added: accepted records that others added to files of this cohort.

    Returns:
        `faults` with a verdict on each, `kinds` summed up, kinds that this cohort has none of, and
        `deliveries` with counts that differ.
    """
    faults = pl.read_parquet(truth / "faults.parquet")
    told = edition.frame("select * from programme_delivery")
    verdicts = pl.concat([_of_rows(edition, truth, faults, told), _of_files(faults, told)]).sort(
        "fault_id"
    )
    return {
        "faults": verdicts.to_dicts(),
        "kinds": _summed(verdicts).to_dicts(),
        "not_planted": _not_planted(verdicts),
        "deliveries": _balances(truth, told, added or {}),
    }


def _of_rows(
    edition: Edition, truth: Path, faults: pl.DataFrame, told: pl.DataFrame
) -> pl.DataFrame:
    """Judge faults of single rows by the facts that are there, or not."""
    facts = edition.frame(
        "select delivery_id, source_row, coalesce(form_record_id, record_id) as record_id, "
        "learner_key, timing_note, narrative_strengths from fct_evidence union all by name "
        "select delivery_id, source_row, record_id, learner_key from fct_ai_declaration "
        "where source_row is not null union all by name "
        "select delivery_id, source_row, record_id, learner_key from fct_decision"
    ).unique(["delivery_id", "source_row"])
    rows = (
        faults.filter(pl.col("row").is_not_null())
        .join(told.select("file", "delivery_id"), on="file", how="left")
        .join(
            facts.rename({"record_id": "fact_record"}),
            left_on=["delivery_id", "row"],
            right_on=["delivery_id", "source_row"],
            how="left",
        )
        .with_columns(is_there=pl.col("fact_record").is_not_null())
    )
    standing = facts.select(
        "record_id", key_anywhere="learner_key", still=pl.lit(value=True)
    ).unique("record_id")
    keys = learner_keys(edition, truth).rename({"learner_id": "detail", "learner_key": "own_key"})
    judged = rows.join(standing, on="record_id", how="left").join(keys, on="detail", how="left")
    is_statement = pl.col("file").str.starts_with(f"{xapi.SOURCE}/")
    counted_key = pl.when("is_there").then("learner_key").when(is_statement).then("key_anywhere")
    accepted = pl.col("expected").str.contains("accepted")
    refused = pl.col("expected").str.contains("quarantined|duplicate|superseded|voided")
    is_right = (
        pl.when(pl.col("kind").is_in(VOIDS))
        .then(pl.col("still").is_null())
        .when(pl.col("kind") == "hostile_text")
        .then(pl.col("is_there") & pl.col("narrative_strengths").is_in(HOSTILE_TEXTS))
        .when(pl.col("kind") == "merged_person")
        .then(counted_key == pl.col("own_key"))
        .when(pl.col("kind") == "reused_id")
        .then(
            (pl.col("learner_key") != pl.col("own_key"))
            | (pl.col("timing_note") == "before_enrolment")
        )
        .otherwise((accepted & pl.col("is_there")) | (refused & ~pl.col("is_there")))
    )
    verdict = pl.when(is_right).then(pl.lit(AS_EXPECTED)).otherwise(pl.lit(DIFFERS))
    return judged.select(
        "fault_id",
        "kind",
        "file",
        "row",
        "expected",
        found=pl.when("is_there").then(pl.lit("in the facts")).otherwise(pl.lit("not there")),
        verdict=verdict,
    )


def _of_files(faults: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
    """Judge faults of whole files by what became of the delivery."""
    own = told.select("file", "status", "n_receipts")
    original = own.rename({"file": "detail", "status": "of_original", "n_receipts": "arrivals"})
    files = (
        faults.filter(pl.col("row").is_null())
        .join(own, on="file", how="left")
        .join(original, on="detail", how="left")
    )
    found = pl.coalesce("status", pl.format("{} arrivals of one delivery", "arrivals"))
    is_right = (
        pl.when(pl.col("kind") == "duplicate_export")
        .then((pl.col("arrivals") == 2) & pl.col("status").is_null())
        .otherwise(pl.col("status") == pl.col("expected"))
    )
    return files.select(
        "fault_id",
        "kind",
        "file",
        "row",
        "expected",
        found=found.fill_null("not there"),
        verdict=pl.when(is_right.fill_null(value=False))
        .then(pl.lit(AS_EXPECTED))
        .otherwise(pl.lit(DIFFERS)),
    )


def _summed(verdicts: pl.DataFrame) -> pl.DataFrame:
    def n_of(verdict: str) -> pl.Expr:
        return (pl.col("verdict") == verdict).sum()

    return (
        verdicts.group_by("kind")
        .agg(
            planted=pl.len(),
            as_expected=n_of(AS_EXPECTED),
            differs=n_of(DIFFERS),
        )
        .sort("kind")
    )


def _not_planted(verdicts: pl.DataFrame) -> list[str]:
    """Return the kinds of faults that the parameters know and this cohort does not hold."""
    return sorted(set(shipped().faults.rates) - set(verdicts["kind"]))


def _balances(truth: Path, told: pl.DataFrame, added: Mapping[str, int]) -> dict[str, Any]:
    """Compare the counts of every delivery with what its rows should have given."""
    expected = pl.read_parquet(truth / "deliveries.parquet").filter(pl.col("status") == "committed")
    more = pl.DataFrame(
        {"file": list(added), "more": list(added.values())},
        schema={"file": pl.String, "more": pl.Int64},
    )
    both = (
        expected.join(told, on="file", how="left", suffix="_told")
        .join(more, on="file", how="left")
        .with_columns(n_accepted=pl.col("n_accepted") + pl.col("more").fill_null(0))
    )
    settled = _settled_among_copies(both)
    differences = []
    for row in both.filter(~pl.col("source").is_in(settled)).iter_rows(named=True):
        wrong = {
            outcome: {"expected": row[f"n_{outcome}"], "found": row[outcome]}
            for outcome in OUTCOMES
            if row[outcome] != row[f"n_{outcome}"]
        }
        if wrong:
            differences.append({"file": row["file"]} | wrong)
    return {
        "n": both.height,
        "copies_known_at_once": settled,
        "as_expected": both.height - len(differences),
        "differences": differences,
    }


def _settled_among_copies(both: pl.DataFrame) -> list[str]:
    """Return sources whose files differ only in which of two equal copies was counted.

    Exports overlap. A statement says itself since when it is known, so that its copies are known at
    the same moment, and either may be the one that is accepted.
    """
    of_source = (
        both.filter(pl.col("source") == xapi.SOURCE)
        .group_by("source")
        .agg(
            same=pl.all_horizontal(
                pl.col(outcome).sum() == pl.col(f"n_{outcome}").sum() for outcome in OUTCOMES
            ),
            differs=pl.any_horizontal(
                (pl.col(outcome) != pl.col(f"n_{outcome}")).any() for outcome in OUTCOMES
            ),
        )
    )
    settled: list[str] = of_source.filter("same", "differs")["source"].sort().to_list()
    return settled
