from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipelines.sources import codes
from pipelines.sources.faults import SourceError

ROLES = "assessor_role,title,role_group,source\n"
SCALES = "scale_id,scale_version,level,level_label,direction,description,source\n"
WITH_TARGET = "scale_id,scale_version,level,level_label,is_target,direction,description,source\n"
TARGETS = [(1, ""), (2, "yes"), (3, "no")]
LABELS = "scale_id,scale_version,raw_label,level,approved_by,approved_at,source\n"
INSTRUMENTS = "instrument_id,title,method_family,direction,stake,assurance_level,source\n"
IDENTIFIERS = "identifier_id,code,words,pattern,after,check,countries,source\n"


def load_with(tmp_path: Path, name: str, text: str) -> dict[str, pl.DataFrame]:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return codes.load_folders([codes.SHIPPED, tmp_path])


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("assessor_roles.csv", "role,title\nx,y\n", "They must be assessor_role"),
        (
            "assessor_roles.csv",
            ROLES + "coach,,other,local choice\n",
            "roles.csv:2: title: is empty",
        ),
        ("assessor_roles.csv", ROLES + "coach,A,B\n", "more or fewer cells"),
        (
            "assessor_roles.csv",
            ROLES + "a,A,B,c\na,A,B,c\n",
            "csv:3: assessor_role: a stands here twice",
        ),
        ("rolls.csv", "a\n", "no such code list"),
        (
            "instruments.csv",
            "instrument_id,title,method_family,direction,stake,assurance_level,source\n"
            "x,X,other,sideways,2,observed,s\n",
            "'sideways' is unknown",
        ),
        (
            "instruments.csv",
            "instrument_id,title,method_family,direction,stake,assurance_level,source\n"
            "x,X,other,,high,observed,s\n",
            "'high' is no number",
        ),
        (
            "scale_labels.csv",
            "scale_id,scale_version,raw_label,level,approved_by,approved_at,source\n"
            "entrustment_5,1,Level 9,9,me,,local choice\n",
            "labels.csv:2: level: 'Level 9' points to level 9 of entrustment_5 version 1, which no",
        ),
        (
            "scale_labels.csv",
            "scale_id,scale_version,raw_label,level,approved_by,approved_at,source\n"
            "entrustment_5,1,Lvl 2,2,me,,local choice\n"
            "seven_steps,1,First,1,me,,local choice\n",
            "labels.csv:3: level: 'First' is of the scale seven_steps version 1, which has no",
        ),
    ],
)
def test_faulty_code_lists_are_refused_with_their_place(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    with pytest.raises(SourceError) as caught:
        load_with(tmp_path, name, text)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            "x,X,multi_source,,0.2,observed,s",
            "'multi_source' is unknown. Did you mean multisource?",
        ),
        ("msf,X,other,,0.2,observed,s", "msf is shipped as multisource"),
    ],
)
def test_an_instrument_cannot_leave_multisource_feedback_by_its_spelling(
    tmp_path: Path, row: str, said: str
) -> None:
    with pytest.raises(SourceError) as caught:
        load_with(tmp_path, "instruments.csv", f"{INSTRUMENTS}{row}\n")
    assert f"instruments.csv:2: method_family: {said}" in str(caught.value)


def test_only_the_learner_is_in_the_group_whose_single_answers_are_shown(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"csv:2: role_group: 'nurse' is in the group self"):
        load_with(tmp_path, "assessor_roles.csv", ROLES + "nurse,Nurse,self,local choice\n")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("x,birth_date,a day,[0-9]+,,,UK,s", "countries: 'UK' is no country of ISO 3166"),
        ("x,birth_date,a day,[0-9]+,,gb.nsh,,s", "there is no check 'gb.nsh'. Did you mean gb.nhs"),
    ],
)
def test_an_identifier_names_countries_and_checks_that_exist(
    tmp_path: Path, row: str, said: str
) -> None:
    with pytest.raises(SourceError) as caught:
        load_with(tmp_path, "identifiers.csv", f"{IDENTIFIERS}{row}\n")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["1,Bad,,", "2,Good,,", "3,GOOD ,,"], "csv:4: level_label: 'GOOD' of level 3"),
        (["1,a,,", "2,b,,", "3,1,,"], "csv:4: level_label: '1' of level 3 of s version 1 reads as"),
        (["1,a,,"], "csv:2: level: s version 1 has one level. Add its other levels"),
        (
            ["1,a,retrospective,", "2,b,prospective,"],
            "csv:3: direction: level 2 is prospective, level 1 is retrospective of s version 1",
        ),
        (["1,a,retrospective,", "2,b,,"], "csv:3: direction: level 2 is without direction"),
        (["1,a\0,,", "2,b,,"], r"csv:2: level_label: 'a\x00' holds a character"),
    ],
)
def test_a_scale_that_contradicts_itself_is_refused(
    tmp_path: Path, rows: list[str], said: str
) -> None:
    text = SCALES + "".join(f"s,1,{row},local choice\n" for row in rows)
    with pytest.raises(SourceError) as caught:
        load_with(tmp_path, "scales.csv", text)
    assert said in str(caught.value)


def test_a_scale_may_say_which_level_is_its_target(tmp_path: Path) -> None:
    rows = "".join(f"s,1,{level},Step {level},{target},,,here\n" for level, target in TARGETS)
    scales = load_with(tmp_path, "scales.csv", WITH_TARGET + rows)["scales"]
    told = scales.filter(pl.col("scale_id") == "s")["is_target"].to_list()
    assert told == [None, True, False]
    shipped = scales.filter(pl.col("scale_id") == "entrustment_5")["is_target"]
    assert shipped.null_count() == len(shipped)


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        (("yes", "yes"), "csv:3: is_target: s version 1 has two targets. Let one level be"),
        (("true", ""), "csv:2: is_target: 'true' is unknown"),
    ],
)
def test_a_scale_has_at_most_one_target(
    tmp_path: Path, targets: tuple[str, str], said: str
) -> None:
    rows = "".join(f"s,1,{n},Step {n},{target},,,here\n" for n, target in enumerate(targets, 1))
    with pytest.raises(SourceError) as caught:
        load_with(tmp_path, "scales.csv", WITH_TARGET + rows)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("observe  ONLY,5,me,2026-01-01", "'observe  ONLY' of level 5"),
        ("4,5,me,2026-01-01", "'4' of level 5 of entrustment_5 version 1 reads as level 4"),
        ("well done,5,me,yesterday", "approved_at: 'yesterday' is no day or time"),
    ],
)
def test_a_label_that_contradicts_its_scale_is_refused(tmp_path: Path, row: str, said: str) -> None:
    with pytest.raises(SourceError) as caught:
        load_with(tmp_path, "scale_labels.csv", f"{LABELS}entrustment_5,1,{row},local choice\n")
    assert "scale_labels.csv:2: " in str(caught.value)
    assert said in str(caught.value)


def test_a_scale_knows_its_numbers_names_and_approved_labels(
    code_lists: dict[str, pl.DataFrame],
) -> None:
    levels = codes.crosswalk(code_lists, "entrustment_5", None)
    assert levels["3"] == levels["indirect supervision"] == 3
    assert levels["level 4 - unsupervised"] == 4


def test_the_newest_version_of_a_scale_is_the_default(
    code_lists: dict[str, pl.DataFrame],
) -> None:
    assert codes.newest_version(code_lists, "aias") == "2"
    assert codes.crosswalk(code_lists, "aias", "1")["full ai"] == 5
    assert codes.crosswalk(code_lists, "aias", None)["full ai"] == 4


@pytest.mark.parametrize(
    ("column", "is_refused"),
    [
        ("AI probability", True),
        ("ai_probability", True),
        ("AI-Detection score (%)", True),
        ("Turnitin AI %", True),
        ("AI policy level", False),
        ("Email", False),
        ("aim_score", False),
    ],
)
def test_detector_scores_are_known_by_their_column_name(
    code_lists: dict[str, pl.DataFrame], column: str, is_refused: bool
) -> None:
    assert (codes.reason_never_taken(code_lists, column) is not None) is is_refused
