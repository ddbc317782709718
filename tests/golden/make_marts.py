"""Keep the contract of every mart: its version, and its columns with their types.

Run after adding a mart or a column, or after raising the version of a mart:
python -m tests.golden.make_marts
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

MARTS = Path(__file__).parents[2] / "dbt" / "models" / "marts"
KEPT = Path(__file__).parent / "marts.json"

Contracts = dict[str, dict[str, Any]]


def declared(folder: Path = MARTS) -> Contracts:
    """Return the contract of every mart as its `.yml` declares it."""
    found: Contracts = {}
    for path in sorted(folder.rglob("*.yml")):
        for model in yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader).get("models", ()):
            meta = model.get("config", {}).get("meta", {})
            found[model["name"]] = {
                "version": int(meta.get("version", 1)),
                "columns": {column["name"]: column["data_type"] for column in model["columns"]},
            }
    return dict(sorted(found.items()))


def kept() -> Contracts:
    """Return the contracts that were kept."""
    contracts: Contracts = json.loads(KEPT.read_text(encoding="utf-8"))
    return contracts


def broken(before: Contracts, now: Contracts) -> list[str]:
    """Return what consumers of kept contracts would miss, in words."""
    problems = []
    for mart, contract in before.items():
        if mart not in now:
            problems.append(f"{mart} is gone")
            continue
        if now[mart]["version"] > contract["version"]:
            continue
        columns = now[mart]["columns"]
        problems += [
            f"{mart}.{name} is {columns.get(name, 'gone')}, "
            f"version {contract['version']} says {kind}"
            for name, kind in contract["columns"].items()
            if columns.get(name) != kind
        ]
    return problems


def main() -> None:
    """Write the contracts as they are declared now."""
    KEPT.write_text(json.dumps(declared(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
