"""A project is parsed once for all homes, and anew as soon as a file of it changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.warehouse.build import BuildError, build
from pipelines.warehouse.dbt_project import target_folder
from pipelines.warehouse.dbt_runner import invoke
from pipelines.warehouse.load import load
from pipelines.warehouse.parsed_project import keep_parse, kept_parse, read_parse
from tests.warehouse.small_project import fill

pytestmark = pytest.mark.usefixtures("shipped_project")


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What dbt parsed, by the name of the project."""
    from dbt.parser.manifest import ManifestLoader

    seen: list[str] = []
    original = ManifestLoader.load

    def load(self: ManifestLoader) -> Any:
        seen.append(self.root_project.project_name)
        return original(self)

    monkeypatch.setattr(ManifestLoader, "load", load)
    return seen


def test_one_parse_serves_every_home(
    home: Home, settings: Settings, log: Any, project: Path, parses: list[str]
) -> None:
    fill(log)
    load(home, settings)
    first = build(home, settings)
    second = build(home, settings)
    assert first.nodes == second.nodes == {"model": 1, "test": 1}
    assert parses == ["small"]
    assert list((project / "target").iterdir()) == [kept_parse(project)]


def test_an_edited_file_is_parsed_and_the_older_parse_goes(
    home: Home, settings: Settings, log: Any, project: Path, parses: list[str]
) -> None:
    fill(log)
    load(home, settings)
    build(home, settings)
    (project / "models" / "fct_score.sql").write_text("select nonsense from raw.nowhere")
    with pytest.raises(BuildError, match="model fct_score"):
        build(home, settings)
    assert parses == ["small", "small"]
    assert list((project / "target").iterdir()) == [kept_parse(project)]


GROUPS = """
groups:
  - name: scores
    owner: {name: the exams office}
"""
UNIT_TESTS = """
unit_tests:
  - name: {name}
    model: fct_score
    given: []
    expect: {{rows: []}}
"""


def test_a_unit_test_that_was_taken_out_is_gone_even_where_its_model_changed_too(
    home: Home, settings: Settings, project: Path
) -> None:
    with (project / "dbt_project.yml").open("a") as file:
        file.write("    +group: scores\n")
    (project / "models" / "groups.yml").write_text(GROUPS)
    columns = project / "models" / "fct_score.yml"
    words = columns.read_text()
    for name in ("first", "second", "third"):
        described = words.replace(
            "- name: fct_score", f"- name: fct_score\n    description: {name}"
        )
        columns.write_text(described + UNIT_TESTS.format(name=name))
        parsed = invoke(home, settings, project, "parse").result
        assert [test.name for test in parsed.unit_tests.values()] == [name]


def test_a_warehouse_of_another_name_leaves_the_parse_of_homes_alone(
    home: Home, settings: Settings, log: Any, project: Path, parses: list[str]
) -> None:
    fill(log)
    load(home, settings)
    build(home, settings)
    of_homes = kept_parse(project)
    before = of_homes.read_bytes()
    with pytest.MonkeyPatch.context() as patched:
        elsewhere = home.warehouse.with_name("elsewhere.duckdb")
        patched.setattr(Home, "warehouse", elsewhere)
        assert invoke(home, settings, project, "parse").success
        patched.setenv("TESSERA_WAREHOUSE", str(elsewhere))
        parse = read_parse(kept_parse(project))
        assert parse is not None
        databases = {node.database for node in parse.nodes.values()}
        assert "elsewhere" in databases
        assert "build" not in databases
    assert parses == ["small", "small"]
    assert of_homes.read_bytes() == before
    assert build(home, settings).nodes == {"model": 1, "test": 1}
    assert parses == ["small", "small"]


def test_where_nobody_may_write_beside_the_project_the_home_keeps_the_parse(
    home: Home, settings: Settings, project: Path, parses: list[str]
) -> None:
    (project / "target").write_text("a file, so that no folder can be made")
    for _ in range(2):
        assert invoke(home, settings, project, "parse").success
    assert parses == ["small"]
    assert (target_folder(home) / kept_parse(project).name).exists()


def test_a_project_that_dbt_cannot_read_never_counts_as_what_it_was_before(
    home: Home, settings: Settings, log: Any, project: Path
) -> None:
    fill(log)
    load(home, settings)
    build(home, settings)
    (project / "models" / "fct_score.yml").write_text("models: [")
    for _ in range(2):
        with pytest.raises(BuildError, match="dbt could not start"):
            build(home, settings)
    assert not kept_parse(project).exists()


def test_a_damaged_parse_is_made_again(
    home: Home, settings: Settings, log: Any, project: Path, parses: list[str]
) -> None:
    fill(log)
    load(home, settings)
    build(home, settings)
    kept_parse(project).write_bytes(b"\xc1 no parse")
    assert build(home, settings).nodes == {"model": 1, "test": 1}
    assert parses == ["small", "small"]
    assert read_parse(kept_parse(project)) is not None


def test_a_project_that_was_edited_while_it_was_parsed_is_not_kept(
    project: Path, tmp_path: Path
) -> None:
    kept = kept_parse(project)
    (tmp_path / "partial_parse.msgpack").write_bytes(b"parsed")
    (project / "models" / "fct_score.sql").write_text("select 1 as one")
    keep_parse(project, kept, tmp_path)
    assert not kept.exists()


def test_what_dbt_itself_leaves_beside_a_project_is_no_change(project: Path) -> None:
    kept = kept_parse(project)
    (project / "logs").mkdir()
    (project / "logs" / "dbt.log").write_text("said")
    assert kept_parse(project) == kept
