from __future__ import annotations

import json
from pathlib import Path

import duckdb
import numpy as np
import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.home import Home
from pipelines.measurement.refusal import UnmeasurableError
from pipelines.measurement.standard_setting import borderline_regression
from pipelines.warehouse import standards
from pipelines.warehouse.cut_scores import kept
from pipelines.warehouse.editions import DATABASE

SITTING = {"programme_id": "MED", "task_id": "OSCE", "sitting_id": "S1"}
GRADES = ("fail", "borderline", "pass", "good")
CODES = dict(zip(GRADES, range(4), strict=True))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home whose current edition holds one OSCE of 40 learners at three stations."""
    home = Home.open(tmp_path / "home")
    edition = home.editions / "e1"
    edition.mkdir(parents=True)
    (home.editions / "current").symlink_to("e1")
    rng = np.random.default_rng(8)
    rows = []
    for learner in range(40):
        ability = rng.normal()
        for station in range(3):
            grade = int(np.clip(np.rint(1.5 + ability + rng.normal(0, 0.5)), 0, 3))
            points = 8 + 3 * grade + rng.normal(0, 1)
            rows.append((f"k{learner:02}", f"s{station}", round(points, 2), GRADES[grade]))
    with duckdb.connect(str(edition / DATABASE)) as connection:
        connection.execute(
            "create table fct_exam_response (programme_id varchar, task_id varchar, "
            "sitting_id varchar, sitting_key varchar, station_id varchar, item_id varchar, "
            "points decimal(18, 6), global_rating varchar, is_banked boolean)"
        )
        connection.executemany(
            "insert into fct_exam_response values "
            "('MED', 'OSCE', 'S1', ?, ?, 'checklist', ?, ?, false)",
            rows,
        )
        connection.execute(
            "create table fct_exam_sitting as select programme_id, task_id, sitting_id, "
            "sitting_key, sum(points) as points, false as is_banked from fct_exam_response "
            "group by all"
        )
    return home


@pytest.fixture
def edition_found(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    monkeypatch.setattr(standards, "folder_of", lambda home, _: home.editions / "e1")


@pytest.mark.usefixtures("edition_found")
def test_an_osce_gets_a_cut_score_a_station_and_their_sum(home: Home) -> None:
    whole, *stations = standards.borderline_regression(
        home,
        SITTING,
        "exam board",
        {
            "grades": CODES,
            "borderline": "borderline",
            "positions": {"published": {"fail": 0, "borderline": 0.33, "pass": 0.55, "good": 1}},
        },
    )
    assert [one.station_id for one in stations] == ["s0", "s1", "s2"]
    assert whole.station_id is None
    assert whole.cut_score == pytest.approx(sum(one.cut_score for one in stations))
    assert whole.standard_error == pytest.approx(
        np.sqrt(sum(one.standard_error**2 for one in stations))
    )
    assert 0 <= whole.parameters["minimum_stations"] <= 3
    with duckdb.connect(str(home.editions / "e1" / DATABASE)) as connection:
        alone = connection.execute(
            "select points::double, global_rating from fct_exam_response where station_id = 's1'"
        ).fetchall()
    line = borderline_regression(
        np.array([points for points, _ in alone]),
        np.array([float(CODES[grade]) for _, grade in alone]),
        1,
    )
    assert stations[1].cut_score == pytest.approx(line.cut_score)
    assert (stations[1].rmse, stations[1].r_squared) == pytest.approx((line.rmse, line.r_squared))
    assert stations[1].sensitivity["published"] != pytest.approx(stations[1].cut_score)


@pytest.mark.usefixtures("edition_found")
@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({}, "Give grades"),
        ({"grades": CODES, "borderline": "so-so"}, "none of the grades"),
        ({"grades": {"fail": 0, "borderline": 1}, "borderline": "borderline"}, "good, pass"),
    ],
)
def test_grades_that_are_not_told_are_asked_for(home: Home, parameters, words: str) -> None:
    with pytest.raises(UnmeasurableError, match=words):
        standards.borderline_regression(home, SITTING, "exam board", parameters)


@pytest.mark.usefixtures("edition_found")
def test_cohen_uses_the_totals_of_the_edition_and_refuses_other_parameters(home: Home) -> None:
    (found,) = standards.from_totals(home, SITTING, "cohen", "exam board", {"share": 0.5})
    assert found.n_examinees == 40
    with pytest.raises(UnmeasurableError, match="does not take"):
        standards.from_totals(home, SITTING, "cohen", "exam board", {"shear": 0.5})


def run(*arguments: str):
    return CliRunner().invoke(app, ["cut-score", *arguments])


def test_the_command_keeps_what_a_panel_said_and_lists_it(home: Home, tmp_path: Path) -> None:
    panel = tmp_path / "panel.csv"
    panel.write_text("item,judge 1,judge 2\nQ1,0.5,0.7\nQ2,0.9,0.7\n")
    where = ("--programme", "MED", "--task", "MCQ", "--sitting", "S1", "--home", str(home.root))
    done = run("set", "angoff", *where, "--decided-by", "exam board", "--panel", str(panel))
    assert done.exit_code == 0, done.output
    assert "1.40 by angoff" in done.output
    assert "tessera run" in done.output
    (found,) = kept(home)
    assert found.panel == {"judge 1": pytest.approx(1.4), "judge 2": pytest.approx(1.4)}
    listed = run("list", "--home", str(home.root), "--json")
    assert json.loads(listed.output)["cut_score_id"] == found.cut_score_id


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("angoff",), "--panel"),
        (("guess",), "no method guess"),
        (("ebel", "--parameters", "[1]"), "no JSON object"),
        (("ebel",), "Give items"),
    ],
)
def test_wrong_use_is_told_with_what_to_do(home: Home, arguments, words: str) -> None:
    where = ("--programme", "MED", "--task", "X", "--sitting", "S", "--home", str(home.root))
    done = run("set", *arguments, *where, "--decided-by", "exam board")
    assert done.exit_code == 2
    assert words in " ".join(done.output.split())
    assert kept(home) == []


def test_a_home_without_cut_scores_says_how_to_set_one(home: Home) -> None:
    done = run("list", "--home", str(home.root))
    assert done.exit_code == 1
    assert "cut-score set" in done.output
