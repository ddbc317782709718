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
from pipelines.warehouse import sittings, standards
from pipelines.warehouse.cut_scores import kept
from pipelines.warehouse.editions import DATABASE

SITTING = {"programme_id": "MED", "task_id": "OSCE", "sitting_id": "S1"}
GRADES = ("fail", "borderline", "pass", "good")
CODES = dict(zip(GRADES, range(4), strict=True))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home whose current edition holds an OSCE of 40 learners at three stations, and an MCQ."""
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
            "sitting_id varchar, sitting_key varchar, learner_key varchar, attempt bigint, "
            "station_id varchar, item_id varchar, examiner_key varchar, "
            "points decimal(18, 6), max_points decimal(18, 6), global_rating varchar, "
            "item_outcome varchar, is_banked boolean, points_wrong decimal(18, 6))"
        )
        connection.execute(
            "create table dim_task (programme_id varchar, task_id varchar, scoring_rule varchar, "
            "points_right decimal(18, 6), points_wrong decimal(18, 6))"
        )
        connection.executemany(
            "insert into fct_exam_response select 'MED', 'OSCE', 'S1', key, key, 1, station, "
            "'checklist', 'A-1', points, 20, grade, 'scored', false, null "
            "from (values (?, ?, ?, ?)) as given (key, station, points, grade)",
            rows,
        )
        connection.executemany(
            "insert into fct_exam_response select 'MED', 'MCQ', 'S1', key, key, 1, null, item, "
            "null, points, most, null, 'right', false, null "
            "from (values (?, ?, ?, ?)) as given (key, item, points, most)",
            [
                (f"m{learner:02}", item, points, points)
                for learner in range(12)
                for item, points in (("Q1", 1), ("Q2", 3))
            ],
        )
        connection.execute(
            "create table fct_exam_sitting as select programme_id, task_id, sitting_id, "
            "sitting_key, learner_key, attempt, sum(points) as points, "
            "sum(max_points) as max_points, false as is_banked from fct_exam_response group by all"
        )
        connection.execute(
            "insert into fct_exam_sitting values ('MED', 'TOTALS', 'S1', 't', 't', 1, 2, 2, false)"
        )
    return home


@pytest.fixture
def edition_found(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    monkeypatch.setattr(sittings, "folder_of", lambda home, _: home.editions / "e1")


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
    assert (whole.max_score, stations[0].max_score) == (60, 20)
    assert whole.sensitivity.keys() == {"published", "wider_above", "wider_below"}
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
def test_a_line_that_is_read_beyond_all_grades_is_told_as_extrapolated(home: Home) -> None:
    with duckdb.connect(str(home.editions / "e1" / DATABASE)) as connection:
        connection.execute(
            "update fct_exam_response set global_rating = 'pass' "
            "where station_id = 's0' and global_rating in ('fail', 'borderline')"
        )
    given = {"grades": CODES, "borderline": "borderline"}
    whole, *stations = standards.borderline_regression(home, SITTING, "exam board", given)
    assert [one.parameters["is_extrapolated"] for one in stations] == [True, False, False]
    assert whole.parameters["is_extrapolated"]


@pytest.mark.usefixtures("edition_found")
def test_who_was_not_presented_with_the_whole_exam_is_no_part_of_the_cohort(home: Home) -> None:
    with duckdb.connect(str(home.editions / "e1" / DATABASE)) as connection:
        connection.execute(
            "update fct_exam_sitting set points = 0, max_points = 1 "
            "where task_id = 'MCQ' and sitting_key = 'm00'"
        )
        connection.execute(
            "insert into fct_exam_sitting values "
            "('MED', 'TOTALS', 'S1', 'p', 'p', 1, 60, 100, false)"
        )
    (found,) = standards.from_totals(home, MCQ, "cohen", "exam board", {})
    assert found.n_examinees == 11
    with pytest.raises(UnmeasurableError, match="1 examinee is too few"):
        standards.from_totals(home, TOTALS, "cohen", "exam board", {})
    with duckdb.connect(str(home.editions / "e1" / DATABASE)) as connection:
        connection.execute("update fct_exam_sitting set max_points = 2 where task_id = 'MCQ'")
    with pytest.raises(UnmeasurableError, match=r"None of 12 .* out of all 4 points"):
        standards.from_totals(home, MCQ, "cohen", "exam board", {})


@pytest.mark.usefixtures("edition_found")
def test_where_two_examiners_differ_the_grade_lies_between_theirs(home: Home) -> None:
    given = {"grades": CODES, "borderline": "borderline"}
    with duckdb.connect(str(home.editions / "e1" / DATABASE)) as connection:
        connection.execute(
            "insert into fct_exam_response select * replace ('A-2' as examiner_key, "
            "case global_rating when 'fail' then 'good' else 'fail' end as global_rating) "
            "from fct_exam_response where station_id = 's1' and sitting_key < 'k20'"
        )
        told = connection.execute(
            "select avg(points)::double, list(global_rating) from fct_exam_response "
            "where station_id = 's1' group by sitting_key"
        ).fetchall()
    _, _, station, _ = standards.borderline_regression(home, SITTING, "exam board", given)
    line = borderline_regression(
        np.array([points for points, _ in told]),
        np.array([np.mean([CODES[grade] for grade in grades]) for _, grades in told]),
        1,
    )
    assert (station.station_id, station.n_examinees) == ("s1", 40)
    assert station.cut_score == pytest.approx(line.cut_score)
    assert station.slope == pytest.approx(line.slope)


@pytest.mark.usefixtures("edition_found")
def test_a_second_attempt_at_a_sitting_makes_nobody_two_examinees(home: Home) -> None:
    given = {"grades": CODES, "borderline": "borderline"}
    before = standards.borderline_regression(home, SITTING, "exam board", given)
    (cohen,) = standards.from_totals(home, SITTING, "cohen", "exam board", {"share": 0.5})
    with duckdb.connect(str(home.editions / "e1" / DATABASE)) as connection:
        for table in ("fct_exam_response", "fct_exam_sitting"):
            connection.execute(
                f"insert into {table} select * replace (2 as attempt, 20 as points, "
                f"sitting_key || '-2' as sitting_key) from {table} where task_id = 'OSCE'"
            )
    assert standards.borderline_regression(home, SITTING, "exam board", given) == before
    assert standards.from_totals(home, SITTING, "cohen", "exam board", {"share": 0.5}) == [cohen]


@pytest.mark.usefixtures("edition_found")
@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({}, "Give grades"),
        ({"grades": CODES, "borderline": "so-so"}, "none of the grades"),
        ({"grades": {"fail": 0, "borderline": 1}, "borderline": "borderline"}, "good, pass"),
        ({"grades": CODES | {"good": 2}, "borderline": "borderline"}, "same code"),
        ({"grades": CODES | {"good": 2.5}, "borderline": "borderline"}, "whole numbers"),
        ({"grades": CODES, "borderline": "borderline", "positions": {"a": {}}}, "give one for"),
        ({"grades": CODES, "borderlin": "borderline"}, "does not take borderlin"),
    ],
)
def test_grades_that_are_not_told_are_asked_for(home: Home, parameters, words: str) -> None:
    with pytest.raises(UnmeasurableError, match=words):
        standards.borderline_regression(home, SITTING, "exam board", parameters)


@pytest.mark.usefixtures("edition_found")
def test_the_minimum_of_stations_rests_on_those_who_met_all(home: Home) -> None:
    given = {"grades": CODES, "borderline": "borderline"}
    with duckdb.connect(str(home.editions / "e1" / DATABASE)) as connection:
        connection.execute(
            "delete from fct_exam_response where station_id = 's2' and sitting_key = 'k07'"
        )
    whole, *_ = standards.borderline_regression(home, SITTING, "exam board", given)
    assert whole.parameters["n_met_every_station"] == 39
    assert 0 <= whole.parameters["minimum_stations"] <= 3
    with duckdb.connect(str(home.editions / "e1" / DATABASE)) as connection:
        connection.execute(
            "delete from fct_exam_response where station_id = 's1' and sitting_key < 'k20' "
            "or station_id = 's2' and sitting_key >= 'k25'"
        )
    whole, *_ = standards.borderline_regression(home, SITTING, "exam board", given)
    assert whole.parameters["minimum_stations"] is None
    assert "too few" in whole.parameters["why_no_minimum"]


@pytest.mark.usefixtures("edition_found")
def test_distances_of_grades_are_tried_without_being_asked_for(home: Home) -> None:
    given = {"grades": CODES, "borderline": "borderline"}
    whole, *stations = standards.borderline_regression(home, SITTING, "exam board", given)
    assert whole.sensitivity == pytest.approx(
        {
            name: sum(one.sensitivity[name] for one in stations)
            for name in ("wider_above", "wider_below")
        }
    )
    assert len({*whole.sensitivity.values(), whole.cut_score}) == 3


@pytest.mark.usefixtures("edition_found")
def test_a_station_that_carries_no_cut_score_is_named(home: Home) -> None:
    with duckdb.connect(str(home.editions / "e1" / DATABASE)) as connection:
        connection.execute(
            "update fct_exam_response set points = 20 - points where station_id = 's1'"
        )
    with pytest.raises(UnmeasurableError, match="Station s1: Scores do not rise"):
        standards.borderline_regression(
            home, SITTING, "exam board", {"grades": CODES, "borderline": "borderline"}
        )


@pytest.mark.usefixtures("edition_found")
def test_cohen_uses_the_totals_of_the_edition(home: Home) -> None:
    (found,) = standards.from_totals(home, SITTING, "cohen", "exam board", {"share": 0.5})
    assert (found.n_examinees, found.max_score) == (40, 60)


@pytest.mark.usefixtures("edition_found")
@pytest.mark.parametrize(
    ("method", "parameters", "words"),
    [
        ("cohen", {"shear": 0.5}, "cohen does not take shear: it takes share"),
        ("cohen", {"share": "0.6"}, 'share is a number, not "0.6"'),
        ("cohen", {"share": True}, "share is a number"),
        ("cohen", {"guess_score": float("nan")}, "guess_score is a number"),
        ("hofstee", {"min_cut": 20}, "hofstee needs max_cut, min_fail, max_fail"),
        ("ebel", {"items": {"easy": 60}, "expected": {"easy": "all"}}, "expected, easy, is a num"),
        ("ebel", {"items": {"easy": 20}, "expected": {"easy": 1}}, "offer 20 .* sitting 60"),
        ("ebel", {"items": {"easy": 60}, "expected": {"easy": 1}, "x": 1}, "does not take x"),
        ("angoff", {"share": 1}, "takes no --parameters"),
    ],
)
def test_what_a_method_does_not_take_is_named(
    home: Home, tmp_path: Path, method: str, parameters, words: str
) -> None:
    panel = tmp_path / "panel.csv"
    panel.touch()
    with pytest.raises(UnmeasurableError, match=words):
        standards.set_by(
            home, SITTING, method, "exam board", parameters, [panel] if method == "angoff" else ()
        )


@pytest.mark.usefixtures("edition_found")
def test_a_sitting_that_is_not_in_the_edition_is_refused(home: Home) -> None:
    other = SITTING | {"sitting_id": "S9"}
    with pytest.raises(UnmeasurableError, match=r"no sitting S9 of OSCE.*it has S1"):
        standards.from_totals(home, other, "cohen", "exam board", {})


def test_a_cut_score_that_nobody_can_reach_or_miss_is_refused() -> None:
    for cut in (-0.5, 60.5):
        with pytest.raises(UnmeasurableError, match="from 0 to 60"):
            standards._record(SITTING, "cohen", "exam board", cut, max_score=60)


MCQ = SITTING | {"task_id": "MCQ"}
TOTALS = SITTING | {"task_id": "TOTALS"}


def panel_of(folder: Path, *lines: str) -> Path:
    path = folder / "panel.csv"
    path.write_text("\n".join(lines))
    return path


@pytest.mark.usefixtures("edition_found")
@pytest.mark.parametrize(
    ("sitting", "lines", "words"),
    [
        (MCQ, ["item,a,b", "Q1,0.5,0.5"], "1 of 2 items of the sitting were not judged: Q2"),
        (MCQ, ["item,a,b", "Q1,1,1", "Q2,1,1", "Q3,1,1"], r"no item Q3 \(line 4\)"),
        (MCQ, ["item,a,b", "Q1,1,1", "Q2,1,1", "Q1,1,1"], "lines 2 and 4: item Q1"),
        (MCQ, ["item,a,b", "Q1,1,1", "Q2,1,?"], "line 3: b: a judgement is a chance"),
        (MCQ, ["item,a,b", "Q1,1,1", "Q2,1,60"], "line 3: b: .*divide"),
        (MCQ, ["item,a,b", "Q1,1,1", "Q2,1"], "line 3: b is empty: .*who was absent"),
        (MCQ, ["item"], "no column of a judge"),
        (MCQ, [], "no CSV file"),
        (TOTALS, ["item,a,b", "Q1,1,1"], "offer 1 points, and the sitting 2"),
    ],
)
def test_a_panel_judges_every_item_of_the_sitting_once(
    home: Home, tmp_path: Path, sitting: dict[str, str], lines: list[str], words: str
) -> None:
    with pytest.raises(UnmeasurableError, match=words):
        standards.set_by(home, sitting, "angoff", "exam board", {}, [panel_of(tmp_path, *lines)])


@pytest.mark.usefixtures("edition_found")
def test_judged_items_weigh_by_their_points(home: Home, tmp_path: Path) -> None:
    panel = panel_of(tmp_path, "item,a,b", "Q2,0.5,0.7", "Q1,1,1")
    (found,) = standards.set_by(home, MCQ, "angoff", "exam board", {}, [panel])
    assert found.panel == pytest.approx({"a": 2.5, "b": 3.1})
    assert found.max_score == 4


@pytest.mark.usefixtures("edition_found")
def test_a_panel_file_that_is_not_there_is_named(home: Home, tmp_path: Path) -> None:
    missing = tmp_path / "round_2.csv"
    panel = panel_of(tmp_path, "item,J1,J2", "Q1,0.5,0.6", "Q2,0.4,0.5")
    with pytest.raises(UnmeasurableError, match=r"round_2\.csv: there is no such file"):
        standards.set_by(home, MCQ, "angoff", "exam board", {}, [panel, missing])
    with pytest.raises(UnmeasurableError, match="needs --panel"):
        standards.set_by(home, MCQ, "angoff", "exam board", {})


@pytest.mark.usefixtures("edition_found")
def test_the_last_round_of_a_panel_counts_and_the_earlier_ones_are_kept(
    home: Home, tmp_path: Path
) -> None:
    (tmp_path / "1").mkdir()
    first = panel_of(tmp_path / "1", "item,a,b,c", "Q1,0.5,0.9,1", "Q2,0.5,0.5,0.5")
    last = panel_of(tmp_path, "item,a,b", "Q2,0.5,0.7", "Q1,1,1")
    (found,) = standards.set_by(home, MCQ, "angoff", "exam board", {}, [first, last])
    assert found.cut_score == pytest.approx(2.8)
    assert found.n_judges == 2
    (round_1,) = found.parameters["earlier_rounds"]
    assert round_1["panel"] == pytest.approx({"a": 2, "b": 2.4, "c": 2.5})
    assert round_1["cut_score"] == pytest.approx(2.3)
    assert round_1["standard_error"] == pytest.approx(0.152753)
    first.write_text("item,a,b\nQ1,0.5,0.5")
    with pytest.raises(UnmeasurableError, match=r"1/panel.csv: 1 of 2 items .* not judged: Q2"):
        standards.set_by(home, MCQ, "angoff", "exam board", {}, [first, last])


def take_points_off(home: Home, q1: float | None, q2: float | None) -> None:
    with duckdb.connect(str(home.editions / "e1" / DATABASE)) as connection:
        connection.execute(
            "update fct_exam_response set points_wrong = case item_id when 'Q1' then ? else ? end "
            "where task_id = 'MCQ'",
            [q1, q2],
        )


@pytest.mark.usefixtures("edition_found")
def test_a_cut_score_by_judges_counts_points_taken_off_for_wrong_answers(
    home: Home, tmp_path: Path
) -> None:
    take_points_off(home, -0.25, -0.75)
    panel = panel_of(tmp_path, "item,a,b", "Q1,0.5,0.5", "Q2,0.8,0.8")
    (found,) = standards.set_by(home, MCQ, "angoff", "exam board", {}, [panel])
    assert found.cut_score == pytest.approx(0.5 - 0.5 * 0.25 + 3 * 0.8 - 0.2 * 0.75)
    assert found.parameters["min_score"] == -1
    classes = {"items": {"easy": 4}, "expected": {"easy": 0.7}}
    (found,) = standards.set_by(home, MCQ, "ebel", "exam board", classes)
    assert found.cut_score == pytest.approx(4 * (0.7 - 0.3 * 0.25))


@pytest.mark.usefixtures("edition_found")
def test_ebel_is_refused_where_wrong_answers_cost_different_shares(home: Home) -> None:
    take_points_off(home, -0.25, -0.25)
    classes = {"items": {"easy": 4}, "expected": {"easy": 0.7}}
    with pytest.raises(UnmeasurableError, match="use angoff"):
        standards.set_by(home, MCQ, "ebel", "exam board", classes)


@pytest.mark.usefixtures("edition_found")
def test_points_taken_off_by_a_rule_that_nobody_told_are_asked_for(
    home: Home, tmp_path: Path
) -> None:
    with duckdb.connect(str(home.editions / "e1" / DATABASE)) as connection:
        connection.execute(
            "update fct_exam_response set points = -1 where item_id = 'Q2' and sitting_key = 'm03'"
        )
        connection.execute("update fct_exam_sitting set points = -1 where task_id = 'TOTALS'")
    panel = panel_of(tmp_path, "item,a,b", "Q1,0.5,0.5", "Q2,0.8,0.8")
    with pytest.raises(UnmeasurableError, match=r"taken off at Q2, .*deliver .*points_wrong"):
        standards.set_by(home, MCQ, "angoff", "exam board", {}, [panel])
    with pytest.raises(UnmeasurableError, match="taken off at Q1, Q2"):
        standards.set_by(home, TOTALS, "angoff", "exam board", {}, [panel])


@pytest.mark.usefixtures("edition_found")
def test_a_sitting_to_come_is_judged_by_the_formula_of_its_task(home: Home, tmp_path: Path) -> None:
    with duckdb.connect(str(home.editions / "e1" / DATABASE)) as connection:
        connection.execute("insert into dim_task values ('MED', 'MCQ', 'formula', 2, -0.5)")
    panel = panel_of(tmp_path, "item,a,b", "Q1,0.5,0.5", "Q2,0.8,0.8")
    next_year = MCQ | {"sitting_id": "S9"}
    (found,) = standards.set_by(home, next_year, "angoff", "exam board", {}, [panel], is_ahead=True)
    assert (found.cut_score, found.max_score) == (pytest.approx(2.6 - 0.7 * 0.5), 4)


@pytest.mark.usefixtures("edition_found")
def test_an_edition_of_an_earlier_release_is_to_be_made_again(home: Home, tmp_path: Path) -> None:
    with duckdb.connect(str(home.editions / "e1" / DATABASE)) as connection:
        connection.execute("alter table fct_exam_response drop column points_wrong")
    panel = panel_of(tmp_path, "item,a,b", "Q1,0.5,0.5", "Q2,0.8,0.8")
    with pytest.raises(UnmeasurableError, match=r"earlier release.*tessera run"):
        standards.set_by(home, MCQ, "angoff", "exam board", {}, [panel])


@pytest.mark.usefixtures("edition_found")
def test_items_that_several_stations_name_alike_are_named_with_their_station(
    home: Home, tmp_path: Path
) -> None:
    rows = [f"s{station}/checklist,0.5,0.5" for station in range(3)]
    (found,) = standards.set_by(
        home, SITTING, "angoff", "exam board", {}, [panel_of(tmp_path, "item,a,b", *rows)]
    )
    assert found.cut_score == pytest.approx(30)


@pytest.mark.usefixtures("edition_found")
def test_a_panel_may_judge_a_sitting_that_is_still_to_come(home: Home, tmp_path: Path) -> None:
    panel = panel_of(tmp_path, "item,a,b", "Q1,0.5,0.7", "Q2,1,0.8")
    next_year = MCQ | {"sitting_id": "S9"}
    (found,) = standards.set_by(home, next_year, "angoff", "exam board", {}, [panel], is_ahead=True)
    assert (found.cut_score, found.max_score) == (pytest.approx(1.5), 2)


@pytest.mark.usefixtures("edition_found")
@pytest.mark.parametrize(
    ("method", "words"), [("angoff", "leave --ahead out"), ("cohen", "goes by scores")]
)
def test_what_was_sat_already_is_not_still_to_come(
    home: Home, tmp_path: Path, method: str, words: str
) -> None:
    panels = [panel_of(tmp_path, "item,a,b", "Q1,1,1")] if method == "angoff" else []
    with pytest.raises(UnmeasurableError, match=words):
        standards.set_by(home, MCQ, method, "exam board", {}, panels, is_ahead=True)


def run(*arguments: str):
    return CliRunner().invoke(app, ["cut-score", *arguments])


@pytest.mark.usefixtures("edition_found")
def test_the_command_keeps_what_a_panel_said_and_lists_it(home: Home, tmp_path: Path) -> None:
    panel = tmp_path / "panel.csv"
    panel.write_text("item,judge 1,judge 2\nQ1,0.5,0.7\nQ2,0.9,0.7\n")
    where = ("--programme", "MED", "--task", "MCQ", "--sitting", "S1", "--home", str(home.root))
    done = run("set", "angoff", *where, "--decided-by", "exam board", "--panel", str(panel))
    assert done.exit_code == 0, done.output
    assert "3.00 by angoff" in done.output
    assert "tessera run" in done.output
    (found,) = kept(home)
    assert found.panel == {"judge 1": pytest.approx(3.2), "judge 2": pytest.approx(2.8)}
    listed = run("list", "--home", str(home.root), "--json")
    assert json.loads(listed.output)["cut_score_id"] == found.cut_score_id
    again = run("set", "angoff", *where, "--decided-by", "board", *("--panel", str(panel)) * 2)
    assert "standard error 0.20, after 3.00 (board)" in " ".join(again.output.split())


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
