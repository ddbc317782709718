"""What the manifest must say: layers, grain, documentation, contracts, sources."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.committee.site import SEEN_BY_NEED
from pipelines.contracts import CONTRACTS
from pipelines.warehouse.raw_schema import raw_tables
from tests.dbt.conftest import PROJECT, Built

READS = {
    "staging": {"source"},
    "intermediate": {"staging", "intermediate", "seed"},
    "core": {"staging", "intermediate", "core", "seed"},
    "portfolio": {"staging", "intermediate", "core", "portfolio", "seed"},
    "marts": {"staging", "intermediate", "core", "portfolio", "marts", "seed"},
}
"""What each layer may read. Core marts carry every other one, and so do the intermediate models of
the portfolio and of data quality, which stand on core marts and which core marts never read."""

CONSEQUENCES = {
    "evidence",
    "status",
    "exams",
    "ai_use",
    "committee",
    "people",
    "fairness",
    "data_quality",
}


def layer_of(unique_id: str, nodes: dict[str, Any]) -> str:
    resource_type = unique_id.split(".")[0]
    if resource_type != "model":
        return resource_type
    layer, topic = nodes[unique_id]["fqn"][1:3]
    refined = {
        ("marts", "core"): "core",
        ("intermediate", "portfolio"): "portfolio",
        ("intermediate", "quality"): "portfolio",
    }
    return refined.get((layer, topic), str(layer))


def layer_violations(nodes: dict[str, Any]) -> Iterator[str]:
    """Every place where a model reads a layer that its own layer must not read."""
    for unique_id, node in nodes.items():
        if node["resource_type"] != "model":
            continue
        layer = layer_of(unique_id, nodes)
        for parent in node["depends_on"]["nodes"]:
            if (read := layer_of(parent, nodes)) not in READS[layer]:
                yield f"{node['name']} ({layer}) reads {parent} ({read})"


def cycles(nodes: dict[str, Any]) -> list[str]:
    """The models that depend on themselves."""
    parents = {
        unique_id: [p for p in node["depends_on"].get("nodes", []) if p in nodes]
        for unique_id, node in nodes.items()
    }
    found = []
    for start in parents:
        seen: set[str] = set()
        waiting = list(parents[start])
        while waiting:
            current = waiting.pop()
            if current == start:
                found.append(start)
                break
            if current not in seen:
                seen.add(current)
                waiting.extend(parents[current])
    return found


def test_every_layer_reads_only_the_layers_below_it(manifest: dict[str, Any]) -> None:
    assert list(layer_violations(manifest["nodes"])) == []


def test_a_mart_that_reads_raw_is_found() -> None:
    nodes = {
        "model.tessera.fct_x": {
            "resource_type": "model",
            "name": "fct_x",
            "fqn": ["tessera", "marts", "core", "fct_x"],
            "depends_on": {"nodes": ["source.tessera.raw.task"]},
        }
    }
    assert list(layer_violations(nodes)) == ["fct_x (core) reads source.tessera.raw.task (source)"]


def test_no_model_depends_on_itself(manifest: dict[str, Any]) -> None:
    assert cycles(manifest["nodes"]) == []


def test_a_cycle_is_found() -> None:
    nodes = {"a": {"depends_on": {"nodes": ["b"]}}, "b": {"depends_on": {"nodes": ["a"]}}}
    assert cycles(nodes) == ["a", "b"]


def test_names_tell_the_layer(built: Built) -> None:
    prefixes = {
        "staging": ("stg_",),
        "intermediate": ("int_",),
        "marts": ("dim_", "fct_", "bridge_", "portfolio_", "committee_", "programme_"),
    }
    wrong = [
        node["name"]
        for node in built.nodes("model")
        if not node["name"].startswith(prefixes[node["fqn"][1]])
        or (node["fqn"][1] == "intermediate" and "__" not in node["name"])
    ]
    assert wrong == []


def test_every_kind_of_record_has_one_staging_model(built: Built) -> None:
    names = {node["name"] for node in built.nodes("model")}
    assert {f"stg_{kind}" for kind in CONTRACTS} <= names


def test_every_model_opens_with_its_grain(built: Built) -> None:
    for node in built.nodes("model"):
        sql = Path(PROJECT / node["original_file_path"]).read_text(encoding="utf-8")
        assert sql.startswith("-- Grain: one row"), node["name"]
        assert node["description"].strip().startswith("Grain: one row"), node["name"]


def test_a_code_that_several_models_share_is_written_in_one_macro() -> None:
    for path in (PROJECT / "models").rglob("*.sql"):
        sql = path.read_text(encoding="utf-8")
        assert "'no_stage'" not in sql, f"{path.name}: stage_or_none"
        assert not re.search(r"\bsummary\s*=\s*\d", sql), f"{path.name}: is_by_median"


def test_every_model_has_a_yml_of_its_own_beside_it(built: Built) -> None:
    for node in built.nodes("model"):
        beside = (PROJECT / node["original_file_path"]).with_suffix(".yml")
        assert node["patch_path"] == f"tessera://{beside.relative_to(PROJECT)}", node["name"]


def test_every_column_is_documented_and_typed_as_it_was_built(built: Built) -> None:
    stands: dict[str, list[tuple[str, str]]] = {}
    for table, column, data_type in built.query(
        "select table_name, column_name, lower(data_type) from duckdb_columns() "
        "where schema_name <> 'raw' and database_name in ('build', 'marts') "
        "order by table_name, column_index"
    ):
        stands.setdefault(table, []).append((column, data_type))
    for node in built.nodes("model"):
        told = [
            (column["name"], column["data_type"] and column["data_type"].lower())
            for column in node["columns"].values()
        ]
        assert told == stands[node["name"]], node["name"]
        bare = [c["name"] for c in node["columns"].values() if not c["description"].strip()]
        assert bare == [], node["name"]


def test_every_mart_has_a_contract_and_a_group_and_is_public_unless_restricted(
    built: Built,
) -> None:
    for node in built.nodes("model"):
        if node["fqn"][1] != "marts":
            continue
        assert node["config"]["contract"]["enforced"], node["name"]
        assert node["config"]["materialized"] in {"table", "incremental"}, node["name"]
        assert node["config"]["group"], node["name"]
        is_restricted = node["schema"] == "restricted_marts"
        assert node["config"]["access"] == ("private" if is_restricted else "public"), node["name"]


def test_every_mart_is_tested_for_its_key(built: Built) -> None:
    keyed = {
        test["attached_node"]
        for test in built.nodes("test")
        if (test.get("test_metadata") or {}).get("name") in {"unique", "unique_combination"}
    }
    marts = {n["unique_id"] for n in built.nodes("model") if n["fqn"][1] == "marts"}
    assert marts - keyed == set()


def test_every_mart_that_code_reads_is_in_an_exposure(built: Built) -> None:
    exposed = {
        parent
        for exposure in built.manifest["exposures"].values()
        for parent in exposure["depends_on"]["nodes"]
    }
    code = " ".join(
        path.read_text(encoding="utf-8") for path in (PROJECT.parent / "pipelines").rglob("*.py")
    )
    words = set(re.findall(r"\w+", code))
    hidden = [
        node["name"]
        for node in built.nodes("model")
        if node["fqn"][1] == "marts"
        and node["name"] in words - SEEN_BY_NEED
        and node["unique_id"] not in exposed
    ]
    assert hidden == []


def test_every_data_test_says_how_severe_it_is_and_who_is_harmed(built: Built) -> None:
    for test in built.nodes("test"):
        assert test["config"]["severity"].lower() in {"error", "warn"}, test["name"]
        assert test["config"]["meta"].get("consequence") in CONSEQUENCES, test["name"]


def test_every_singular_test_tells_what_to_do(built: Built) -> None:
    for test in built.nodes("test"):
        if test.get("test_metadata"):
            continue
        assert test["name"].startswith("assert_"), test["name"]
        for question in ("What is this test?", "important to resolve?", "How to resolve?"):
            assert question in test["raw_code"], test["name"]


def test_every_unit_test_is_described_in_words(manifest: dict[str, Any]) -> None:
    for test in manifest["unit_tests"].values():
        assert len((test["description"] or "").split()) > 5, test["name"]


def test_sources_are_the_raw_tables_column_for_column(manifest: dict[str, Any]) -> None:
    told = {
        source["name"]: {c["name"]: c["data_type"] for c in source["columns"].values()}
        for source in manifest["sources"].values()
    }
    assert told == raw_tables()


@pytest.mark.parametrize("kind", sorted(CONTRACTS))
def test_staging_keeps_accepted_records_only(kind: str) -> None:
    (path,) = PROJECT.glob(f"models/staging/*/stg_{kind}.sql")
    assert "where present_outcome = 'accepted'" in path.read_text(encoding="utf-8")
