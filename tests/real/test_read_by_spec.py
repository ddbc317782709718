"""Real tables in odd shapes become the records that they should, by their specs alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from pipelines.intake.checkers import Verdict
from pipelines.intake.feeds import load_feeds
from pipelines.intake.preview import by_source
from pipelines.intake.read import ReadReport, read_file
from pipelines.measurement.items import kr20
from pipelines.settings import Settings
from pipelines.sources import catalogue as catalogues
from tests.real.real_data import SITE, data_folder

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not data_folder().is_dir(), reason=f"no shared test data in {data_folder()}"
    ),
]
SETTINGS = Settings(site=SITE)
EXAMS = "exam_items/"


@dataclass(frozen=True)
class Found:
    report: ReadReport
    folder: Path

    def records(self, kind: str) -> pl.DataFrame:
        return pl.read_parquet(self.folder / f"records-{kind}-*.parquet")


def read(source: str, file: str, folder: Path, *, without: str = "") -> Found:
    """Read a file by a spec of the test site, perhaps with one line of it left out."""
    catalogue = catalogues.load(SETTINGS)
    if without:
        path = folder / "specs" / f"{source}.yaml"
        path.parent.mkdir()
        text = (SITE / "sources" / f"{source}.yaml").read_text(encoding="utf-8")
        kept = [line for line in text.splitlines() if not line.strip().startswith(without)]
        assert len(kept) == len(text.splitlines()) - 1
        path.write_text("\n".join(kept), encoding="utf-8")
        catalogue = catalogues.load_folders([path.parent], catalogue.codes)
    into = folder / source
    into.mkdir()
    found = Found(read_file(data_folder() / file, catalogue.sources[source], catalogue, into), into)
    assert found.report.error is None
    return found


def matrix(records: pl.DataFrame, value: pl.Expr) -> pl.DataFrame:
    """Return records as a table of persons by items."""
    table = records.select("learner_id", "item_id", value.cast(pl.Float64).alias("value"))
    return table.pivot(on="item_id", index="learner_id", values="value")


def accepted(source: str, file: str) -> tuple[int, list[Verdict]]:
    feeds = load_feeds(SETTINGS)
    verdicts = list(by_source(feeds[source], SETTINGS, data_folder() / file))
    return len(verdicts), [verdict for verdict in verdicts if verdict.problems]


def test_answers_and_their_key_give_the_reliability_that_was_published(tmp_path: Path) -> None:
    answers = read("hci_answers", f"{EXAMS}sia_HCItest.csv", tmp_path).records("exam_response")
    key = read("hci_key", f"{EXAMS}sia_HCIkey.csv", tmp_path).records("task")
    assert (answers.height, key.height) == (651 * 20, 20)
    joined = answers.join(
        key.select(item_id=pl.col("task_id"), key=pl.col("answer_key")), on="item_id"
    )
    assert joined.height == answers.height
    scores = matrix(joined, pl.col("response") == pl.col("key"))
    assert round(kr20(scores[:, 1:].to_numpy()), 4) == 0.7155
    original = pl.read_csv(data_folder() / EXAMS / "sia_HCItest.csv")["total"]
    assert scores[:, 1:].sum_horizontal().to_list() == original.to_list()
    assert accepted("hci_key", f"{EXAMS}sia_HCIkey.csv") == (20, [])


def test_right_and_wrong_items_give_the_reliability_that_was_published(tmp_path: Path) -> None:
    records = read("msatb", f"{EXAMS}sia_MSATB.csv", tmp_path).records("exam_response")
    assert records.height == 1407 * 20
    assert round(kr20(matrix(records, pl.col("score"))[:, 1:].to_numpy()), 4) == 0.7664


def test_a_test_taken_twice_becomes_two_sittings(tmp_path: Path) -> None:
    found = read("learning_to_learn", f"{EXAMS}sia_LearningToLearn.csv", tmp_path)
    records = found.records("exam_response")
    assert records.height == 782 * 41 * 2
    sums = records.group_by("learner_id", "sitting_id").agg(pl.col("score").cast(pl.Int64).sum())
    original = pl.read_csv(data_folder() / EXAMS / "sia_LearningToLearn.csv")
    for grade in ("6", "9"):
        expected = original[f"score_{grade}"].to_list()
        by_learner = dict(sums.filter(sitting_id=grade).select("learner_id", "score").rows())
        assert [by_learner[f"pupil-{n}"] for n in range(1, 783)] == expected
    assert records["occurred_at"].n_unique() == 2


def test_judges_across_and_items_down_become_one_row_a_judgement(tmp_path: Path) -> None:
    file = "raters/immer_data.immer10.csv"
    records = read("standard_setting", file, tmp_path).records("exam_response")
    assert (records.height, records["examiner_id"].n_unique()) == (61 * 13, 13)
    original = pl.read_csv(data_folder() / file)
    (score,) = records.filter(item_id="I03", examiner_id="judge-05")["score"]
    assert int(score) == original.filter(item="I03")["R05"].item()
    assert accepted("standard_setting", file) == (61 * 13, [])


MANGLED = "oulad/excel_mangled/studentInfo_gbk_exceldates.csv"


def same(clean: pl.DataFrame, other: pl.DataFrame) -> bool:
    shown = [name for name in clean.columns if name != "notes"]
    return clean.select(shown).equals(other.select(shown))


def test_cells_that_excel_made_days_of_are_repaired_by_a_declared_rule(tmp_path: Path) -> None:
    clean = read("oulad_students", "oulad/studentInfo.csv", tmp_path)
    mangled = read("oulad_students_mangled", MANGLED, tmp_path)
    for kind in ("learner_stage", "demographics"):
        assert same(clean.records(kind), mangled.records(kind))
    notes = (
        mangled.records("demographics")
        .explode("notes")
        .select(pl.col("notes").struct.field("code"), pl.col("notes").struct.field("detail"))
    )
    repaired = notes.filter(pl.col("code") == "label_repaired")
    assert repaired.height == 3516
    assert repaired["detail"].unique().to_list() == ["10月20日 read as 10-20%"]
    assert mangled.report.facts["encoding"] == "gb18030"


def test_cells_that_excel_made_days_of_are_refused_where_no_rule_repairs_them(
    tmp_path: Path,
) -> None:
    found = read("oulad_students_mangled", MANGLED, tmp_path, without="repair:")
    problems = (
        found.records("demographics")
        .explode("problems")
        .select(pl.col("problems").struct.field("code"), pl.col("problems").struct.field("value"))
        .drop_nulls("code")
    )
    assert problems.height == 3516
    assert problems.unique().rows() == [("unknown_label", "10月20日")]


def test_quoted_cells_and_question_marks_read_like_the_clean_file(tmp_path: Path) -> None:
    clean = read("oulad_registrations", "oulad/studentRegistration.csv", tmp_path)
    other = read(
        "oulad_registrations_mangled",
        "oulad/excel_mangled/studentRegistration_quoted_questionmarks.csv",
        tmp_path,
    )
    assert clean.report.records == other.report.records == {"learner_stage": 32593}
    assert same(clean.records("learner_stage"), other.records("learner_stage"))
