"""The kept models, run by hand in one process: dbt's own SQL of them and of all that they read.

dbt compiles every kept model twice: whole, and as it is when the table stands. Here they are run in
the order in which dbt runs them, on an in-memory database, so that hundreds of histories are cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import jinja2

from pipelines.warehouse.connection import MARTS
from pipelines.warehouse.kept import FINGERPRINTS, keep
from tests.dbt.conftest import PROJECT, Built

CODE = "test"


@dataclass(frozen=True)
class Node:
    """One model or seed: its SQL for the whole table, and for learners who moved."""

    name: str
    relation: str
    materialized: str
    parents: tuple[str, ...]
    whole: str
    moved: str
    scope_of: str
    """For a kept model, the relation with the fingerprints of its scope."""

    @property
    def is_kept(self) -> bool:
        return self.materialized == "incremental"

    @property
    def is_fingerprint(self) -> bool:
        return self.name.endswith(FINGERPRINTS)


def read_nodes(whole: Built, moved: Path) -> list[Node]:
    """Return the kept models and their ancestors, parents first.

    Args:
        whole: a build from nothing.
        moved: the target folder of `dbt compile` where every table stands.
    """
    nodes = whole.manifest["nodes"]
    kept = [uid for uid, node in nodes.items() if node["config"]["materialized"] == "incremental"]
    found: dict[str, Node] = {}

    def visit(uid: str) -> None:
        node = nodes.get(uid)
        if node is None or uid in found:
            return
        for parent in node["depends_on"].get("nodes", []):
            visit(parent)
        found[uid] = _node(node, nodes, whole.target, moved)

    for uid in sorted(kept):
        visit(uid)
    return list(found.values())


def _node(node: dict[str, Any], nodes: dict[str, Any], whole: Path, moved: Path) -> Node:
    parents = tuple(node["depends_on"].get("nodes", []))
    scopes = [nodes[uid] for uid in parents if uid in nodes and uid.endswith(FINGERPRINTS)]
    return Node(
        name=node["name"],
        relation=_relation(node),
        materialized=node["config"]["materialized"],
        parents=parents,
        whole=_compiled(whole, node),
        moved=_compiled(moved, node),
        scope_of=_relation(scopes[-1]) if scopes else "",
    )


def _relation(node: dict[str, Any]) -> str:
    return f"{node['config']['schema'] or node['schema']}.{node['alias']}"


def _compiled(target: Path, node: dict[str, Any]) -> str:
    path = target / "compiled" / "tessera" / node["original_file_path"]
    return path.read_text(encoding="utf-8") if path.exists() else ""


class Engine:
    """Builds the kept models and what they read, whole or for those who moved."""

    def __init__(self, con: duckdb.DuckDBPyConnection, nodes: list[Node], seeds: Path) -> None:
        """Make every table and view from what `raw` holds.

        `con` uses a database named `build`, and has another one named `marts`.
        """
        self._con, self.nodes = con, nodes
        macros = (PROJECT / "macros" / "kept.sql").read_text(encoding="utf-8")
        self._macros = macros
        for schema in sorted({node.relation.split(".")[0] for node in nodes} - {MARTS}):
            con.execute(f"create schema if not exists {schema}")
        con.execute(f"attach '{seeds}' as seeds (read_only)")
        for node in nodes:
            if node.materialized == "seed":
                con.execute(f"create table {node.relation} as from seeds.{node.relation}")
            else:
                what = "view" if node.materialized == "view" else "table"
                con.execute(f"create {what} {node.relation} as {node.whole}")
        con.execute("detach seeds")

    def build(self, *, whole: bool = False, stop_after: int | None = None) -> dict[str, int] | None:
        """Build once; return how many moved by scope, or None where it was stopped."""
        tables = [node for node in self.nodes if node.materialized in {"table", "incremental"}]
        if whole:
            self._con.execute("delete from raw.kept_learner")
        for node in tables[:stop_after]:
            self._con.begin()
            for statement in self._statements(node, whole=whole):
                self._con.execute(statement)
            self._con.commit()
        if stop_after is not None and stop_after < len(tables):
            return None
        return keep(self._con, CODE)

    def differing(self) -> list[str]:
        """Return the kept tables that are not what their whole model gives."""
        return differing(self._con, self.nodes)

    def without_fingerprint(self) -> list[str]:
        """Return the kept models with rows of learners who have no fingerprint in their scope."""
        return [
            node.name
            for node in self.nodes
            if node.is_kept
            and self._con.execute(
                f"""
                select count(*) from ({node.whole})
                where learner_key not in (
                    select learner_key from {node.scope_of} where learner_key is not null
                )
                """
            ).fetchall()
            != [(0,)]
        ]

    def _statements(self, node: Node, *, whole: bool) -> Iterator[str]:
        if node.is_kept and not whole:
            yield self.hook(f"drop_moved('{node.scope_of}')", node)
            yield f"create or replace temp table made as {node.moved}"
            yield self.hook("give_back_share()", node)
            yield f"insert into {node.relation} by name from made"
        else:
            yield f"delete from {node.relation}"
            yield f"insert into {node.relation} by name {_as_query(node.whole)}"
        if node.is_fingerprint:
            scope = f"(select any_value(scope) from {node.relation})"
            yield self.hook("forget_moved('SCOPE')", node).replace("'SCOPE'", scope)

    def hook(self, call: str, node: Node) -> str:
        """Return what a macro comes to as a hook of a kept model."""
        names = {
            "this": node.relation,
            "is_incremental": lambda: True,
            "ref": lambda name: name,
            "env_var": lambda _, default: default,
            "adapter": _Adapter(self._macros),
        }
        return jinja2.Template(f"{self._macros}\n{{{{ {call} }}}}").render(names).strip()


class _Adapter:
    """Finds what a macro is for DuckDB, as dbt does."""

    def __init__(self, macros: str) -> None:
        names = {
            "env_var": lambda _, default: default,
            "is_incremental": lambda: True,
        }
        self._macros = jinja2.Template(macros).make_module(names)

    def dispatch(self, name: str, package: str) -> Callable[..., str]:
        assert package == "tessera"
        macro: Callable[..., str] = getattr(self._macros, f"default__{name}")
        return macro


def differing(con: duckdb.DuckDBPyConnection, nodes: list[Node]) -> list[str]:
    """Return the kept tables that are not what their whole model gives from what it reads.

    Every other table was made anew: where there is none, a build from nothing gives the same.
    """
    return [node.name for node in nodes if node.is_kept and _differs(con, node)]


def _differs(con: duckdb.DuckDBPyConnection, node: Node) -> bool:
    con.execute(f"create or replace temp table expected as {node.whole}")
    rows = con.execute(
        f"""
        select count(*) from (
            (from expected except all from {node.relation})
            union all
            (from {node.relation} except all from expected)
        )
        """
    ).fetchall()
    return bool(rows[0][0])


def _as_query(sql: str) -> str:
    return f"select * from ({sql})"


def load_nodes(built: Built, compiled: Path) -> list[Node]:
    """Return the nodes of a build, and prove that kept models were compiled for moved learners."""
    nodes = read_nodes(built, compiled)
    for node in nodes:
        if node.is_kept and (node.whole == node.moved or "is_moved" not in node.moved):
            raise AssertionError(f"{node.name} was not compiled as where its table stands")
    return nodes
