"""The dbt project: where it is, and what its artefacts say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

import pipelines
from pipelines.home import Home
from pipelines.warehouse.connection import MARTS, WarehouseError
from pipelines.warehouse.tables import Layout

FAILING = {"error", "fail", "runtime error"}
UNIQUE_COMBINATION = "unique_combination"
CODE = frozenset({".sql", ".yml", ".yaml", ".csv"})
"""How files end that decide what a project makes."""
WORDS = frozenset({".md"})
"""How files end that only describe it."""
MADE_BY_DBT = frozenset({"target", "logs"})


def project_folder() -> Path:
    """Return the folder of the dbt project, which lies beside the package.

    Raises:
        WarehouseError: it is not there.
    """
    folder = Path(pipelines.__file__).resolve().parents[1] / "dbt"
    if not (folder / "dbt_project.yml").exists():
        raise WarehouseError(
            f"no dbt project in {folder}: install Tessera from its repository with "
            "`pip install -e .`"
        )
    return folder


def target_folder(home: Home) -> Path:
    """Return where dbt leaves its artefacts."""
    return home.warehouse.parent / "dbt"


def files_digest(project: Path, suffixes: frozenset[str] = CODE | WORDS) -> str:
    """Return the SHA-256 over the paths and bytes of a project's files."""
    digest = hashlib.sha256()
    for path in sorted(project.rglob("*")):
        inside = path.relative_to(project)
        if path.suffix in suffixes and not MADE_BY_DBT & set(inside.parts):
            digest.update(inside.as_posix().encode() + b"\0")
            digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


@cache
def printed_id_length() -> int:
    """Return how many characters of a key stand in the id that pages print.

    Raises:
        WarehouseError: there is no dbt project.
    """
    told = yaml.safe_load((project_folder() / "dbt_project.yml").read_text(encoding="utf-8"))
    return int(told["vars"]["printed_id_length"])


def dbt_versions() -> str:
    """Return the versions of dbt and of its adapter that are installed."""
    return f"{version('dbt-core')} {version('dbt-duckdb')}"


class ProgrammePage(BaseModel):
    """What a mart says of itself as `meta: {programme_page: …}`: that it goes to the programme."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    counts_of_learners: tuple[str, ...] = ()
    """Columns that count learners: a row in which one of them is too small goes out unnumbered."""
    parts_of_learners: tuple[str, ...] = ()
    """Columns that count some of the first: what they leave may not be too small either."""
    counts_of_assessors: tuple[str, ...] = ()
    """Columns that count assessors: what rests on few of them says how these assess."""
    whole_of: tuple[tuple[str, ...], ...] = ()
    """Groups all of whose learners it counts, each by the columns that name it. Where rows of one
    group differ, the largest count is that of all."""
    part_of: tuple[tuple[str, ...], ...] = ()
    """Groups of whose learners it counts some: less what another mart counts of the same group,
    they may not leave too few."""
    apart_by: str | None = None
    """A column that splits the learners of a group; where it is empty, all count together."""


@dataclass(frozen=True)
class Mart:
    """A model that consumers may rely on: a table of the schema `marts` with a contract."""

    name: str
    key: tuple[str, ...]
    """What its constraints or data tests prove unique; empty where they prove nothing."""
    columns: dict[str, str]
    """Description by column, in order."""
    description: str
    group: str | None
    parts_by: str | None = None
    """The day by whose month it lies in parts when it is long; None where it is one file."""
    version: int = 1
    """Of its contract: raised when a column goes, is renamed or gets another type."""
    programme_page: ProgrammePage | None = None
    """How it goes to the programme; None where it does not."""

    @property
    def layout(self) -> Layout:
        """Return how its rows lie in an edition."""
        return Layout(self.key, self.parts_by)


@dataclass(frozen=True)
class NodeResult:
    """What became of one model, seed or test."""

    name: str
    resource_type: str
    status: str
    seconds: float
    n_failures: int | None
    message: str | None
    model: str | None
    """For a test: the model that it tests."""
    consequence: str | None
    """For a test: what it spoils when it fails."""

    @property
    def is_failing(self) -> bool:
        """Return whether the build may not go on with this."""
        return self.status in FAILING

    def sentence(self) -> str:
        """Return what went wrong, in words."""
        if self.resource_type in {"test", "unit_test"} and self.status in {"fail", "warn"}:
            rows = "1 row" if self.n_failures == 1 else f"{self.n_failures} rows"
            found = f" finds {rows}" if self.resource_type == "test" else " fails"
            spoils = f", which spoils {self.consequence}" if self.consequence else ""
            detail = f" ({self.message})" if self.resource_type == "unit_test" else ""
            return f"test {self.name} of {self.model}{found}{spoils}{detail}"
        return f"{self.resource_type} {self.name}: {self.message or self.status}"


class Artefacts:
    """What dbt wrote about its last run in one target folder."""

    def __init__(self, target: Path) -> None:
        """Look into `target`."""
        self._target = target

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Return dbt's manifest."""
        return self._read("manifest.json")

    @cached_property
    def run_results(self) -> dict[str, Any]:
        """Return dbt's run results."""
        return self._read("run_results.json")

    @property
    def dbt_version(self) -> str:
        """Return the version of dbt that ran."""
        return str(self.manifest["metadata"]["dbt_version"])

    def marts(self) -> list[Mart]:
        """Return the models of the schema `marts` whose contract is enforced, by name."""
        nodes = (
            node
            for node in self.manifest["nodes"].values()
            if node["resource_type"] == "model"
            and node["config"]["schema"] == MARTS
            and node["config"]["contract"]["enforced"]
            and node["config"]["materialized"] in {"table", "incremental"}
        )
        combinations = self._unique_combinations()
        return sorted(
            (_mart(node, combinations.get(node["unique_id"], ())) for node in nodes),
            key=lambda mart: mart.name,
        )

    def results(self) -> list[NodeResult]:
        """Return the result of every node, in the order in which dbt ran them."""
        nodes = self.manifest["nodes"] | self.manifest.get("unit_tests", {})
        return [
            _result(nodes.get(result["unique_id"], {}), result, nodes)
            for result in self.run_results["results"]
        ]

    def _unique_combinations(self) -> dict[str, tuple[str, ...]]:
        """Return the columns that a data test proves unique together, by model."""
        return {
            node["attached_node"]: tuple(node["test_metadata"]["kwargs"]["columns"])
            for _, node in sorted(self.manifest["nodes"].items(), reverse=True)
            if (node.get("test_metadata") or {}).get("name") == UNIQUE_COMBINATION
        }

    def _read(self, name: str) -> dict[str, Any]:
        path = self._target / name
        if not path.exists():
            raise WarehouseError(f"{path} is missing: run `tessera run` to build first")
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return content


def _mart(node: Mapping[str, Any], combination: tuple[str, ...]) -> Mart:
    columns = node["columns"]
    meta = node["config"].get("meta") or {}
    return Mart(
        name=node["alias"],
        key=tuple(node.get("primary_key") or combination),
        columns={name: column["description"] for name, column in columns.items()},
        description=node["description"],
        group=node.get("group"),
        parts_by=_parts_by(node, meta),
        version=int(meta.get("version", 1)),
        programme_page=_programme_page(node, meta),
    )


def _parts_by(node: Mapping[str, Any], meta: Mapping[str, Any]) -> str | None:
    """Return the column that `meta: {parts_by: …}` names.

    Raises:
        WarehouseError: it is no column, or no day.
    """
    if (day := meta.get("parts_by")) is None:
        return None
    column = node["columns"].get(day)
    if column is None or (column["data_type"] or "").lower() != "date":
        raise WarehouseError(
            f"{node['patch_path'].split('://')[-1]}: parts_by of {node['alias']} names {day!r}: "
            "name a column of it whose data_type is date"
        )
    return str(day)


def _programme_page(node: Mapping[str, Any], meta: Mapping[str, Any]) -> ProgrammePage | None:
    if "programme_page" not in meta:
        return None
    where = f"{node['patch_path'].split('://')[-1]}: programme_page of {node['alias']}"
    try:
        page = ProgrammePage.model_validate(meta["programme_page"])
    except ValidationError as error:
        raise WarehouseError(
            f"{where} takes counts_of_learners, parts_of_learners and counts_of_assessors, each a "
            "list of columns, whole_of and part_of, lists of such lists, and apart_by, a column: "
            f"{error.errors()[0]['msg']}"
        ) from None
    named = [
        *page.counts_of_learners,
        *page.parts_of_learners,
        *page.counts_of_assessors,
        *(column for group in (*page.whole_of, *page.part_of) for column in group),
        *filter(None, [page.apart_by]),
    ]
    if unknown := [name for name in named if name not in node["columns"]]:
        raise WarehouseError(
            f"{where} names {', '.join(unknown)}, which it has no column for: name columns of it"
        )
    if page.parts_of_learners and not page.counts_of_learners:
        raise WarehouseError(
            f"{where} names parts: say in counts_of_learners what they are part of"
        )
    if page.counts_of_learners and not {"whole_of", "part_of"} & page.model_fields_set:
        raise WarehouseError(
            f"{where} counts learners: say in whole_of or part_of of which groups, by the columns "
            "that name them, such as [[programme_id, stage_id]]; [] where no other mart counts any "
            "of the same learners"
        )
    return page


def _result(
    node: Mapping[str, Any], result: Mapping[str, Any], nodes: Mapping[str, Any]
) -> NodeResult:
    return NodeResult(
        name=str(node.get("name", result["unique_id"])),
        resource_type=str(node.get("resource_type", result["unique_id"].split(".")[0])),
        status=str(result["status"]),
        seconds=round(float(result["execution_time"]), 3),
        n_failures=result.get("failures"),
        message=result.get("message"),
        model=_tested_model(node, nodes),
        consequence=_consequence(node),
    )


def _tested_model(node: Mapping[str, Any], nodes: Mapping[str, Any]) -> str | None:
    if node.get("resource_type") == "unit_test":
        return str(node["model"])
    depends_on = node.get("depends_on", {}).get("nodes", [])
    tested = node.get("attached_node") or next(iter(depends_on), None)
    return str(nodes.get(tested, {}).get("name", tested)) if tested else None


def _consequence(node: Mapping[str, Any]) -> str | None:
    meta = node.get("config", {}).get("meta") or node.get("meta") or {}
    told = meta.get("consequence")
    description = " ".join(str(node.get("description") or "").split())
    return " : ".join(part for part in (told, description) if part) or None
