from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipelines.sources import codes
from pipelines.sources.faults import SourceError

ROLES = "assessor_role,title,role_group,source\n"


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
            "x,X,f,sideways,2,observed,s\n",
            "'sideways' is unknown",
        ),
        (
            "instruments.csv",
            "instrument_id,title,method_family,direction,stake,assurance_level,source\n"
            "x,X,f,,high,observed,s\n",
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
