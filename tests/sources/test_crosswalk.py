"""A label means what the newest named person said, and the nearest levels are suggested."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipelines.settings import Settings
from pipelines.sources import codes
from pipelines.sources.crosswalk import CrosswalkError, approvals_path, approve, nearest
from pipelines.sources.faults import SourceError

SCALE = "entrustment_5"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def say(settings: Settings, label: str, level: str, **options: object) -> object:
    given = {"by": "A. Muster"} | options
    return approve(settings.home, codes.load(settings), SCALE, label, level, **given)  # type: ignore[arg-type]


def meaning(settings: Settings, label: str) -> int | None:
    return codes.crosswalk(codes.load(settings), SCALE, None).get(label)


def test_an_approved_label_means_its_level_however_it_is_spaced(settings: Settings) -> None:
    assert meaning(settings, "lvl 3 (indirect)") is None
    assert say(settings, " Lvl  3 (Indirect)", "Indirect supervision") is not None
    assert meaning(settings, "lvl 3 (indirect)") == 3
    row = codes.load(settings)["scale_labels"].filter(pl.col("raw_label") == "Lvl 3 (Indirect)")
    assert row["approved_by"].to_list() == ["A. Muster"]
    assert row["approved_at"].item()


def test_the_same_approval_again_is_nothing_new(settings: Settings) -> None:
    say(settings, "lvl 3", "3")
    before = approvals_path(settings.home).read_bytes()
    assert say(settings, "LVL 3", "3") is None
    assert approvals_path(settings.home).read_bytes() == before


def test_another_meaning_needs_a_reason_and_both_stay_on_record(settings: Settings) -> None:
    say(settings, "lvl 3", "3")
    with pytest.raises(CrosswalkError, match=r"level 3 .* approved by A\. Muster"):
        say(settings, "lvl 3", "4")
    with pytest.raises(CrosswalkError, match="--reason"):
        say(settings, "lvl 3", "4", replace=True, reason=" ")
    approval = say(settings, "lvl 3", "4", replace=True, reason="the form counts from two")
    assert getattr(approval, "replaces_level", None) == 3
    assert meaning(settings, "lvl 3") == 4
    assert len(approvals_path(settings.home).read_text().splitlines()) == 2


def test_a_shipped_label_is_replaced_only_on_purpose(settings: Settings) -> None:
    with pytest.raises(CrosswalkError, match="means level 1"):
        say(settings, "Observes", "2")
    say(settings, "Observes", "2", replace=True, reason="our form means it so")
    assert meaning(settings, "observes") == 2


@pytest.mark.parametrize(
    ("scale", "label", "level", "said"),
    [
        ("entrustment_55", "x", "1", "entrustment_5"),
        (SCALE, "x", "9", "it has: 1 Observe only"),
        (SCALE, "  ", "1", "empty"),
        (SCALE, "3", "4", "level of entrustment_5 itself"),
        (SCALE, "Unsupervised", "1", "level of entrustment_5 itself"),
    ],
)
def test_what_cannot_be_approved_is_refused_in_words(
    settings: Settings, scale: str, label: str, level: str, said: str
) -> None:
    with pytest.raises(CrosswalkError, match=said):
        approve(
            settings.home,
            codes.load(settings),
            scale,
            label,
            level,
            by="A. Muster",
            replace=True,
            reason="because",
        )
    assert not approvals_path(settings.home).exists()


def test_an_unknown_version_of_a_scale_is_refused(settings: Settings) -> None:
    with pytest.raises(CrosswalkError, match="no version"):
        say(settings, "x", "1", version="77")


def test_a_damaged_file_of_approvals_is_told_by_line(settings: Settings) -> None:
    say(settings, "lvl 3", "3")
    path = approvals_path(settings.home)
    path.write_text(path.read_text() + "{\n")
    with pytest.raises(SourceError, match=r"crosswalk\.jsonl, line 2|crosswalk\.jsonl:2"):
        codes.load(settings)


def test_the_nearest_levels_come_first_and_each_once() -> None:
    known = {"indirect supervision": "3", "direct supervision": "2", "3": "3", "unsupervised": "4"}
    near = nearest("Indirekt supervision", known)
    assert near[0].level == "3"
    assert len({item.level for item in near}) == len(near)
    assert near[0].similarity > near[1].similarity >= 0.5
    assert nearest("xyzzy qqq", known) == []
