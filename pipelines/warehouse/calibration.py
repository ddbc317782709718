"""Calibrations: how strict assessors are and how much ratings vary, estimated now and then.

A calibration is an artefact with a version, not a nightly refit: one new rating must not move every
learner. It lies under `calibrations/<version>/`, never changes, and is named by the hash of what it
was estimated from; `calibrations/current` says which one is in force.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.home import Home, write_atomically
from pipelines.measurement import standings
from pipelines.measurement.connectivity import Connectivity, connect
from pipelines.measurement.refusal import UnmeasurableError
from pipelines.settings import Settings
from pipelines.warehouse.connection import WarehouseError, open_warehouse
from pipelines.warehouse.raw_schema import refuse_earlier_shape

if TYPE_CHECKING:
    import duckdb

    from pipelines.measurement.components import Components

MODEL_VERSION = 8
"""Raised whenever the same ratings would give other estimates."""
MIN_MAIN_BLOCK_SHARE = 0.9
"""Fewest ratings in one connected block to estimate from that block. Source: local choice."""
PLACES = 6
PATIENCE = 60.0
CURRENT = "current"
MANIFEST = "calibration.json"
REFITS = "refits.jsonl"
"""Which calibration was refitted for which meeting, one line each."""

SCALE_AND_INSTRUMENT = """
    scale as (
        select
            scale_id,
            max_by(scale_version, (
                regexp_full_match(scale_version, '[0-9]+'),
                lpad(scale_version, cast(greatest(length(scale_version), 12) as integer), '0')
            )) as scale_version,
            case when count(distinct direction) = 1 then max(direction) end as direction
        from raw.scale_level
        group by scale_id
    ),
    instrument as (
        select
            instrument_id,
            max(assurance_level) as assurance_level,
            max(method_family) as method_family,
            max(direction) as direction
        from raw.instrument
        group by instrument_id
    )
"""
DIRECTION = "coalesce(rated.direction, scale.direction, instrument.direction, 'retrospective')"
"""Which way a rating looks: as the form, its scale or its instrument says, and else back, as in
`int_cell_evidence__assigned`."""

RATINGS = f"""
    with
    {SCALE_AND_INSTRUMENT},
    identity as (
        select
            pseudonym,
            role,
            person_key,
            coalesce(valid_from, date '0001-01-01') as valid_from,
            coalesce(valid_to, date '9999-12-30') as valid_to
        from raw.identity
    )
    select
        rated.programme_id,
        rated.scale_id,
        coalesce(rated.scale_version, scale.scale_version, '') as scale_version,
        {DIRECTION} as direction,
        learner.person_key as learner,
        assessor.person_key as assessor,
        rated.competency_id as context,
        rated.level
    from raw.workplace_assessment as rated
    left join instrument on rated.instrument_id = instrument.instrument_id
    left join scale on rated.scale_id = scale.scale_id
    join identity as learner
        on
            rated.learner_pseudonym = learner.pseudonym
            and learner.role = 'learner'
            and coalesce(cast(rated.observed_at as date), learner.valid_from)
            between learner.valid_from and learner.valid_to
    join identity as assessor
        on
            rated.assessor_pseudonym = assessor.pseudonym
            and assessor.role = 'assessor'
            and coalesce(cast(rated.observed_at as date), assessor.valid_from)
            between assessor.valid_from and assessor.valid_to
    where
        rated.present_outcome = 'accepted'
        and rated.level is not null
        and rated.assessor_role is distinct from 'self'
"""

PEERS = f"""
    with
    {SCALE_AND_INSTRUMENT},
    identity as (
        select
            pseudonym,
            role,
            person_key,
            coalesce(valid_from, date '0001-01-01') as valid_from,
            coalesce(valid_to, date '9999-12-30') as valid_to
        from raw.identity
    ),
    period as (
        select
            learner.person_key as learner,
            given.programme_id,
            given.period_type,
            given.period_id,
            given.starts_on,
            given.ends_on
        from raw.learner_stage as given
        join identity as learner
            on
                given.learner_pseudonym = learner.pseudonym
                and learner.role = 'learner'
                and given.starts_on between learner.valid_from and learner.valid_to
        where given.present_outcome = 'accepted'
        qualify row_number() over (
            partition by
                learner.person_key, given.programme_id, given.period_type, given.starts_on
            order by given.is_planned, given.known_at desc, given.record_key desc
        ) = 1
    ),
    stage as (
        select * exclude (period_id), period_id as stage_id
        from period
        where period_type = 'stage'
    ),
    rotation as (
        select * exclude (period_id), period_id as rotation_id
        from period
        where period_type = 'rotation'
    ),
    rating as (
        select
            rated.programme_id,
            rated.instrument_id,
            rated.scale_id,
            coalesce(rated.scale_version, '') as scale_version,
            {DIRECTION} as direction,
            learner.person_key as learner,
            rated.competency_id,
            coalesce(rated.assessor_pseudonym, rated.record_key) as assessor,
            rated.level,
            cast(rated.observed_at as date) as observed_on
        from raw.workplace_assessment as rated
        join identity as learner
            on
                rated.learner_pseudonym = learner.pseudonym
                and learner.role = 'learner'
                and cast(rated.observed_at as date)
                between learner.valid_from and learner.valid_to
        left join instrument on rated.instrument_id = instrument.instrument_id
        left join scale on rated.scale_id = scale.scale_id
        where
            rated.present_outcome = 'accepted'
            and rated.level is not null
            and rated.competency_id is not null
            and rated.assessor_role is distinct from 'self'
            and coalesce(rated.assurance_level, instrument.assurance_level, '') <> 'open'
            and coalesce(instrument.method_family, '') <> 'multisource'
    )
    select
        rating.*,
        case
            when coalesce(rotation.ends_on, rating.observed_on) >= rating.observed_on
                then coalesce(rotation.rotation_id, 'none')
            else 'none'
        end as rotation_id,
        coalesce(stage.stage_id, 'no_stage') as stage_id,
        coalesce(
            date_diff('day', stage.starts_on, rating.observed_on) // {standings.QUARTER_DAYS}, 0
        ) as quarter
    from rating
    asof left join stage
        on
            rating.learner = stage.learner
            and rating.programme_id = stage.programme_id
            and rating.observed_on >= stage.starts_on
    asof left join rotation
        on
            rating.learner = rotation.learner
            and rating.programme_id = rotation.programme_id
            and rating.observed_on >= rotation.starts_on
"""
"""Observed and secured ratings with rotation, stage and quarter of it in which they were given."""

OPEN_WORK = """
    with
    open_task as (
        select distinct programme_id, task_id
        from raw.task
        where present_outcome = 'accepted' and assurance_level = 'open'
    )
    select
        mark.programme_id,
        mark.task_id,
        learner.person_key as learner,
        cast(mark.score / mark.max_score as double) as share
    from raw.exam_result as mark
    join open_task using (programme_id, task_id)
    join raw.identity as learner
        on
            mark.learner_pseudonym = learner.pseudonym
            and learner.role = 'learner'
            and coalesce(cast(mark.occurred_at as date), date '9999-12-30')
            between coalesce(learner.valid_from, date '0001-01-01')
            and coalesce(learner.valid_to, date '9999-12-30')
    where
        mark.present_outcome = 'accepted'
        and mark.score is not null
        and mark.max_score > 0
        and not coalesce(mark.is_banked, false)
        and coalesce(mark.result_status, 'scored') = 'scored'
"""
"""Marks of open tasks, as shares of the greatest mark."""

TARGETS = """
    select distinct
        programme_id, target_scale_id as scale_id, target_scale_version as scale_version,
        target_level
    from raw.assessment_plan
    where present_outcome = 'accepted' and target_level is not null
    union
    select null, scale_id, null, level
    from raw.scale_level
    where is_target
"""
"""Every level that is somewhere a target; without a programme, or a version of the scale, it holds
for all."""

KEYS: dict[str, pl.DataType] = {
    "programme_id": pl.String(),
    "scale_id": pl.String(),
    "scale_version": pl.String(),
    "direction": pl.String(),
}
"""What is estimated by itself: ratings in two directions answer two questions, and levels of two
versions of a scale are not the same ones."""
TABLES: dict[str, dict[str, pl.DataType]] = {
    "calibration_connectivity": KEYS
    | {
        "n_ratings": pl.Int64(),
        "n_learners": pl.Int64(),
        "n_assessors": pl.Int64(),
        "n_blocks": pl.Int64(),
        "main_block_share": pl.Float64(),
        "is_connected": pl.Boolean(),
        "is_estimated": pl.Boolean(),
        "sentence": pl.String(),
        "label": pl.String(),
        "mean_level": pl.Float64(),
        "assessors_per_learner": pl.Float64(),
        "ratings_per_assessor": pl.Float64(),
    },
    "calibration_component": KEYS
    | {
        "block": pl.Int64(),
        "component": pl.String(),
        "n_levels": pl.Int64(),
        "variance": pl.Float64(),
        "sd": pl.Float64(),
        "variance_share": pl.Float64(),
    },
    "calibration_assessor": KEYS
    | {
        "block": pl.Int64(),
        "assessor_key": pl.String(),
        "n_ratings": pl.Int64(),
        "n_learners": pl.Int64(),
        "raw_mean": pl.Float64(),
        "effect": pl.Float64(),
        "standard_error": pl.Float64(),
    },
    "calibration_target_effect": KEYS
    | {
        "target_level": pl.Int64(),
        "block": pl.Int64(),
        "component": pl.String(),
        "effect_id": pl.String(),
        "n_ratings": pl.Int64(),
        "component_variance": pl.Float64(),
        "effect": pl.Float64(),
        "standard_error": pl.Float64(),
        "label": pl.String(),
    },
}
"""What is estimated of each of `KEYS`, as in `raw`, which adds the version in front."""
NORM_TABLES: dict[str, dict[str, pl.DataType]] = {
    "calibration_level_norm": standings.LEVEL_NORM,
    "calibration_score_norm": standings.SCORE_NORM,
    "calibration_offer": standings.OFFER,
    "calibration_spread": standings.SPREAD,
}
"""Where levels and marks stand among peers, and what rotations offer; frozen too."""


class UnknownMeetingError(WarehouseError):
    """No committee of the log has the meeting that a calibration is refitted for."""


@dataclass(frozen=True)
class CalibrationReport:
    """What calibrating gave.

    Attributes:
        calibration_version: the calibration in force now; None where there are no ratings.
        is_new: whether it was estimated just now.
        n_ratings: ratings that it rests on.
        scales: one sentence for each programme, scale, version of it and direction.
    """

    calibration_version: str | None
    is_new: bool
    n_ratings: int
    scales: dict[str, str]


def calibrate(
    home: Home,
    settings: Settings,
    only_if_missing: bool = False,
    meeting_id: str | None = None,
) -> CalibrationReport:
    """Estimate from the ratings in `raw`, and put the estimates into `raw`.

    Args:
        home: whose warehouse and calibrations.
        settings: memory and threads.
        only_if_missing: keep the calibration in force, where there is one.
        meeting_id: the meeting whose pack is about to be frozen, for which this is a refit.

    Raises:
        UnknownMeetingError: no committee of the log has that meeting.
        WarehouseError: an earlier version filled the warehouse.
    """
    with home.writing(timeout=PATIENCE):
        version = current_version(home) if only_if_missing else None
        is_new = False
        with open_warehouse(home, settings) as con:
            refuse_earlier_shape(con)
            if meeting_id is not None:
                _refuse_unknown_meeting(con, meeting_id)
            if version is None:
                version, is_new = _estimate(home, con)
            if version is not None:
                _fill(con, home, version)
        if version is not None and meeting_id is not None:
            _note_refit(home, meeting_id, version)
    if version is None:
        return CalibrationReport(None, False, 0, {})
    manifest = json.loads((home.calibrations / version / MANIFEST).read_bytes())
    return CalibrationReport(version, is_new, manifest["n_ratings"], manifest["sentences"])


def refits(home: Home) -> list[dict[str, str]]:
    """Return for which meetings calibrations were refitted: meeting, version and instant."""
    path = home.calibrations / REFITS
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _note_refit(home: Home, meeting_id: str, version: str) -> None:
    """Add a line, unless the last refit for that meeting was the same."""
    told = refits(home)
    last = [one["calibration_version"] for one in told if one["meeting_id"] == meeting_id][-1:]
    if last == [version]:
        return
    told.append(
        {
            "meeting_id": meeting_id,
            "calibration_version": version,
            "refitted_at": datetime.now(UTC).isoformat(),
        }
    )
    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in told)
    write_atomically(home.calibrations / REFITS, lines.encode())


def _refuse_unknown_meeting(con: duckdb.DuckDBPyConnection, meeting_id: str) -> None:
    known = con.execute(
        "select distinct meeting_id from raw.committee "
        "where present_outcome = 'accepted' and meeting_id is not null order by all"
    ).fetchall()
    names = [name for (name,) in known]
    if meeting_id not in names:
        raise UnknownMeetingError(
            f"no committee has a meeting {meeting_id!r}; there are: {', '.join(names) or 'none'}"
        )


def put_in_raw(home: Home, settings: Settings, version: str) -> None:
    """Put a calibration that was made before into `raw`, without putting it in force.

    Raises:
        WarehouseError: the home keeps no such calibration.
    """
    if not (home.calibrations / version / MANIFEST).exists():
        raise WarehouseError(f"there is no calibration {version}: restore calibrations/{version}")
    with open_warehouse(home, settings) as con:
        _fill(con, home, version)


def current_version(home: Home) -> str | None:
    """Return the calibration in force, or None."""
    link = home.calibrations / CURRENT
    return link.resolve().name if link.exists() else None


def _estimate(home: Home, con: duckdb.DuckDBPyConnection) -> tuple[str | None, bool]:
    """Make the calibration of what is in `raw` unless it stands, and put it in force."""
    ratings, targets = con.sql(RATINGS).pl(), con.sql(TARGETS).pl()
    if ratings.is_empty():
        return None, False
    normed = norms(con.sql(PEERS).pl(), con.sql(OPEN_WORK).pl())
    ordered = ratings.sort(ratings.columns)
    inputs = {
        "model_version": MODEL_VERSION,
        "min_main_block_share": MIN_MAIN_BLOCK_SHARE,
        "ratings": _hash(ordered),
        "targets": _hash(targets.sort(targets.columns)),
        "norms": [_hash(table) for table in normed.values()],
    }
    version = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]
    is_new = not (home.calibrations / version).exists()
    if is_new:
        _write(home, version, inputs, ordered.height, estimates(ordered, targets) | normed)
    _put_in_force(home, version)
    return version, is_new


def _hash(frame: pl.DataFrame) -> str:
    return hashlib.sha256(frame.write_csv().encode()).hexdigest()


def norms(peers: pl.DataFrame, open_work: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the frames of `NORM_TABLES`, sorted by key, numbers rounded."""
    found = {
        "calibration_level_norm": standings.level_norms(peers),
        "calibration_score_norm": standings.score_norms(open_work),
        "calibration_offer": standings.offers(peers),
        "calibration_spread": standings.spreads(peers, open_work),
    }
    return {
        table: frame.with_columns(pl.col(pl.Float64).round(PLACES))
        for table, frame in found.items()
    }


def estimates(
    ratings: pl.DataFrame, targets: pl.DataFrame | None = None
) -> dict[str, pl.DataFrame]:
    """Return the tables of a calibration.

    Args:
        ratings: the columns of `KEYS`, learner, assessor, context and level; neither scales nor
            their versions nor directions are ever pooled.
        targets: columns programme_id (null: every one), scale_id, scale_version (null: every one)
            and target_level: the levels to ask of each rating whether it reached them.

    Returns:
        The frames of `TABLES`, sorted by key, numbers rounded.
    """
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}
    for key, design in sorted(ratings.group_by(list(KEYS))):
        names = dict(zip(KEYS, key, strict=True))
        levels = _levels_asked(targets, names)
        for table, found in _of_design(design, levels).items():
            rows[table] += [names | row for row in found]
    return {
        table: pl.DataFrame(rows[table], schema=schema).with_columns(
            pl.col(pl.Float64).round(PLACES)
        )
        for table, schema in TABLES.items()
    }


def _levels_asked(targets: pl.DataFrame | None, names: dict[str, Any]) -> list[int]:
    if targets is None:
        return []
    mine = targets.filter(
        pl.col("scale_id").eq(names["scale_id"]),
        *(
            pl.col(name).is_null() | pl.col(name).eq(names[name])
            for name in ("programme_id", "scale_version")
        ),
    )
    return sorted(set(mine["target_level"].to_list()))


def _of_design(design: pl.DataFrame, target_levels: list[int]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of one design: numbers where a connected block carries them."""
    connectivity = connect(design["learner"], design["assessor"])
    summary = _summary(design, connectivity)
    if connectivity.main_block_share < MIN_MAIN_BLOCK_SHARE:
        summary |= {"is_estimated": False}
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}
    for block in _blocks_to_estimate(connectivity):
        part = design.filter(connectivity.rating_block == block)
        try:
            found = _components(part)
        except UnmeasurableError as refusal:
            if block == 0 and summary["is_estimated"]:
                summary |= {"is_estimated": False, "sentence": str(refusal)}
            continue
        if block == 0 and summary["is_estimated"]:
            summary |= _typical(part, found)
        rows["calibration_component"] += _component_rows(block, found)
        rows["calibration_assessor"] += _assessor_rows(block, part, found)
        for level in target_levels:
            rows["calibration_target_effect"] += _target_rows(block, part, level)
    return rows | {"calibration_connectivity": [summary]}


def _blocks_to_estimate(connectivity: Connectivity) -> list[int]:
    """Return the largest block, and every other one that may be large enough by itself."""
    from pipelines.measurement.components import MIN_ASSESSORS, MIN_LEARNERS, MIN_RATINGS

    large = connectivity.blocks.filter(
        (pl.col("block") == 0)
        | (
            (pl.col("n_ratings") >= MIN_RATINGS)
            & (pl.col("n_learners") >= MIN_LEARNERS)
            & (pl.col("n_assessors") >= MIN_ASSESSORS)
        )
    )
    return large["block"].to_list()


def _components(block: pl.DataFrame) -> Components:
    from pipelines.measurement.components import estimate

    return estimate(block, with_pairs=True)


def _target_rows(block: int, part: pl.DataFrame, target_level: int) -> list[dict[str, Any]]:
    """Return who and what shifts the odds of reaching a level; none where that cannot be told."""
    from pipelines.measurement.components import estimate_binary

    asked = part.with_columns(is_at_target=pl.col("level") >= target_level)
    try:
        found = estimate_binary(asked)
    except UnmeasurableError:
        return []
    shared = {"target_level": target_level, "block": block, "label": found.label}
    mean = shared | {
        "component": "mean",
        "effect_id": "mean",
        "n_ratings": found.n_ratings,
        "effect": found.mean,
    }
    return [mean] + [
        shared
        | {"component": component, "component_variance": found.variances[component]}
        | {
            "effect_id": row["id"],
            "n_ratings": row["n_ratings"],
            "effect": row["effect"],
            "standard_error": row["standard_error"],
        }
        for component, effects in sorted(found.effects.items())
        for row in effects.iter_rows(named=True)
    ]


def _summary(design: pl.DataFrame, connectivity: Connectivity) -> dict[str, Any]:
    """Return how the ratings of one programme, scale, version and direction hang together."""
    return {
        "n_ratings": design.height,
        "n_learners": design["learner"].n_unique(),
        "n_assessors": design["assessor"].n_unique(),
        "n_blocks": connectivity.n_blocks,
        "main_block_share": connectivity.main_block_share,
        "is_connected": connectivity.is_connected,
        "is_estimated": True,
        "sentence": connectivity.sentence,
    }


def _typical(main: pl.DataFrame, found: Components) -> dict[str, Any]:
    """Return how many ratings by how many assessors the typical learner has."""
    per_learner = main.group_by("learner").agg(
        n=pl.len(), n_assessors=pl.col("assessor").n_unique()
    )
    return {
        "label": found.label,
        "mean_level": found.mean,
        "assessors_per_learner": per_learner["n_assessors"].median(),
        "ratings_per_assessor": (per_learner["n"] / per_learner["n_assessors"]).median(),
    }


def _component_rows(block: int, found: Components) -> list[dict[str, Any]]:
    shares = found.shares
    return [
        {
            "block": block,
            "component": name,
            "n_levels": found.effects[name].height if name in found.effects else found.n_ratings,
            "variance": variance,
            "sd": variance**0.5,
            "variance_share": shares[name],
        }
        for name, variance in sorted(found.variances.items())
    ]


def _assessor_rows(block: int, part: pl.DataFrame, found: Components) -> list[dict[str, Any]]:
    raw = part.group_by("assessor").agg(
        n_learners=pl.col("learner").n_unique(), raw_mean=pl.col("level").mean()
    )
    joined = found.effects["assessor"].join(raw, left_on="id", right_on="assessor")
    joined = joined.with_columns(block=pl.lit(block, pl.Int64))
    return joined.rename({"id": "assessor_key"}).sort("assessor_key").to_dicts()


def _write(
    home: Home,
    version: str,
    inputs: dict[str, Any],
    n_ratings: int,
    tables: dict[str, pl.DataFrame],
) -> None:
    draft = home.calibrations / f".draft-{version}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for name, table in tables.items():
        table.write_parquet(draft / f"{name}.parquet")
    summary = tables["calibration_connectivity"]
    manifest = {
        "calibration_version": version,
        "created_at": datetime.now(UTC).isoformat(),
        "inputs": inputs,
        "model": "level = mean + learner + assessor + competency + learner x assessor + residual",
        "label": next((label for label in summary["label"] if label), None),
        "n_ratings": n_ratings,
        "sentences": {
            " ".join(row[name] for name in KEYS if row[name]): row["sentence"]
            for row in summary.iter_rows(named=True)
        },
    }
    (draft / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    for path in draft.iterdir():
        _sync(path)
    _sync(draft)
    draft.rename(home.calibrations / version)


def _put_in_force(home: Home, version: str) -> None:
    link = home.calibrations / f".{CURRENT}"
    link.unlink(missing_ok=True)
    link.symlink_to(version)
    link.rename(home.calibrations / CURRENT)
    _sync(home.calibrations)


def _fill(con: duckdb.DuckDBPyConnection, home: Home, version: str) -> None:
    """Put a calibration into `raw`, in the place of any other.

    One that an older version made has no rows for tables and columns that came later.
    """
    con.begin()
    try:
        for table, schema in (TABLES | NORM_TABLES).items():
            path = home.calibrations / version / f"{table}.parquet"
            con.execute(f"delete from raw.{table}")
            if not path.exists():
                continue
            kept = [name for name in pl.read_parquet_schema(path) if name in schema]
            con.execute(
                f"insert into raw.{table} by name "
                f"select ? as calibration_version, {', '.join(kept)} from read_parquet(?)",
                [version, str(path)],
            )
        con.commit()
    except BaseException:
        con.rollback()
        raise


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def as_json(report: CalibrationReport) -> dict[str, Any]:
    """Return a report as plain JSON."""
    return asdict(report)
