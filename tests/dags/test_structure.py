"""What the wiring promises: stages, pools, retries, mapping, assets."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

INTAKE = ["receive", "batches", "take_in.read", "take_in.validate", "take_in.check"]
INTAKE += ["take_in.segment", "announce"]
PORTFOLIO = ["load", "has_news", "calibrate_if_missing", "build", "audit", "publish", "pack"]
REFIT = ["load", "refit", "has_news", "build", "audit", "publish"]
WRITERS = {
    "intake": {"receive"},
    "portfolio": set(PORTFOLIO),
    "calibrate": {"load", "estimate"},
    "housekeeping": {"clear_leftovers"},
    "pull": set(),
    "committee": {*REFIT, "freeze", "release"},
    "decision": set(),
}


def chain(dag: Any, tasks: list[str]) -> bool:
    return all(
        after in {task.task_id for task in dag.get_task(before).get_flat_relatives(upstream=False)}
        for before, after in pairwise(tasks)
    )


@pytest.mark.parametrize(("name", "stages"), [("intake", INTAKE), ("portfolio", PORTFOLIO)])
def test_each_stage_is_a_task_of_its_own_and_follows_the_one_before(
    dags: dict[str, Any], name: str, stages: list[str]
) -> None:
    dag = dags[name]
    assert set(dag.task_ids) - {"every_batch_taken_in"} == set(stages)
    assert chain(dag, stages)


@pytest.mark.parametrize("name", WRITERS)
def test_all_that_takes_the_lock_of_the_home_and_nothing_else_takes_the_slot(
    dags: dict[str, Any], name: str
) -> None:
    pooled = {task.task_id for task in dags[name].tasks if task.pool == "warehouse"}
    assert pooled == WRITERS[name]


@pytest.mark.parametrize("name", WRITERS)
def test_every_stage_is_tried_again_after_a_delay(dags: dict[str, Any], name: str) -> None:
    for task in dags[name].tasks:
        if task.task_type != "EmptyOperator":
            assert task.retries == 3
            assert task.retry_delay >= timedelta(seconds=15)


def test_what_a_gate_stopped_is_not_tried_again(dags: dict[str, Any]) -> None:
    from airflow.sdk import RetryAction

    from pipelines.stages import StoppedError

    policy = dags["portfolio"].get_task("audit").retry_policy
    stopped = policy.evaluate(StoppedError("the audit says fail"), 1, 3)
    killed = policy.evaluate(RuntimeError("terminated"), 1, 3)
    assert stopped.action is RetryAction.FAIL
    assert killed.action is RetryAction.DEFAULT


def test_batches_are_mapped_as_one_group_and_named(dags: dict[str, Any]) -> None:
    from airflow.sdk.definitions.taskgroup import MappedTaskGroup

    group = dags["intake"].task_group.children["take_in"]
    assert isinstance(group, MappedTaskGroup)
    for task in group.iter_tasks():
        assert "batch" in task.map_index_template


def test_a_failed_batch_leaves_the_others_alone_and_still_fails_the_run(
    dags: dict[str, Any],
) -> None:
    dag = dags["intake"]
    assert dag.get_task("announce").trigger_rule == "all_done"
    assert dag.get_task("every_batch_taken_in").trigger_rule == "none_failed"
    leaves = {task.task_id for task in dag.leaves}
    assert leaves == {"announce", "every_batch_taken_in"}


@pytest.mark.parametrize("name", WRITERS)
def test_a_dag_runs_once_at_a_time_and_never_catches_up(dags: dict[str, Any], name: str) -> None:
    assert dags[name].max_active_runs == 1
    assert dags[name].catchup is False


@pytest.mark.parametrize("name", WRITERS)
def test_dags_and_tasks_have_names_and_words_for_people(dags: dict[str, Any], name: str) -> None:
    dag = dags[name]
    assert dag.doc_md
    assert dag.dag_display_name != dag.dag_id
    for task in dag.tasks:
        if task.task_type != "EmptyOperator":
            assert " " in task.task_display_name


def test_assets_have_stable_names_and_no_path(dags: dict[str, Any]) -> None:
    import assets

    found = {
        asset.name: asset.uri for asset in vars(assets).values() if isinstance(asset, assets.Asset)
    }
    assert found == {
        "inbox": "evidence://inbox/deliveries",
        "evidence_log": "evidence://log/deliveries",
        "calibration": "evidence://calibration/latest",
        "edition": "evidence://edition/current",
        "committee_pack": "evidence://pack/current",
    }


@pytest.mark.parametrize("name", ["intake", "calibrate", "housekeeping"])
def test_a_time_that_passed_before_the_first_start_is_not_made_up_for(
    dags: dict[str, Any], name: str
) -> None:
    timetable = dags[name].timetable
    clock = getattr(timetable, "timetable", timetable)
    assert clock.run_immediately == timedelta()


def test_what_each_task_brings_forth(dags: dict[str, Any]) -> None:
    made = {
        (dag.dag_id, task.task_id): {asset.name for asset in task.outlets}
        for dag in dags.values()
        for task in dag.tasks
        if task.outlets
    }
    assert made == {
        ("intake", "announce"): {"evidence_log"},
        ("portfolio", "calibrate_if_missing"): {"calibration"},
        ("portfolio", "publish"): {"edition"},
        ("portfolio", "pack"): {"committee_pack"},
        ("calibrate", "estimate"): {"calibration", "evidence_log"},
        ("committee", "refit"): {"calibration"},
        ("committee", "publish"): {"edition"},
    }


def test_intake_starts_by_the_inbox_and_every_night_and_portfolio_by_the_log(
    dags: dict[str, Any],
) -> None:
    from airflow.sdk import AssetOrTimeSchedule

    intake, portfolio = dags["intake"].timetable, dags["portfolio"].timetable
    assert isinstance(intake, AssetOrTimeSchedule)
    assert [asset.name for asset in intake.asset_condition.objects] == ["inbox"]
    assert [asset.name for asset in portfolio.asset_condition.objects] == ["evidence_log"]


@pytest.mark.parametrize("name", ["intake", "portfolio"])
def test_people_are_told_of_a_night_that_has_not_ended_in_time(
    dags: dict[str, Any], name: str
) -> None:
    from airflow.sdk import DeadlineReference

    (alert,) = dags[name].deadline
    assert alert.reference == DeadlineReference.DAGRUN_QUEUED_AT
    assert alert.interval == timedelta(hours=3)
    assert alert.callback.path == "pipelines.triggers.notifiers.tell_of_a_late_run"


def test_each_source_is_pulled_by_a_task_of_its_own_and_named(dags: dict[str, Any]) -> None:
    dag = dags["pull"]
    assert set(dag.task_ids) == {"sources", "pull_source"}
    assert chain(dag, ["sources", "pull_source"])
    mapped = dag.get_task("pull_source")
    assert mapped.is_mapped
    assert "source" in mapped.map_index_template


def test_pulls_come_before_the_nightly_intake(dags: dict[str, Any]) -> None:
    assert dags["pull"].timetable.expression == "0 1 * * *"
    assert dags["intake"].timetable.timetable.expression == "0 2 * * *"


def test_a_connection_of_airflow_gives_the_address_and_the_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from pipelines.sources.lrs.access import access_of
    from pipelines.triggers.connections import uri_of_store

    monkeypatch.setenv(
        "AIRFLOW_CONN_LRS_OUR_FORMS", "https://key:se%2Fcret@lrs.example.edu:8443/xapi"
    )
    access = access_of("our_forms", None, uri_of_store("our_forms"), environment={})
    assert access.endpoint == "https://lrs.example.edu:8443/xapi"
    assert (access.key, access.secret) == ("key", "se/cret")


def test_a_pack_is_frozen_then_answered_by_a_person_and_the_answer_recorded(
    dags: dict[str, Any],
) -> None:
    answered = ["freeze", "approval", "release"]
    assert set(dags["committee"].task_ids) == {"wants_refit", *REFIT, *answered}
    assert chain(dags["committee"], answered)


def test_a_freeze_comes_after_a_refit_and_an_edition_on_it_and_goes_on_where_none_is_wanted(
    dags: dict[str, Any],
) -> None:
    dag = dags["committee"]
    assert chain(dag, ["wants_refit", *REFIT, "freeze"])
    assert dag.params["refit"] is True
    assert dag.get_task("freeze").trigger_rule == "none_failed"
    skips = [dag.get_task(name) for name in ("wants_refit", "has_news")]
    assert not any(task.ignore_downstream_trigger_rules for task in skips)


def test_silence_is_a_refusal_and_a_refusal_is_recorded_too(dags: dict[str, Any]) -> None:
    approval = dags["committee"].get_task("approval")
    assert approval.defaults == ["Reject"]
    assert approval.options == ["Approve", "Reject"]
    assert approval.response_timeout == timedelta(days=7)
    assert not hasattr(approval, "fail_on_reject")
    assert dags["committee"].get_task("release").trigger_rule == "all_success"


def test_a_meeting_is_asked_for_and_nothing_starts_by_itself(dags: dict[str, Any]) -> None:
    assert dags["committee"].timetable.can_be_scheduled is False
    assert "meeting_id" in dags["committee"].params


def test_the_decision_form_is_sent_by_hand_and_does_one_thing(dags: dict[str, Any]) -> None:
    dag = dags["decision"]
    assert dag.timetable.can_be_scheduled is False
    assert set(dag.task_ids) == {"record"}
