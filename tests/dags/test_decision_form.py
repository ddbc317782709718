"""Airflow's form asks what the decision form asks, with the outcomes that the site knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.committee import asking, form
from pipelines.embedded_airflow.environment import WORDS_OF_A_DECISION
from pipelines.settings import Settings
from pipelines.sources import codes

SENT = {
    "learner": "L-4F7K2QXA3M",
    "outcome": "local_1: targeted support",
    "rationale": "Handover needs practice.",
    "decided_at": "2026-11-28T15:00:00+01:00",
}


@pytest.fixture
def params(dags: dict[str, Any]) -> Any:
    return dags["decision"].params


def test_every_field_fills_a_cell_of_the_decision_form_and_every_cell_is_asked_for(
    params: Any,
) -> None:
    others = {"learner", "meeting_id", "outcome"}
    assert set(params) - others == set(asking.FIELDS)
    assert {*asking.FIELDS.values(), form.OUTCOME} == set(form.ASKED)


def test_the_lists_offered_are_those_that_decisions_are_held_against(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.triggers import decision_form

    monkeypatch.delenv("TESSERA_SITE", raising=False)
    (tmp_path / "codes").mkdir()
    (tmp_path / "codes" / decision_form.LIST).write_text(
        "vocabulary_id,outcome,title,source\nours,goes on,Goes on,local choice\n", encoding="utf-8"
    )
    site = Settings(home=tmp_path / "home", site=tmp_path)
    for settings in (Settings(home=tmp_path / "home"), site):
        listed = codes.load(settings)["decision_outcomes"].select("vocabulary_id", "outcome")
        offered = decision_form.outcomes(settings)
        assert set(offered) == {asking.outcome_label(*row) for row in listed.iter_rows()}
    assert "ours: goes on" in decision_form.fields(site)["outcome"].schema["enum"]
    assert decision_form.outcomes(site)["arcp: 6"].startswith("arcp: 6 (Gained all")
    assert list(form.APPEALS) == decision_form.APPEALS
    assert list(form.OWNERS) == decision_form.OWNERS
    assert decision_form.N_ACTIONS == form.N_ACTIONS


def test_every_field_for_words_is_one_that_the_audit_log_masks(params: Any) -> None:
    """What follows a pattern, a list or a day is no free text; who `dissent_by` is goes with it."""
    free = {
        name
        for name, param in dict(params.items()).items()
        if "string" in (param.schema["type"], *param.schema["type"])
        and not {"enum", "pattern"} & param.schema.keys()
        and param.schema.get("format") not in {"date", "date-time"}
    }
    owners_and_ids = {"meeting_id", "pulled_by", "corrects", "owner_1", "owner_2", "owner_3"}
    assert free - owners_and_ids == set(WORDS_OF_A_DECISION)
    image = (Path(__file__).parents[2] / "docker" / "Dockerfile").read_text(encoding="utf-8")
    assert f"SENSITIVE_VAR_CONN_NAMES={','.join(WORDS_OF_A_DECISION)} " in image


def test_a_form_with_what_has_to_be_said_is_whole(params: Any) -> None:
    from airflow.sdk.definitions.param import ParamsDict

    whole = ParamsDict(dict(params.items()))
    whole.update(SENT)
    assert whole.validate() | SENT == whole.validate()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("outcome", "passed"),
        ("rationale", ""),
        ("learner", "two words"),
        ("quorum", 0),
        ("quorum", "three"),
        ("present", [1]),
        ("appeal", "perhaps"),
        ("addendum_seen", "perhaps"),
    ],
)
def test_what_no_decision_can_say_is_refused_before_a_run_begins(
    params: Any, field: str, value: Any
) -> None:
    from airflow.sdk.definitions.param import ParamsDict
    from airflow.sdk.exceptions import ParamValidationError

    whole = ParamsDict(dict(params.items()))
    with pytest.raises(ParamValidationError):
        whole.update(SENT | {field: value})
