"""What is true of a cohort, written beside its deliveries, where intake never looks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from pipelines.synth import model
from pipelines.synth.faults import merged_learner, other_id, reusing_learner
from pipelines.synth.parameters import source_text
from pipelines.synth.people import COMPETENCIES, NEVER, Block, study_year
from pipelines.synth.words import CASE_TYPES, ROTATIONS

if TYPE_CHECKING:
    from pipelines.synth.deliveries import Delivered
    from pipelines.synth.faults import Fault
    from pipelines.synth.request import Request

TRUTH_VERSION = 1
MANIFEST = "truth.json"
PARAMETERS = "parameters.yaml"
MONTH_DAYS = 30


def write_block(
    block: Block,
    folder: Path,
    *,
    forms: pl.DataFrame,
    essays: pl.DataFrame,
    declarations: pl.DataFrame,
    actions: pl.DataFrame,
) -> None:
    """Write what is true of one block."""
    from pipelines.synth.school import calendar

    tables = {
        "learners": learners(block),
        "assessors": assessors(block),
        "abilities": abilities(block),
        "ratings": forms,
        "essays": essays,
        "declarations": declarations,
        "calendar": calendar(block),
    }
    if actions.height:
        tables["actions"] = actions
    if block.number == 0:
        tables["contexts"] = contexts(block)
    for name, table in tables.items():
        path = folder / name / f"{block.number:04d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        table.write_parquet(path, compression="zstd", compression_level=1)


def write_whole(
    request: Request, folder: Path, deliveries: list[Delivered], faults: list[Fault]
) -> None:
    """Write what is true of the cohort as a whole."""
    folder.mkdir(parents=True, exist_ok=True)
    pl.DataFrame([each.as_row() for each in deliveries], infer_schema_length=None).write_parquet(
        folder / "deliveries.parquet"
    )
    rows = [
        {
            "fault_id": f"{request.prefix}{fault.kind}-{number:05d}",
            "kind": fault.kind,
            "file": fault.file,
            "row": fault.row,
            "record_id": fault.record_id,
            "expected": "|".join(fault.expected),
            "code": fault.code,
            "detail": fault.detail,
        }
        for number, fault in enumerate(faults, start=1)
    ]
    schema = {
        "fault_id": pl.String,
        "kind": pl.String,
        "file": pl.String,
        "row": pl.Int64,
        "record_id": pl.String,
        "expected": pl.String,
        "code": pl.String,
        "detail": pl.String,
    }
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(folder / "faults.parquet")
    (folder / PARAMETERS).write_text(source_text(), encoding="utf-8")
    (folder / MANIFEST).write_text(
        json.dumps(manifest(request), indent=2, sort_keys=True) + "\n", encoding="utf-8"
    )


def manifest(request: Request) -> dict[str, Any]:
    """Return what the cohort was asked to be, and what was planted in which size."""
    return {
        "truth_version": TRUTH_VERSION,
        "parameters_version": request.parameters.version,
        "learners": request.learners,
        "years": request.years,
        "seed": request.seed,
        "mess": request.mess,
        "format": request.format,
        "programme": request.programme,
        "number": request.number,
        "last_day": request.parameters.school.last_day.value.isoformat(),
        "patterns": {
            pattern.id: {
                "effect": request.effect(pattern.id),
                "share": request.share(pattern.id),
                "words": pattern.words,
                "about": pattern.about,
            }
            for pattern in request.parameters.patterns
        },
    }


def learners(block: Block) -> pl.DataFrame:
    """Return who the learners are, with ability, growth and the planted pattern of each."""
    who = block.learners
    names = np.array([*(p.id for p in block.request.parameters.patterns), ""])
    codes = np.array([*COMPETENCIES, ""])
    merged, heir = merged_learner(block), reusing_learner(block)
    n = len(who)
    return pl.DataFrame(
        {
            "learner_id": who.ids,
            "programme_id": [block.request.programme] * n,
            "other_id": [other_id(name) if k == merged else None for k, name in enumerate(who.ids)],
            "has_reused_id": [k == heir for k in range(n)],
            "entry_year": who.entry_year,
            "entered_on": pl.Series(who.entered_on.astype("datetime64[D]")),
            "leaves_on": pl.Series(who.leaves_on.astype("datetime64[D]")),
            "is_withdrawn": who.is_withdrawn,
            "repeats_year": who.repeats_year,
            "leave_from": _days_or_none(who.leave_from),
            "leave_to": _days_or_none(
                np.where(who.leave_from < int(NEVER), who.leave_to, int(NEVER))
            ),
            "first_in_family": who.first_in_family,
            "general": who.general,
            "specific": pl.Series(who.specific, dtype=pl.Array(pl.Float64, len(COMPETENCIES))),
            "growth": who.growth,
            "activity": who.activity,
            "regression_competency": pl.Series(who.regression_competency.tolist()),
            "regression_from": pl.Series(who.regression_from.tolist()),
            "pattern": names[who.planted.pattern],
            "pattern_competency": codes[who.planted.competency],
        }
    )


def assessors(block: Block) -> pl.DataFrame:
    """Return how strict assessors are, how much halo they have, how well they tell apart."""
    people = block.assessors
    return pl.DataFrame(
        {
            "assessor_id": people.ids,
            "programme_id": [block.request.programme] * len(people),
            "rotation": pl.Series(ROTATIONS).gather(people.rotation),
            "stringency": people.stringency,
            "halo": people.halo,
            "discrimination": people.discrimination,
            "harshness": people.harshness,
        }
    )


def abilities(block: Block) -> pl.DataFrame:
    """Return the true level of every learner and competency, month by month.

    The level is that of the commonest instrument: what the average of all assessors and cases
    would be.
    """
    k = len(COMPETENCIES)
    parts = []
    for day in range(block.last_day, block.first_day, -MONTH_DAYS):
        here = np.flatnonzero(
            (block.learners.entered_on <= day) & (day <= block.learners.leaves_on)
        )
        who, competency = np.repeat(here, k), np.tile(np.arange(k), len(here))
        days = np.full(len(who), day)
        parts.append(
            pl.DataFrame(
                {
                    "learner_id": pl.Series(block.learners.ids, dtype=pl.String).gather(who),
                    "competency_id": pl.Series(COMPETENCIES).gather(competency),
                    "day": pl.Series(days.astype("datetime64[D]")),
                    "study_year": study_year(block.learners, who, days, block.request).astype(
                        np.int8
                    ),
                    "level": model.true_level(
                        block, model.reference(block), who, competency, days
                    ).astype(np.float32),
                }
            )
        )
    return pl.concat(parts)


def contexts(block: Block) -> pl.DataFrame:
    """Return how much easier each type of case is, in levels."""
    return pl.DataFrame({"case_type": CASE_TYPES, "ease": block.case_effects})


def _days_or_none(days: Any) -> pl.Series:
    values = [None if day >= int(NEVER) else int(day) for day in days]
    return pl.Series(values, dtype=pl.Int32).cast(pl.Date)
