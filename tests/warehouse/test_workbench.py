"""A data engineer tries models on a copy: only what was changed is built, and marts compared."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.home import Home
from pipelines.rules.loader import SHIPPED
from pipelines.settings import Settings
from pipelines.warehouse import workbench
from pipelines.warehouse.build import BuildError, build
from pipelines.warehouse.editions import EditionError, current_id
from pipelines.warehouse.load import load
from pipelines.warehouse.publish import publish
from pipelines.warehouse.workbench import (
    Rebuilt,
    WorkbenchError,
    build_changed,
    clone,
    diff_marts,
    write_docs,
)
from tests.warehouse.small_project import day, fill, pass_audit

SECOND = "select record_key as record_key, score * 2 as doubled from {{ ref('fct_score') }}"


@pytest.fixture
def built(home: Home, settings: Settings, log: Any, shipped_project: None) -> Home:
    fill(log)
    load(home, settings)
    build(home, settings)
    pass_audit(home)
    publish(home, settings)
    return home


@pytest.fixture
def copy(built: Home, tmp_path: Path) -> Home:
    clone(built, tmp_path / "copy")
    return Home(tmp_path / "copy")


def own(copy: Home, settings: Settings) -> Settings:
    return settings.model_copy(update={"home": copy.root})


@pytest.mark.slow
def test_without_a_change_nothing_is_built_and_the_marts_are_equal(
    copy: Home, settings: Settings
) -> None:
    assert build_changed(copy, own(copy, settings)) == Rebuilt((), 0)
    assert diff_marts(copy) == []


@pytest.mark.slow
def test_only_what_was_changed_is_built_and_the_home_stays_as_it_is(
    built: Home, copy: Home, settings: Settings, project: Path
) -> None:
    before = hashlib.sha256(built.warehouse.read_bytes()).hexdigest()
    (project / "models" / "fct_doubled.sql").write_text(SECOND)
    assert build_changed(copy, own(copy, settings)).models == ("fct_doubled",)

    model = project / "models" / "fct_score.sql"
    model.write_text(
        model.read_text().replace(
            "score as score",
            "cast(case when score > 3 then score + 1 else score end as decimal(18, 6)) as score",
        )
    )
    done = build_changed(copy, own(copy, settings))
    assert done.models == ("fct_score", "fct_doubled")
    assert done.n_tests == 1
    told = {one.table: one for one in diff_marts(copy)}
    assert told["fct_score"].changed == 2
    assert (told["fct_score"].added, told["fct_score"].removed) == (0, 0)
    assert told["fct_doubled"].added == 5
    assert hashlib.sha256(built.warehouse.read_bytes()).hexdigest() == before


@pytest.fixture
def limits(project: Path) -> None:
    """A model of a threshold of the shipped rules, which a site would set for itself."""
    (project / "models" / "fct_limit.sql").write_text(
        "select threshold_value from {{ source('raw', 'rule_set') }} "
        "where rule_set_id = 'programme' and threshold_name = 'days_max' and is_of_site"
    )
    (project / "models" / "sources.yml").write_text(
        "sources: [{name: raw, tables: [{name: rule_set}]}]"
    )


@pytest.mark.slow
def test_a_threshold_that_was_changed_is_there_and_what_follows_is_built(
    limits: None, copy: Home, settings: Settings, tmp_path: Path
) -> None:
    shipped = (SHIPPED / "programme.yaml").read_text(encoding="utf-8")
    shipped = shipped.replace('version: "', 'version: "ours-', 1)
    start = shipped.index("- name: days_max")
    changed = shipped[:start] + shipped[start:].replace("value: 7", "value: 9", 1)
    site = tmp_path / "site"
    (site / "rules").mkdir(parents=True)
    (site / "rules" / "programme.yaml").write_text(changed, encoding="utf-8")
    with_site = own(copy, settings).model_copy(update={"site": site})
    for _ in range(2):
        assert build_changed(copy, with_site).models == ("fct_limit",)
    with duckdb.connect(str(copy.marts), read_only=True) as con:
        assert con.execute("select threshold_value from fct_limit").fetchall() == [(9,)]


@pytest.mark.slow
def test_a_changed_model_that_breaks_its_test_says_which(
    copy: Home, settings: Settings, project: Path
) -> None:
    model = project / "models" / "fct_score.sql"
    model.write_text(
        model.read_text().replace("score as score", "nullif(score, 9)::decimal(18, 6) as score")
    )
    with pytest.raises(BuildError, match="score_is_known"):
        build_changed(copy, own(copy, settings))


@pytest.mark.slow
def test_after_a_build_that_did_not_end_well_there_is_no_difference_to_tell(
    copy: Home, settings: Settings, project: Path
) -> None:
    model = project / "models" / "fct_score.sql"
    sound = model.read_text()
    model.write_text(sound.replace("score as score", "nullif(score, 9)::decimal(18, 6) as score"))
    with pytest.raises(BuildError):
        build_changed(copy, own(copy, settings))
    with pytest.raises(WorkbenchError, match="stopped"):
        diff_marts(copy)
    model.write_text(sound)
    build_changed(copy, own(copy, settings))
    assert diff_marts(copy) == []


@pytest.mark.slow
def test_a_test_that_warns_has_not_passed_and_is_told_with_what_it_found(
    copy: Home, project: Path
) -> None:
    model, columns = project / "models" / "fct_score.sql", project / "models" / "fct_score.yml"
    model.write_text(
        model.read_text().replace("score as score", "nullif(score, 9)::decimal(18, 6) as score")
    )
    columns.write_text(columns.read_text().replace("{meta:", "{severity: warn, meta:"))
    told = "test score_is_known of fct_score finds 1 row, which spoils every status"
    run = CliRunner()
    done = run.invoke(app, ["model", "build", "--home", str(copy.root), "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout) == {"models": ["fct_score"], "n_tests": 0, "warnings": [told]}
    said = run.invoke(app, ["model", "build", "--home", str(copy.root)])
    assert said.exit_code == 1
    assert "1 model built, 0 tests passed, 1 warns." in said.stdout
    assert told in said.stdout


@pytest.mark.slow
def test_the_docs_are_one_page_that_holds_every_model(
    built: Home, settings: Settings, project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(workbench, "project_folder", lambda: project)
    page = write_docs(built, settings, tmp_path / "docs" / "models.html")
    assert "model.small.fct_score" in page.read_text(encoding="utf-8")


def test_a_copy_holds_neither_names_nor_log(copy: Home, built: Home) -> None:
    for folder in (copy.vault, copy.archive, copy.receipts, copy.deliveries, copy.editions):
        assert not any(folder.iterdir()), folder
    assert any(built.receipts.iterdir())


def test_only_its_owner_may_read_a_copy(copy: Home) -> None:
    assert copy.root.stat().st_mode & 0o777 == 0o700
    files = [path for path in copy.root.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_a_copy_is_of_an_edition_whose_build_stands_or_the_remedy_is_told(
    built: Home, settings: Settings, tmp_path: Path
) -> None:
    first = current_id(built)
    assert first is not None
    assert clone(built, tmp_path / "first", first) == first
    build(built, settings, day(3).date())
    with pytest.raises(WorkbenchError, match=r"differs in as_of.*--as-of 2024-03-02 --known-at 2"):
        clone(built, tmp_path / "second")
    assert not (tmp_path / "second").exists()
    pass_audit(built)
    second = publish(built, settings)
    assert clone(built, tmp_path / "second") == second != first
    with pytest.raises(WorkbenchError, match=f"not edition {first}"):
        clone(built, tmp_path / "third", first)
    with pytest.raises(EditionError, match="no edition 'other'"):
        clone(built, tmp_path / "third", "other")


@pytest.mark.usefixtures("built")
def test_a_home_is_never_worked_on_as_if_it_were_a_copy(home: Home, settings: Settings) -> None:
    with pytest.raises(WorkbenchError, match="no copy"):
        build_changed(home, settings)
    with pytest.raises(WorkbenchError, match="no copy"):
        diff_marts(home)
    with pytest.raises(WorkbenchError, match="something else"):
        clone(home, home.root)


def test_without_a_build_there_is_nothing_to_copy(home: Home, tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="no finished build"):
        clone(home, tmp_path / "copy")


@pytest.mark.slow
def test_the_commands_say_what_to_do_next_and_leave_with_one_where_marts_differ(
    built: Home, project: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "tried"
    run = CliRunner()
    made = run.invoke(app, ["model", "clone", str(copy), "--home", str(built.root)])
    assert made.exit_code == 0, made.output
    assert "tessera model build" in made.output
    (project / "models" / "fct_doubled.sql").write_text(SECOND)
    tried = run.invoke(app, ["model", "build", "--home", str(copy), "--json"])
    assert json.loads(tried.stdout) == {"models": ["fct_doubled"], "n_tests": 0, "warnings": []}
    told = run.invoke(app, ["model", "diff", "--home", str(copy), "--json"])
    assert told.exit_code == 1
    assert json.loads(told.stdout)["table"] == "fct_doubled"


@pytest.mark.slow
def test_the_name_of_a_mart_is_whole_on_a_narrow_screen(copy: Home, project: Path) -> None:
    name = "programme_performance_of_instruments"
    (project / "models" / f"{name}.sql").write_text(SECOND)
    run = CliRunner(env={"COLUMNS": "80"})
    assert run.invoke(app, ["model", "build", "--home", str(copy.root)]).exit_code == 0
    assert name in run.invoke(app, ["model", "diff", "--home", str(copy.root)]).output


@pytest.mark.slow
def test_a_mart_that_was_taken_away_again_is_none(
    copy: Home, settings: Settings, project: Path
) -> None:
    (project / "models" / "fct_doubled.sql").write_text(SECOND)
    build_changed(copy, own(copy, settings))
    (project / "models" / "fct_doubled.sql").unlink()
    build_changed(copy, own(copy, settings))
    assert diff_marts(copy) == []
