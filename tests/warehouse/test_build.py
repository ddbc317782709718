"""From the log to an edition with a small dbt project: what a build says, and what repeats."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.warehouse import build as build_module
from pipelines.warehouse.build import (
    BuildError,
    build,
    build_record,
    finished_build,
    present_inputs,
)
from pipelines.warehouse.connection import open_warehouse
from pipelines.warehouse.dbt_runner import parse_ahead
from pipelines.warehouse.editions import Edition, current_id, folder_of, read_edition, verify
from pipelines.warehouse.load import load
from pipelines.warehouse.publish import PublishError, publish
from tests.warehouse.small_project import day, fill, pass_audit

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("shipped_project")]


def test_a_build_tells_its_inputs_and_its_nodes_and_lets_go_of_the_file(
    home: Home, settings: Settings, log: Any
) -> None:
    fill(log)
    load(home, settings)
    told: list[tuple[int, int]] = []
    report = build(home, settings, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]
    assert report.as_of == date(2024, 3, 2)
    assert report.nodes == {"model": 1, "test": 1}
    assert report.slowest["fct_score"] > 0
    assert report.build_id == present_inputs(home, settings).build_id
    with open_warehouse(home, settings, read_only=True) as con:
        assert con.execute("select count(*), min(as_of) from marts.fct_score").fetchall() == [
            (5, date(2024, 3, 2))
        ]


SEEN = """
{{ config(materialized='view') }}
select record_key as record_key from {{ ref('fct_score') }}
"""
SEEN_COLUMNS = """
models:
  - name: seen
    columns:
      - name: record_key
        data_tests:
          - not_null: {name: seen_key_is_known}
"""


def test_a_night_leaves_views_as_they_are_and_tests_what_they_show(
    home: Home, settings: Settings, log: Any, project: Path
) -> None:
    (project / "models" / "seen.sql").write_text(SEEN)
    (project / "models" / "seen.yml").write_text(SEEN_COLUMNS)
    fill(log)
    load(home, settings)
    assert build(home, settings).nodes == {"model": 2, "test": 2}
    assert build(home, settings).nodes == {"model": 1, "test": 2}
    assert build(home, settings, full_refresh=True).nodes == {"model": 2, "test": 2}
    (project / "models" / "seen.sql").write_text(SEEN.replace("record_key as", "null as"))
    with pytest.raises(BuildError, match="seen_key_is_known of seen finds 5 rows"):
        build(home, settings)


def test_the_day_judged_on_can_be_chosen_and_makes_another_edition(
    home: Home, settings: Settings, log: Any
) -> None:
    fill(log)
    load(home, settings)
    usual = present_inputs(home, settings).build_id
    assert build(home, settings, date(2025, 1, 1)).as_of == date(2025, 1, 1)
    assert present_inputs(home, settings, date(2025, 1, 1)).build_id != usual


def test_a_past_day_judged_by_the_present_rules_is_another_edition(
    home: Home, settings: Settings, log: Any
) -> None:
    fill(log)
    load(home, settings)
    then = present_inputs(home, settings)
    build(home, settings, rules="now")
    made = finished_build(home)
    assert made is not None
    assert made.rules == "now"
    assert made.build_id != then.build_id


def test_present_rules_are_those_of_the_day_up_to_which_the_log_goes(
    home: Home, settings: Settings, log: Any
) -> None:
    fill(log)
    log.deliver("c", known_at=day(9), exam_result=[{"record_id": "r9", "person": "009"}])
    load(home, settings, known_at=day(2))
    build(home, settings, day(1).date(), rules="now")
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        days = "select as_of, rules_on from raw.build_input"
        assert con.execute(days).fetchall() == [(day(1).date(), day(9).date())]


def test_editions_from_before_there_was_a_choice_of_rules_keep_their_name(
    home: Home, settings: Settings, log: Any
) -> None:
    fill(log)
    load(home, settings)
    inputs = present_inputs(home, settings)
    old = inputs.model_dump(mode="json")
    del old["rules"], old["present_on"]
    assert inputs.model_validate(old).build_id == inputs.build_id
    newest = inputs.model_validate(old | {"rules": "now"})
    assert newest.rules_on == date(9999, 12, 30)


def test_a_failing_test_names_model_test_and_consequence_and_nothing_can_be_published(
    home: Home, settings: Settings, log: Any
) -> None:
    fill(log)
    load(home, settings)
    build(home, settings)
    pass_audit(home)
    good = publish(home, settings)
    unscored = {"record_id": "r9", "person": "009", "score": None}
    log.deliver("c", known_at=day(3), exam_result=[unscored])
    load(home, settings)
    with pytest.raises(BuildError) as caught:
        build(home, settings)
    message = str(caught.value)
    assert "test score_is_known of fct_score finds 1 row, which spoils every status" in message
    assert "nothing is published" in message
    with pytest.raises(PublishError):
        publish(home, settings)
    assert current_id(home) == good


def test_a_model_that_does_not_compile_is_named(
    home: Home, settings: Settings, log: Any, project: Path
) -> None:
    fill(log)
    load(home, settings)
    (project / "models" / "fct_score.sql").write_text("select nonsense from raw.nowhere")
    with pytest.raises(BuildError, match="model fct_score"):
        build(home, settings)
    assert not build_record(home).exists()


def test_a_project_that_dbt_cannot_read_is_said_plainly(
    home: Home, settings: Settings, log: Any, project: Path
) -> None:
    fill(log)
    load(home, settings)
    (project / "models" / "fct_score.yml").write_text("models: [")
    with pytest.raises(BuildError, match="dbt could not start"):
        build(home, settings)


def test_a_project_parsed_ahead_is_parsed_once(
    home: Home, settings: Settings, project: Path
) -> None:
    process = parse_ahead(home, settings, project)
    assert process is not None
    process.join(120)
    assert process.exitcode == 0
    assert parse_ahead(home, settings, project) is None


def test_nothing_loaded_is_said_plainly(home: Home, settings: Settings) -> None:
    with pytest.raises(BuildError, match="nothing has been loaded"):
        build(home, settings)
    load(home, settings)
    with pytest.raises(BuildError, match="put files into the inbox"):
        build(home, settings)
    with pytest.raises(BuildError, match="put files into the inbox"):
        build(home, settings, as_of=date(2024, 3, 2))


def test_a_build_that_is_stopped_can_be_repeated(
    home: Home, settings: Settings, log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(log)
    load(home, settings)

    def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    for step in ("build_on", "_report"):
        with monkeypatch.context() as patched:
            patched.setattr(build_module, step, stopped)
            with pytest.raises(KeyboardInterrupt):
                build(home, settings)
        with pytest.raises(PublishError, match="no finished build"):
            publish(home, settings)
    build(home, settings)
    pass_audit(home)
    assert publish(home, settings) == current_id(home)


def test_the_same_log_gives_the_same_edition_in_another_home_in_any_order(
    home: Home, settings: Settings, log: Any, tmp_path: Path
) -> None:
    fill(log)
    load(home, settings)
    build(home, settings)
    pass_audit(home)
    publish(home, settings)
    other = Home.open(tmp_path / "other")
    elsewhere = settings.model_copy(update={"home": other.root})
    shutil.copytree(home.vault, other.vault, dirs_exist_ok=True)
    shutil.copytree(home.receipts, other.receipts, dirs_exist_ok=True)
    for delivery in sorted(home.deliveries.iterdir(), reverse=True):
        shutil.copytree(delivery, other.deliveries / delivery.name)
        load(other, elsewhere)
    build(other, elsewhere)
    pass_audit(other)
    publish(other, elsewhere)
    first, second = read_edition(folder_of(home)), read_edition(folder_of(other))
    assert first.edition_id == second.edition_id
    assert first.table_hashes == second.table_hashes
    assert _parquet(first) == _parquet(second)
    assert first.keys == {"fct_score": ("record_key",)}
    assert verify(folder_of(other)) == []


def _parquet(edition: Edition) -> dict[str, str]:
    """Return the hashes of the files that repeat byte for byte, which DuckDB's own does not."""
    return {name: digest for name, digest in edition.files.items() if name.endswith(".parquet")}


def test_what_is_known_decides_the_build_id(home: Home, settings: Settings, log: Any) -> None:
    fill(log)
    load(home, settings)
    everything = present_inputs(home, settings)
    load(home, settings, known_at=day(1))
    earlier = present_inputs(home, settings)
    assert everything.build_id != earlier.build_id
    assert (earlier.as_of, earlier.known_at) == (date(2024, 3, 1), day(1))
    load(home, settings)
    assert present_inputs(home, settings) == everything
    with open_warehouse(home, settings, read_only=True) as con:
        assert con.execute("select count(*) from raw.build_input").fetchall() == [(0,)]
