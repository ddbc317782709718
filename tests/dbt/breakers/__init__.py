"""For every data test, SQL that breaks the data, so that the test is seen to fail.

Generic tests whose break follows from their arguments need no entry; `automatic` finds it. Every
module here may hold a dictionary `BREAKERS`: name of the test to the SQL that breaks the data.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any


def written() -> dict[str, str]:
    """Return every breaker that somebody wrote."""
    found: dict[str, str] = {}
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        breakers: dict[str, str] = importlib.import_module(module.name).BREAKERS
        twice = found.keys() & breakers.keys()
        if twice:
            raise ValueError(f"broken twice: {', '.join(sorted(twice))}")
        found |= breakers
    return found


def automatic(test: dict[str, Any], nodes: dict[str, Any]) -> str | None:
    """Return the break of a generic test that follows from its arguments, if there is one."""
    node = nodes.get(test.get("attached_node") or "")
    if node is None:
        return None
    relation = node["relation_name"]
    column = test.get("column_name")
    match test["test_metadata"]["name"]:
        case "unique" | "unique_combination" | "same_row_count" | "no_overlap":
            counted = test["test_metadata"]["kwargs"].get("where", "true")
            change = f"insert into {relation} select * from {relation} where {counted} limit 1"
        case "not_null":
            change = f"update {relation} set {column} = null"
        case "accepted_values" | "relationships":
            change = f"update {relation} set {column} = {_stranger(node, column)}"
        case "not_negative":
            change = f"update {relation} set {column} = -1"
        case _:
            return None
    if node["config"]["materialized"] != "view":
        return change
    for_an_empty_view = f"insert into {relation} default values; " * 2
    return f"{_as_table(node)}; {change}; {for_an_empty_view}"


def _stranger(node: dict[str, Any], column: str | None) -> str:
    """Return a value, of the type of the column, that no list and no other table holds."""
    data_type = node["columns"][column]["data_type"]
    return "'nothing of the kind'" if data_type == "varchar" else "-99999"


def _as_table(node: dict[str, Any]) -> str:
    """Put a table that can be changed in the place of a view."""
    relation = node["relation_name"]
    spare = f'"{node["schema"]}"."{node["name"]}_as_table"'
    return (
        f"create table {spare} as select * from {relation}; drop view {relation}; "
        f'alter table {spare} rename to "{node["name"]}"'
    )
