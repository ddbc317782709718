from __future__ import annotations

import subprocess
import sys

from tests.dbt.conftest import PROJECT, Built


def test_one_build_makes_every_model_and_passes_every_test(built: Built) -> None:
    assert built.exit_code == 0, built.output
    statuses = {
        result["status"]
        for result in built.results
        if not result["unique_id"].startswith("exposure.")
    }
    assert statuses == {"success", "pass"}


def test_schemas_are_named_as_the_architecture_names_them(built: Built) -> None:
    found = built.query("select distinct database_name, schema_name from duckdb_tables()")
    assert set(found) <= {
        ("build", "raw"),
        ("build", "staging"),
        ("build", "intermediate"),
        ("build", "restricted_marts"),
        ("marts", "main"),
    }


def test_keys_that_come_once_each_are_stored_without_a_dictionary(built: Built) -> None:
    [(made,)] = built.query(
        "select sql from duckdb_tables() where table_name = 'int_cell_evidence__assigned'"
    )
    assert "record_key VARCHAR USING COMPRESSION Uncompressed" in made
    assert "learner_key VARCHAR," in made


def test_the_folder_dbt_does_not_hide_the_package_dbt() -> None:
    assert not list(PROJECT.rglob("__init__.py"))
    subprocess.run(
        [sys.executable, "-c", "import dbt.version"], cwd=PROJECT.parent, check=True, timeout=60
    )


def test_dbt_tells_nobody_anything_and_downloads_nothing() -> None:
    text = (PROJECT / "dbt_project.yml").read_text(encoding="utf-8")
    assert "send_anonymous_usage_stats: false" in text
    assert not list(PROJECT.glob("packages.yml")) + list(PROJECT.glob("dependencies.yml"))


def test_the_profile_lets_go_of_the_warehouse_unless_told_otherwise() -> None:
    text = (PROJECT / "profiles.yml").read_text(encoding="utf-8")
    assert "{{ (env_var('TESSERA_KEEP_OPEN', 'false') == 'true') | as_bool }}" in text
