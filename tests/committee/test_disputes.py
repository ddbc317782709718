"""A dispute comes in a form, is judged like any delivery, owned, and answered through the inbox."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from pipelines.committee.answer_form import COLUMNS, answer_form
from pipelines.committee.disputes import DisputeError, answer, disputes
from pipelines.committee.edition import find
from pipelines.committee.learner import assemble
from pipelines.committee.people import Known
from pipelines.committee.queries import Portfolio
from pipelines.committee.roles import for_learner
from pipelines.home import Home
from pipelines.intake.feeds import load_feeds
from pipelines.intake.preview import by_source
from pipelines.settings import Settings
from tests.committee.edition import FULL

PEOPLE = {FULL: Known("Nina Muster", {"example_person": "s-1"})}


def _filled(portfolio: Portfolio, words: dict[str, str], folder: Path) -> Path:
    narrowed, _ = for_learner(portfolio, FULL, PEOPLE)
    page = assemble(narrowed, narrowed.learners[0])
    text = answer_form(narrowed, page, "s-1").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    for kind, said in words.items():
        next(row for row in rows if row["Kind"] == kind)["Your words"] = said
    path = folder / "my-words.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_only_lines_with_words_come_back_and_all_of_them_are_good(
    home: Home, portfolio: Portfolio, tmp_path: Path
) -> None:
    words = {
        "dispute": "Not me.",
        "response": "I practised.",
        "goal": "Two more.",
        "reflection": "So.",
    }
    settings = Settings(home=home.root)
    path = _filled(portfolio, words, tmp_path)
    verdicts = list(by_source(load_feeds(settings)["learner_words"], settings, path))
    assert len(verdicts) == 4
    assert [v.problems for v in verdicts if v.problems] == []


def test_a_kind_that_is_none_is_refused_with_the_row_and_the_others_go_on(
    home: Home, portfolio: Portfolio, tmp_path: Path
) -> None:
    settings = Settings(home=home.root)
    path = _filled(portfolio, {"dispute": "Not me.", "goal": "Two more."}, tmp_path)
    path.write_text(path.read_text(encoding="utf-8-sig").replace(",goal,", ",wish,"))
    verdicts = list(by_source(load_feeds(settings)["learner_words"], settings, path))
    refused = [v for v in verdicts if v.problems]
    assert len(verdicts) == 2
    assert [p.field for v in refused for p in v.problems] == ["reflection_type"]


def test_a_dispute_is_listed_with_its_owner(home: Home) -> None:
    (found,) = disputes(find(home, None))
    assert found["record_id"] == "dispute-1"
    assert (found["dispute_status"], found["owner_role"]) == ("raised", "assessment_unit")


def test_an_answer_is_a_delivery_that_the_source_takes(fresh: Home, home: Home) -> None:
    settings = Settings(home=fresh.root)
    source = find(fresh, None)
    done = answer(fresh, settings, source, "dispute-1", "It was corrected.", "t2001", PEOPLE)
    assert done.path.parent == fresh.inbox / "dispute_answers"
    line = json.loads(done.path.read_text(encoding="utf-8"))
    assert (line["learner_id"], line["dispute"]) == ("s-1", "dispute-1")
    verdicts = list(by_source(load_feeds(settings)["dispute_answers"], settings, done.path))
    assert not any(v.problems for v in verdicts)
    assert len(verdicts) == 1


def test_a_dispute_that_nobody_raised_and_an_empty_answer_are_refused(fresh: Home) -> None:
    settings, source = Settings(home=fresh.root), find(fresh, None)
    with pytest.raises(DisputeError, match="knows no dispute 'dispute-9'"):
        answer(fresh, settings, source, "dispute-9", "Text.", "t2001", PEOPLE)
    with pytest.raises(DisputeError):
        answer(fresh, settings, source, "dispute-1", "  ", "t2001", PEOPLE)
    with pytest.raises(DisputeError, match="has no id"):
        answer(fresh, settings, source, "dispute-1", "Text.", "t2001", {})
    assert not (fresh.inbox / "dispute_answers").exists()
