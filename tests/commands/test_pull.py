"""`tessera pull` and the stage of the same name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipelines import runs, stages
from pipelines.cli import app
from pipelines.home import Home
from tests.sources.lrs.store import Store, running, statement

STORED = "2026-01-12T12:00:00Z"
SPEC = """
source: our_store
title: A store
owner: assessment_unit
files: "*.jsonl"
reader: {name: xapi}
time_zone: UTC
known_at: {column: stored}
unmatched: skip
pull: {overlap_minutes: 5}
records:
  - kind: exam_response
    record_id: "{record}"
    fields:
      learner_id: actor.person
      programme_id: {value: MED}
      task_id: object.id
      sitting_id: {value: s}
      item_id: object.id
      response_status: {value: omitted}
      occurred_at: timestamp
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Run a store, for a site with a source that is pulled from it."""
    site = tmp_path / "site" / "sources"
    site.mkdir(parents=True)
    (site / "our_store.yaml").write_text(SPEC)
    monkeypatch.setenv("TESSERA_SITE", str(site.parent))
    monkeypatch.setenv("TESSERA_HOME", str(tmp_path / "home"))
    with running(Store([statement(n, STORED) for n in range(4)])) as store:
        monkeypatch.setenv("TESSERA_LRS_OUR_STORE_ENDPOINT", store.endpoint)
        monkeypatch.setenv("TESSERA_LRS_OUR_STORE_KEY", "k")
        monkeypatch.setenv("TESSERA_LRS_OUR_STORE_SECRET", "the-secret")
        yield store


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["pull", *arguments])


def test_what_is_new_goes_into_the_inbox_and_the_next_step_is_named(
    store: Store, tmp_path: Path
) -> None:
    done = run("our_store")
    assert done.exit_code == 0, done.output
    assert "4 of them new" in " ".join(done.output.split())
    assert "tessera run" in done.output
    assert len(list((tmp_path / "home" / "inbox" / "our_store").glob("*.jsonl"))) == 1


def test_machines_read_one_object(store: Store) -> None:
    run("our_store")
    done = run("our_store", "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == 0
    assert (told["mode"], told["n_new"], told["n_known"], told["file"]) == ("new", 0, 4, None)
    assert json.loads(run("our_store", "--full", "--json").stdout)["mode"] == "full"


def test_wrong_use_ends_with_2_and_a_broken_store_with_3(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("no_such_source").exit_code == 2
    assert run("example_ai").exit_code == 2
    store.moods = [(401, {})]
    refused = run("our_store")
    assert refused.exit_code == 3
    assert "key and secret" in " ".join(refused.output.split())
    assert "the-secret" not in refused.output
    monkeypatch.delenv("TESSERA_LRS_OUR_STORE_ENDPOINT")
    without = run("our_store")
    assert without.exit_code == 2
    assert "TESSERA_LRS_OUR_STORE_ENDPOINT" in "".join(without.output.split())


def test_a_pulled_delivery_is_taken_in_as_any_other_and_known_since_it_was_stored(
    store: Store, tmp_path: Path
) -> None:
    run("our_store")
    home = Home.open(tmp_path / "home")
    received = stages.receive("run-1")
    for batch in stages.batches(received):
        for stage in (stages.read, stages.validate, stages.check, stages.segment):
            stage(batch)
    from pipelines.intake.ledger import ledger

    (entry,) = ledger(home)
    assert (entry.source_rows, entry.accepted) == (4, 4)


def test_the_stage_pulls_by_a_connection_and_is_on_record(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TESSERA_LRS_OUR_STORE_ENDPOINT")
    assert stages.pulled_sources() == ["our_store"]
    with pytest.raises(stages.StoppedError, match="endpoint"):
        stages.pull("run-1", "our_store")
    uri = store.endpoint.replace("http://", "http://key:a%20secret@")
    stages.pull("run-1", "our_store", uri)
    (told,) = runs.records(Home.open(tmp_path / "home"), "run-1")
    assert (told.stage, told.status, told.report["n_new"]) == ("pull", "done", 4)
    assert "secret" not in json.dumps(told.report)


def test_where_no_source_is_pulled_a_wrong_name_is_told_what_makes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESSERA_HOME", str(tmp_path / "home"))
    result = run("our_store")
    assert result.exit_code == 2
    assert "No spec says `pull: {endpoint: …}` yet" in result.stderr
