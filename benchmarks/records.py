"""Workplace assessments to measure with: the same numbers give the same bytes.

Every record has 21 fields and is about 650 bytes as JSON. Two in a hundred narratives hold
quotation marks and line breaks, as those that people write do; two in a thousand records break the
contract, with values that a typed reader lets pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import polars as pl
import pyarrow.parquet as pq  # type: ignore[import-untyped]

Format = Literal["jsonl", "csv", "parquet"]

BLOCK = 100_000
N_ASSESSORS = 1_200
N_COMPETENCIES = 13
DAYS = 1_826
"""Five years, on which what records tell of is spread."""
BAD_EVERY = 500
QUOTED_EVERY = 50

OPENINGS = (
    "Took a focused history and kept the patient at ease throughout",
    "Examined systematically and named the findings that matter",
    "Explained the plan in plain words and checked what was understood",
    "Recognised the deteriorating patient early and asked for help in time",
    "Wrote clear notes with a sensible list of differential diagnoses",
    "Worked well with nursing staff and handed over without gaps",
    "Prepared the procedure with care and kept the field sterile",
)
MIDDLES = (
    "the reasoning was spoken aloud",
    "the red flags were all asked for",
    "the relatives were included",
    "time was used well on a busy ward",
    "limits of knowledge were named",
)
ADVICE = (
    "Next time summarise before moving on.",
    "Say the dose and the interval when prescribing.",
    "Practise closing the consultation.",
    "Ask for feedback at the end of the shift.",
    "Involve the patient in the choice that was left.",
)
LABELS = (
    "Observe only",
    "Direct supervision",
    "Indirect supervision",
    "Unsupervised",
    "Supervises others",
)
INSTRUMENTS = ("mini_cex", "dops", "cbd", "acat", "epa_observation", "field_note")
ROLES = ("consultant", "registrar", "resident", "faculty")
SETTINGS = ("ward", "emergency department", "outpatient clinic", "operating theatre")
CASES = ("chest pain", "acute abdomen", "shortness of breath", "diabetes review", "back pain")
COMPLEXITIES = ("low", "medium", "high")


def learners(n_records: int) -> int:
    """Return how many learners so many records are about: 140 records each, but at least 20."""
    return max(20, n_records // 140)


def frame(start: int, n: int, n_learners: int, last_days: int = DAYS) -> pl.DataFrame:
    """Return records `start` to `start + n` of the last so many days, typed."""
    i = pl.int_range(start, start + n, dtype=pl.Int64, eager=True).alias("i").to_frame()

    def mixed(salt: int, modulus: int) -> pl.Expr:
        """Return numbers below the modulus, spread as if at random, always alike."""
        spread = (pl.col("i") * 2_654_435_761 + salt * 40_503) % 4_294_967_291
        return (spread // 97 + spread % 8_191) % modulus

    def pick(values: tuple[str, ...], salt: int) -> pl.Expr:
        listed = pl.Series(values)
        return pl.lit(listed).gather(mixed(salt, len(values)))

    def numbered(prefix: str, number: pl.Expr, width: int) -> pl.Expr:
        return pl.concat_str(pl.lit(prefix), number.cast(pl.String).str.zfill(width))

    learner, level = mixed(1, n_learners), mixed(2, len(LABELS))
    is_bad = pl.col("i") % BAD_EVERY == BAD_EVERY // 2
    is_quoted = pl.col("i") % QUOTED_EVERY == 7
    observed = pl.datetime(2021, 1, 4, 8, time_unit="us") + pl.duration(
        minutes=(mixed(3, last_days) + DAYS - last_days) * 1_440 + mixed(4, 600)
    )
    said = pl.concat_str(pick(OPENINGS, 5), pl.lit("; "), pick(MIDDLES, 6), pl.lit("."))
    return i.select(
        programme_id=pl.lit("MED"),
        record_id=numbered("F", pl.col("i"), 9),
        source_version=mixed(8, 3) + 1,
        learner_id=numbered("s", learner, 6),
        instrument_id=pick(INSTRUMENTS, 9),
        competency_id=numbered("EPA", mixed(11, N_COMPETENCIES) + 1, 2),
        scale_id=pl.lit("entrustment_5"),
        scale_version=pl.lit("1"),
        raw_label=pl.lit(pl.Series(LABELS)).gather(level),
        level=pl.when(is_bad).then(999).otherwise(level + 1),
        assessor_id=numbered("a", mixed(12, N_ASSESSORS), 5),
        assessor_role=pick(ROLES, 13),
        setting=pick(SETTINGS, 14),
        case_type=pick(CASES, 15),
        complexity=pick(COMPLEXITIES, 16),
        stake=pl.lit(0.2),
        narrative_strengths=pl.when(is_quoted)
        .then(pl.concat_str(pl.lit('The patient said "thank you".\n'), said))
        .otherwise(said),
        narrative_improvements=pick(ADVICE, 17),
        is_flagged=pl.col("i") % 211 == 0,
        observed_at=observed.dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        submitted_at=(observed + pl.duration(minutes=mixed(18, 9_000))).dt.strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        ),
    )


def write(
    path: Path,
    form: Format,
    n: int,
    start: int = 0,
    of: int | None = None,
    *,
    last_days: int = DAYS,
    plain: bool = False,
) -> Path:
    """Write `n` records in blocks, and return the path; a file that stands is kept.

    Args:
        path: where to.
        form: `jsonl`, `csv` or `parquet`.
        n: how many.
        start: the number of the first.
        of: how many records there are altogether, which the number of learners follows.
        last_days: on how many of the last days they are spread.
        plain: write Parquet without compression and dictionaries.
    """
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    n_learners = learners(of or n)
    blocks = (
        frame(first, min(BLOCK, start + n - first), n_learners, last_days)
        for first in range(start, start + n, BLOCK)
    )
    if form == "parquet":
        _write_parquet(temporary, blocks, plain=plain)
    else:
        with temporary.open("wb") as file:
            for number, block in enumerate(blocks):
                if form == "jsonl":
                    block.write_ndjson(file)
                else:
                    block.write_csv(file, include_header=number == 0)
    return temporary.replace(path)


def _write_parquet(path: Path, blocks: Iterator[pl.DataFrame], *, plain: bool) -> None:
    writer = None
    for block in blocks:
        table = block.to_arrow()
        if writer is None:
            compression = "none" if plain else "zstd"
            writer = pq.ParquetWriter(
                path, table.schema, compression=compression, use_dictionary=not plain
            )
        writer.write_table(table)
    if writer is not None:
        writer.close()


def write_roster(path: Path, n_records: int) -> Path:
    """Write the learners that so many records are about."""
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    numbers = pl.int_range(0, learners(n_records), dtype=pl.Int64, eager=True).alias("i")
    numbers.to_frame().select(
        programme_id=pl.lit("MED"),
        learner_id=pl.concat_str(pl.lit("s"), pl.col("i").cast(pl.String).str.zfill(6)),
        cohort_id=pl.concat_str(pl.lit("C"), (pl.col("i") % 5 + 2021).cast(pl.String)),
        entered_on=pl.lit("2020-10-05"),
    ).write_csv(path)
    return path
