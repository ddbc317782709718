"""Every asset of the pipeline, by its name: what each DAG waits for and what it brings forth."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import (
    Asset,
    AssetWatcher,
    DeadlineAlert,
    DeadlineReference,
    ExceptionRetryPolicy,
    RetryAction,
    RetryRule,
    SyncCallback,
)

from pipelines.settings import Settings
from pipelines.triggers.inbox import InboxTrigger
from pipelines.triggers.notifiers import tell_of_a_late_run

INBOX = Asset(
    "inbox",
    uri="evidence://inbox/deliveries",
    watchers=[AssetWatcher(name="inbox", trigger=InboxTrigger())],
)
LOG = Asset("evidence_log", uri="evidence://log/deliveries")
CALIBRATION = Asset("calibration", uri="evidence://calibration/latest")
EDITION = Asset("edition", uri="evidence://edition/current")
PACK = Asset("committee_pack", uri="evidence://pack/current")

FINAL = RetryRule(
    exception="pipelines.stages.StoppedError",
    action=RetryAction.FAIL,
    reason="a gate said no: trying again would not help",
)

ON_TIME: dict[str, Any] = {"timezone": "UTC", "run_immediately": timedelta()}
"""For a clock: a time that has passed before the first start is not made up for."""

IN_TIME = DeadlineAlert(
    reference=DeadlineReference.DAGRUN_QUEUED_AT,
    interval=timedelta(hours=Settings().late_hours),
    callback=SyncCallback(tell_of_a_late_run),
)
"""For the night: people are told of a run that has not ended so long after it was queued."""

RETRIED: dict[str, Any] = {"retries": 3, "retry_policy": ExceptionRetryPolicy(rules=[FINAL])}
"""How often a task is tried again; Airflow's settings give the delay between tries."""

WRITER: dict[str, Any] = RETRIED | {"pool": "warehouse"}
"""For whatever takes the writing lock of the home: the pool has one slot."""
