from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipelines.synth import workplace
from pipelines.synth.cohort import make
from pipelines.synth.faults import Export, exports, merged_learner, other_id
from pipelines.synth.parameters import shipped
from pipelines.synth.people import Block, make_block
from pipelines.synth.request import Request
from pipelines.synth.words import HOSTILE_TEXTS


def planted(mess: str, learners: int = 60) -> tuple[Block, list[Export]]:
    block = make_block(Request(learners=learners, mess=mess), 0)
    return block, exports(block, workplace.sheet(block, workplace.observe(block)))


@pytest.fixture(scope="module")
def messy() -> pl.DataFrame:
    _, made = planted("high")
    return pl.concat(
        [each.rows.with_columns(period=pl.lit(place)) for place, each in enumerate(made)]
    )


def test_every_kind_of_fault_is_planted_at_least_once(messy: pl.DataFrame) -> None:
    assert set(shipped().faults.rates) <= set(messy["fault"])


def test_without_mess_nothing_is_wrong_but_the_overlap_of_exports() -> None:
    _, made = planted("none")
    rows = pl.concat([each.rows for each in made])
    assert set(rows["fault"]) == {""}
    assert set(rows["outcome"]) == {"accepted", "duplicate"}
    repeated = rows.filter(pl.col("outcome") == "duplicate").drop("outcome")
    originals = rows.filter(pl.col("outcome") == "accepted").drop("outcome")
    assert repeated.height > 50
    assert repeated.join(originals, on=repeated.columns, how="anti").is_empty()


def test_more_mess_has_more_faults() -> None:
    counts = [
        sum((each.rows["fault"] != "").sum() for each in planted(mess)[1])
        for mess in ("none", "low", "medium", "high")
    ]
    assert counts == sorted(counts)
    assert len(set(counts)) == 4


def test_a_withdrawal_comes_before_or_after_its_target(messy: pl.DataFrame) -> None:
    withdrawn = messy.filter(pl.col("Status") == "withdrawn")
    targets = messy.filter(pl.col("outcome") == "voided")
    joined = withdrawn.join(targets, on="Form ID", suffix="_target")
    assert joined.height == withdrawn.height == targets.height > 1
    later = joined.filter(pl.col("fault") == "void_after")
    earlier = joined.filter(pl.col("fault") == "void_before")
    assert (later["period"] == later["period_target"] + 1).all()
    assert (earlier["period"] == earlier["period_target"] - 1).all()


def test_an_amended_form_supersedes_the_one_of_the_export_before(messy: pl.DataFrame) -> None:
    amended = messy.filter(pl.col("fault") == "amended_form")
    old = messy.filter(pl.col("outcome") == "superseded")
    joined = amended.join(old, on="Form ID", suffix="_old")
    assert joined.height == amended.height == old.height > 0
    assert (joined["What to work on"] != joined["What to work on_old"]).all()


def test_no_record_is_accepted_twice(messy: pl.DataFrame) -> None:
    accepted = messy.filter(
        pl.col("outcome").str.starts_with("accepted") & (pl.col("Status") != "withdrawn")
    )
    assert accepted["Form ID"].is_unique().all()


def test_a_late_form_is_in_the_export_of_the_day_it_was_handed_in(messy: pl.DataFrame) -> None:
    late = messy.filter(pl.col("fault") == "late_form").with_columns(
        pl.col("Observed", "Submitted").str.to_datetime("%d.%m.%Y %H:%M")
    )
    assert late.height > 5
    delay = (late["Submitted"] - late["Observed"]).dt.total_days()
    assert delay.min() >= 60


def test_a_merged_person_stands_in_the_sheets_under_both_ids() -> None:
    block, made = planted("medium")
    learner = merged_learner(block)
    assert learner is not None
    own = block.learners.ids[learner]
    students = {name.lower() for each in made for name in each.rows["Student"] if name != ""}
    assert {own, other_id(own)} <= students


def test_hostile_texts_reach_the_file_unchanged(tmp_path: Path) -> None:
    made = make(Request(learners=40, mess="high", format="jsonl"), tmp_path / "inbox")
    faults = pl.read_parquet(made.truth / "faults.parquet").filter(pl.col("kind") == "hostile_text")
    assert faults.height > 4
    for fault in faults.iter_rows(named=True):
        row = pl.read_ndjson(made.out / fault["file"], infer_schema_length=None)[fault["row"] - 1]
        assert row["Form ID"][0] == fault["record_id"]
        assert row["What went well"][0] in HOSTILE_TEXTS


def test_exports_come_in_several_encodings_without_losing_a_letter(tmp_path: Path) -> None:
    made = make(Request(learners=40), tmp_path / "inbox")
    faults = pl.read_parquet(made.truth / "faults.parquet").filter(
        pl.col("kind") == "mixed_encodings"
    )
    assert set(faults["detail"]) == {"windows-1252", "utf-16"}
    for fault in faults.iter_rows(named=True):
        text = (made.out / fault["file"]).read_bytes().decode(fault["detail"])
        assert "café" in text
        assert "naïve" in text


def test_the_same_export_sent_twice_has_the_same_bytes(tmp_path: Path) -> None:
    made = make(Request(learners=40), tmp_path / "inbox")
    faults = pl.read_parquet(made.truth / "faults.parquet")
    (again,) = faults.filter(pl.col("kind") == "duplicate_export").to_dicts()
    one, other = made.out / again["file"], made.out / again["detail"]
    assert one.read_bytes() == other.read_bytes()
