"""What a build is made from: the same inputs give the same tables, under the same id."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import duckdb
from pydantic import AwareDatetime, BaseModel, ConfigDict

import pipelines
from pipelines.settings import Settings
from pipelines.warehouse.dbt_project import CODE, files_digest
from pipelines.warehouse.hashing import table_hash
from pipelines.warehouse.load import newest_known_at
from pipelines.warehouse.reference import calibration_version, programme_time_zone

REFERENCE = (
    "ai_policy_level",
    "assessor_role",
    "cut_score",
    "identity",
    "instrument",
    "rule_set",
    "scale_level",
)


RulesOf = Literal["then", "now"]
"""Whose rule sets count: those known and in force on the day judged, or on the present one."""

NEWEST_RULES = date(9999, 12, 30)


class BuildInputs(BaseModel):
    """Everything that the tables of a build depend on."""

    model_config = ConfigDict(frozen=True)

    as_of: date
    known_at: AwareDatetime | None
    """What had arrived by then: the limit that was asked for, or the newest known-at of the log,
    of files that were not taken in too."""
    time_zone: str
    receipts: tuple[str, ...]
    interpretations: tuple[str, ...]
    contract_versions: dict[str, int]
    rule_sets: tuple[str, ...]
    calibration_version: str | None
    reference_hashes: dict[str, str]
    code_version: str
    rules: RulesOf = "then"
    present_on: date | None = None
    """The day whose rule sets count where they are the present ones; editions from before it was
    kept were judged by the newest."""

    @property
    def rules_on(self) -> date | None:
        """Return the day whose rule sets count, where it is not that of judgement."""
        return self.present_on or NEWEST_RULES if self.rules == "now" else None

    @property
    def build_id(self) -> str:
        """Return the name of these inputs; an edition made from them has the same id."""
        inputs = self.model_dump(mode="json")
        if self.rules == "then":
            # Editions made before there was a choice keep their name.
            del inputs["rules"]
        if self.present_on is None:
            del inputs["present_on"]
        text = json.dumps(inputs, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def build_inputs(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    project: Path,
    as_of: date | None = None,
    present_at: datetime | None = None,
) -> BuildInputs:
    """Return the inputs of a build of what `raw` holds now.

    Args:
        con: an open warehouse.
        settings: where the site's own specs are, which name its time zone.
        project: the folder of the dbt project.
        as_of: the day that is judged on; default: the newest known-at of evidence, never the clock.
        present_at: judge by the rule sets known and in force at this instant; default: on the day
            that is judged on.

    Raises:
        LookupError: nothing was loaded, so that nothing is known.
    """
    limit = _known_at_limit(con)
    newest = newest_known_at(con)
    time_zone = programme_time_zone(con, settings)
    known_at = limit or max(filter(None, (newest, _newest_arrival(con))), default=None)
    if known_at is None:
        raise LookupError("no delivery has been taken in yet: put files into the inbox")
    if as_of is None:
        as_of = (newest or known_at).astimezone(ZoneInfo(time_zone)).date()
    return BuildInputs(
        as_of=as_of,
        known_at=known_at,
        time_zone=time_zone,
        receipts=_texts(con, "select receipt_id from raw.receipt"),
        interpretations=_texts(
            con,
            "select delivery_id || '/' || interpretation_id || ' ' || status "
            "from raw.intake_record",
        ),
        contract_versions=_contract_versions(con),
        rule_sets=_texts(
            con, "select distinct rule_set_id || ' ' || rule_version from raw.rule_set"
        ),
        calibration_version=calibration_version(con),
        reference_hashes={table: table_hash(con, f'raw."{table}"') for table in sorted(REFERENCE)},
        code_version=code_version(project),
        rules="now" if present_at else "then",
        present_on=present_at.astimezone(ZoneInfo(time_zone)).date() if present_at else None,
    )


def moved_reference(con: duckdb.DuckDBPyConnection, inputs: BuildInputs) -> list[str]:
    """Return the reference tables of `raw` whose rows are others than those of a build."""
    return [
        table
        for table, told in inputs.reference_hashes.items()
        if table_hash(con, f'raw."{table}"') != told
    ]


def code_version(project: Path) -> str:
    """Return the package's version with a hash of the dbt project's files."""
    return f"{pipelines.__version__}+{files_digest(project, CODE)[:12]}"


def _known_at_limit(con: duckdb.DuckDBPyConnection) -> datetime | None:
    """Return up to when the last load took in what it found.

    Raises:
        LookupError: nothing was ever loaded.
    """
    try:
        limit: datetime | None = con.execute(
            "select known_at_limit from raw.load_state"
        ).fetchall()[0][0]
    except duckdb.CatalogException:
        raise LookupError("nothing has been loaded yet: run `tessera run`") from None
    return limit


def _newest_arrival(con: duckdb.DuckDBPyConnection) -> datetime | None:
    arrived: datetime | None = con.execute("select max(known_at) from raw.receipt").fetchall()[0][0]
    return arrived


def _texts(con: duckdb.DuckDBPyConnection, query: str) -> tuple[str, ...]:
    return tuple(sorted(row[0] for row in con.execute(query).fetchall()))


def _contract_versions(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    versions: dict[str, int] = {}
    for (text,) in con.execute("select contract_versions from raw.intake_record").fetchall():
        for kind, version in json.loads(text).items():
            versions[kind] = max(version, versions.get(kind, 0))
    return dict(sorted(versions.items()))
