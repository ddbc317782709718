"""The presets for requirements, circumstances and reports read what a school would send."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.home import Home
from pipelines.intake import read, receive, segment, validate
from pipelines.intake.records import interpretation_folder
from pipelines.intake.staging import Staging
from pipelines.settings import Settings

FILES = Path(__file__).parent / "deliveries"


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the accepted records of each preset, and the codes of those that were refused."""
    root: Path = tmp_path_factory.mktemp("presets")
    home, settings = Home.open(root), Settings(home=root, site=None, workers=1)
    for path in FILES.glob("*.csv"):
        (home.inbox / path.stem).mkdir()
        shutil.copyfile(path, home.inbox / path.stem / "export.csv")
    found = {}
    for delivery_id in receive.receive(home, settings, settle=0).pending:
        report = read.read(home, settings, delivery_id)
        validate.validate(home, settings, delivery_id)
        staging = Staging.of(home, delivery_id, report.interpretation_id)
        staging.check.write_text('{"verdict": "pass", "results": [], "hold": null}')
        record = segment.commit(home, settings, delivery_id)
        folder = interpretation_folder(home, delivery_id, record.interpretation_id)
        (kind,) = record.accepted_events
        found[record.source_id] = (
            pl.read_parquet(folder / f"{kind}.parquet").sort("source_row"),
            record.reasons,
        )
    return found


def test_requirements_have_a_state_a_count_or_a_certificate(taken_in: dict[str, Any]) -> None:
    frame, reasons = taken_in["example_requirements"]
    assert frame["status"].to_list() == ["met", "in_progress", "not_met"]
    assert frame["n_done"].to_list() == [None, 3, None]
    assert reasons == {"field_needed": 1}


def test_a_circumstance_is_seen_by_those_who_handle_it_unless_it_says_otherwise(
    taken_in: dict[str, Any],
) -> None:
    frame, reasons = taken_in["example_circumstances"]
    assert frame["need_to_know"].to_list() == ["committee", "case_holders"]
    assert frame["adjustment"].to_list() == ["a quarter more time", None]
    assert reasons == {"field_needed": 1}


def test_a_report_is_not_shown_to_the_learner_unless_it_says_so_and_names_no_patient(
    taken_in: dict[str, Any],
) -> None:
    frame, reasons = taken_in["example_conduct"]
    assert frame["need_to_know"].to_list() == ["mentor", "case_holders"]
    assert frame["is_shared_with_learner"].to_list() == [True, False]
    assert reasons == {"patient_identifier": 1}
    assert "reporter_pseudonym" in frame.columns
    assert "t1" not in frame["reporter_pseudonym"].to_list()
