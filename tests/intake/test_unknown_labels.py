"""Unknown labels wait, are suggested with what they may mean, and enter once they are approved."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import CliRunner, Result

from pipelines.cli import app
from pipelines.intake.unknown_labels import unknown_labels
from pipelines.sources import catalogue

HEADER = "Form;Student;EPA;Rating;Assessor;Observed;Comment\n"


def run(clinic: Any, *arguments: str) -> Result:
    return CliRunner(env={"TESSERA_SITE": str(clinic.site)}).invoke(
        app, ["crosswalk", *arguments, "--home", str(clinic.home.root)]
    )


def forms(*ratings: str) -> str:
    rows = (
        f"F{number};s1;EPA1;{rating};t1;05.03.2026;fine\n" for number, rating in enumerate(ratings)
    )
    return HEADER + "".join(rows)


def test_unknown_labels_are_counted_with_their_nearest_levels(clinic: Any) -> None:
    ratings = ("3", "Indirect superv.", "indirect  SUPERV.", "write to a@b.example")
    clinic.drop("forms", "a.csv", forms(*ratings))
    clinic.take_in()
    first, second = unknown_labels(clinic.home, catalogue.load(clinic.settings))
    assert (first.label, first.n_records, first.scale) == ("Indirect superv.", 2, "entrustment_5")
    assert first.nearest[0].level == "3"
    assert first.remedy.startswith("tessera crosswalk approve entrustment_5 'Indirect superv.' 3")
    assert second.is_masked
    assert "example" not in second.label


def test_an_approval_lets_waiting_records_in_and_counts_nothing_twice(clinic: Any) -> None:
    clinic.drop("forms", "a.csv", forms("3", "Lvl three", "lvl  THREE", "Lvl four"))
    clinic.take_in()
    assert clinic.totals() == {"accepted": 1, "quarantined": 3}
    assert clinic.take_in() == []

    suggested = run(clinic, "suggest", "--json")
    assert suggested.exit_code == 1
    assert {json.loads(line)["label"] for line in suggested.stdout.splitlines()} == {
        "Lvl three",
        "Lvl four",
    }
    approved = run(
        clinic, "approve", "entrustment_5", "Lvl three", "3", "--by", "A. Muster", "--json"
    )
    assert approved.exit_code == 0, approved.output
    assert json.loads(approved.stdout)["approved_by"] == "A. Muster"

    (again,) = clinic.take_in()
    assert again.n_events == 3
    assert clinic.totals() == {"accepted": 3, "quarantined": 1}
    left = run(clinic, "suggest", "--source", "forms", "--json")
    assert [json.loads(line)["label"] for line in left.stdout.splitlines()] == ["Lvl four"]


def test_nobody_in_particular_approves_nothing(clinic: Any) -> None:
    result = run(clinic, "approve", "entrustment_5", "Lvl three", "3", "--by", "system")
    assert result.exit_code == 2
    assert "names nobody" in result.stderr
    result = run(clinic, "approve", "no_scale", "Lvl three", "3", "--by", "A. Muster")
    assert result.exit_code == 2
    assert "no scale" in result.stderr


def test_an_unknown_source_is_told_and_no_label_is_good_news(clinic: Any) -> None:
    assert run(clinic, "suggest").exit_code == 0
    result = run(clinic, "suggest", "--source", "form")
    assert result.exit_code == 2
    assert "forms" in result.stderr
