"""Forms and declarations as xAPI statements of Tessera's profile; its names stand here alone."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from pipelines.synth.faults import SUPERSEDED, VOIDED
from pipelines.synth.people import Block
from pipelines.synth.workplace import LABELS, TIME_FORMAT

SOURCE = "xapi_wba"
SOURCE_FORMAT = "xapi"
HOME_PAGE = "https://id.example.edu"
"""The directory whose account names the shipped source takes for the ids of rosters."""
NAMESPACE = "https://w3id.org/tessera/xapi/"
ASSESSED = f"{NAMESPACE}verbs/assessed"
DECLARED = f"{NAMESPACE}verbs/declared-ai-use"
VOIDED_VERB = "http://adlnet.gov/expapi/verbs/voided"
ASSESSMENT = f"{NAMESPACE}activity-types/workplace-assessment"
TASK = f"{NAMESPACE}activity-types/task"
FORM_PAGE = "https://forms.school.example/filled/"
TASK_PAGE = "https://vle.school.example/tasks/"
ZONE = "Europe/Vienna"
ISO = "%Y-%m-%dT%H:%M:%S%:z"
STORED = "%Y-%m-%dT%H:%M:%SZ"
INSTRUMENTS = {
    "mini-CEX": "mini_cex",
    "DOPS": "dops",
    "CbD": "cbd",
    "ACAT": "acat",
    "EPA observation": "epa_observation",
    "Field note": "field_note",
}
ROLES = {
    "Consultant": "consultant",
    "Registrar": "registrar",
    "Nurse": "nurse",
    "Allied health": "allied_health",
}
AMENDED = "amended_form"
WITHDRAWN = "withdrawn"


def extension(name: str) -> str:
    """Return the IRI of an extension of the profile."""
    return f"{NAMESPACE}extensions/{name}"


def statement_id(record_id: str) -> str:
    """Return the UUID of a record's statement: the same record, the same id."""
    digest = hashlib.blake2b(record_id.encode(), digest_size=16).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:]}"


def as_statements(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of an export as an LRS would hold them.

    Statements never change: an amended form is the voiding of the old statement and a new one,
    so that what a sheet supersedes is voided here.
    """
    rows = rows.with_columns(
        statement=pl.col("Form ID").map_elements(statement_id, return_dtype=pl.String),
        outcome=pl.col("outcome").replace(SUPERSEDED, VOIDED),
    )
    amended = pl.col("fault") == AMENDED
    renewed = rows.filter(amended).with_columns(
        statement=(pl.col("Form ID") + "/2").map_elements(statement_id, return_dtype=pl.String)
    )
    voids = rows.filter(amended).with_columns(Status=pl.lit(WITHDRAWN), fault=pl.lit(""))
    return pl.concat([rows.filter(~amended), voids, renewed])


def write_forms(rows: pl.DataFrame, block: Block, path: Path, sent_at: datetime) -> pl.DataFrame:
    """Write an export of forms as statements, and return its rows as they were sent.

    Each was stored when its form was handed in; what came later is stored when it is sent.
    """
    came_later = (pl.col("Status") == WITHDRAWN) | (pl.col("fault") == AMENDED)
    sent = as_statements(rows).with_columns(
        stored=pl.when(~came_later)
        .then(_zoned("Submitted").dt.convert_time_zone("UTC").dt.to_string(STORED))
        .fill_null(pl.lit(sent_at.strftime(STORED)))
    )
    texts = sent.select(
        pl.when(pl.col("Status") == WITHDRAWN)
        .then(_void().struct.json_encode())
        .otherwise(_assessment(block).struct.json_encode())
        .str.replace_all(f'"{NAMESPACE}extensions/[a-z-]+":null,', "")
        .str.replace(r'(extensions/level":)"(\d+)"', "${1}${2}")
        .alias("line")
    )
    _write_lines(texts["line"], path)
    return sent


def write_declarations(declared: pl.DataFrame, block: Block, path: Path) -> int:
    """Write declarations as statements, and return how many."""
    del block
    texts = declared.with_columns(
        statement=pl.col("id").map_elements(statement_id, return_dtype=pl.String)
    ).select(
        _declaration()
        .struct.json_encode()
        .str.replace_all(f'"{NAMESPACE}extensions/[a-z-]+":null,', "")
        .str.replace_all(',"version":null', "")
        .alias("line")
    )
    _write_lines(texts["line"], path)
    return texts.height


def _assessment(block: Block) -> pl.Expr:
    scale_of = {form.id: form.scale for form in block.request.parameters.workplace.instruments}
    instrument = pl.col("Form").replace_strict(INSTRUMENTS, default=None)
    level = pl.col("Rating").str.strip_chars().str.to_lowercase()
    levels = {
        label.lower(): str(place)
        for labels in LABELS.values()
        for place, label in enumerate(labels, start=1)
    }
    return pl.struct(
        pl.col("statement").alias("id"),
        _agent("Student").alias("actor"),
        _verb(ASSESSED, "was assessed").alias("verb"),
        _activity(FORM_PAGE, "Form ID", ASSESSMENT).alias("object"),
        pl.struct(
            pl.struct(
                _named("scale", pl.col("Form").replace_strict(scale_of, default=None)),
                _named("scale-version", pl.lit("1")),
                _named("level", level.replace_strict(levels, default=pl.col("Rating"))),
                _named("label", pl.col("Rating")),
                _named("strengths", _filled("What went well")),
                _named("improvements", _filled("What to work on")),
                _named("flagged", pl.col("Concern") == "yes"),
            ).alias("extensions")
        ).alias("result"),
        pl.struct(
            _agent("Assessor").alias("instructor"),
            pl.struct(
                _named("instrument", instrument),
                _named("form-version", pl.col("Form version")),
                _named("form-record", pl.col("Form ID")),
                _named("framework", pl.lit("MED-EPA")),
                _named("competency", _filled("EPA")),
                _named("assessor-role", pl.col("Assessor role").replace(ROLES)),
                _named("setting", pl.col("Place")),
                _named("case-type", pl.col("Case")),
                _named("complexity", pl.col("Complexity")),
                _named("direction", pl.lit("retrospective")),
                _named("decision-kind", pl.lit("ad_hoc")),
                _named("requested-at", _instant("Requested")),
                _named("submitted-at", _instant("Submitted")),
                _named("programme", pl.col("Programme")),
            ).alias("extensions"),
        ).alias("context"),
        _instant("Observed").alias("timestamp"),
        pl.col("stored"),
    )


def _declaration() -> pl.Expr:
    return pl.struct(
        pl.col("statement").alias("id"),
        _agent("student").alias("actor"),
        _verb(DECLARED, "declared use of AI").alias("verb"),
        _activity(TASK_PAGE, "task", TASK).alias("object"),
        pl.struct(
            pl.struct(
                _named("ai-tools", pl.col("tools")),
                _named("ai-purposes", pl.col("purposes")),
                _named("ai-stages", pl.col("stages")),
                _named("ai-extent", pl.col("extent")),
                _named("ai-output-changes", pl.col("changes")),
                _named("ai-verification", pl.col("verification")),
                _named("ai-verified", pl.col("verified")),
                _named("ai-patient-data", pl.col("patient_data")),
                _named("ai-accessibility", pl.col("exemption")),
                _named("ai-accepted-at", pl.col("statement_accepted")),
                _named("ai-status", pl.col("status")),
            ).alias("extensions")
        ).alias("result"),
        pl.struct(
            pl.struct(
                _named("programme", pl.col("programme")),
                _named("task", pl.col("task")),
            ).alias("extensions")
        ).alias("context"),
        pl.col("at").alias("timestamp"),
        pl.col("at").alias("stored"),
    )


def _void() -> pl.Expr:
    return pl.struct(
        (pl.col("Form ID") + "/void")
        .map_elements(statement_id, return_dtype=pl.String)
        .alias("id"),
        pl.struct(
            pl.lit("Agent").alias("objectType"),
            pl.struct(pl.lit(HOME_PAGE).alias("homePage"), pl.lit("forms").alias("name")).alias(
                "account"
            ),
        ).alias("actor"),
        _verb(VOIDED_VERB, "voided").alias("verb"),
        pl.struct(
            pl.lit("StatementRef").alias("objectType"),
            pl.col("Form ID").map_elements(statement_id, return_dtype=pl.String).alias("id"),
        ).alias("object"),
        _instant("Submitted").alias("timestamp"),
        pl.col("stored"),
    )


def _agent(column: str) -> pl.Expr:
    return pl.struct(
        pl.lit("Agent").alias("objectType"),
        pl.struct(pl.lit(HOME_PAGE).alias("homePage"), pl.col(column).alias("name")).alias(
            "account"
        ),
    )


def _verb(iri: str, words: str) -> pl.Expr:
    return pl.struct(pl.lit(iri).alias("id"), pl.struct(pl.lit(words).alias("en")).alias("display"))


def _activity(page: str, column: str, kind: str) -> pl.Expr:
    return pl.struct(
        pl.lit("Activity").alias("objectType"),
        pl.concat_str(pl.lit(page), column).alias("id"),
        pl.struct(pl.lit(kind).alias("type")).alias("definition"),
    )


def _named(name: str, value: pl.Expr) -> pl.Expr:
    return value.alias(extension(name))


def _filled(column: str) -> pl.Expr:
    """Return a text, or nothing where it is empty."""
    return pl.when(pl.col(column) != "").then(pl.col(column))


def _instant(column: str) -> pl.Expr:
    """Return a local time with its offset; what is no time stays as it is, to be refused."""
    return _zoned(column).dt.to_string(ISO).fill_null(pl.col(column))


def _zoned(column: str) -> pl.Expr:
    """Return a local time in its zone; in the hour that clocks skip, as before they moved."""
    local = pl.col(column).str.to_datetime(TIME_FORMAT, strict=False)
    return pl.coalesce(
        moment.dt.replace_time_zone(ZONE, ambiguous="earliest", non_existent="null")
        for moment in (local, local + timedelta(hours=1))
    )


def _write_lines(lines: pl.Series, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for part in lines.to_frame().iter_slices(50_000):
            file.write(("\n".join(part[:, 0].to_list()) + "\n").encode("utf-8", "surrogatepass"))
