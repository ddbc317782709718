"""Code lists as data: scales, labels, instruments, roles, outcomes, columns never taken.

Shipped lists lie beside this module; a site adds rows, or replaces rows of the same key, with
files of the same names under `codes/` of its overlay.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from pipelines.sources.codes.contradictions import Row, contradictions
from pipelines.sources.codes.vocabularies import wrong_words
from pipelines.sources.faults import Fault, SourceError, known
from pipelines.sources.text import fold_name, folded

if TYPE_CHECKING:
    from pipelines.settings import Settings

SHIPPED = Path(__file__).parent


@dataclass(frozen=True)
class CodeList:
    """What a code list looks like."""

    schema: dict[str, pl.DataType]
    key: tuple[str, ...]
    required: frozenset[str]
    choices: dict[str, tuple[str, ...]]
    optional: frozenset[str] = frozenset()
    """Columns that a file may leave out."""


TEXT, WHOLE, NUMBER, TRUTH = pl.String(), pl.Int64(), pl.Float64(), pl.Boolean()
YES, NO = "yes", "no"

CODE_LISTS: dict[str, CodeList] = {
    "scales": CodeList(
        {
            "scale_id": TEXT,
            "scale_version": TEXT,
            "level": WHOLE,
            "level_label": TEXT,
            "direction": TEXT,
            "description": TEXT,
            "is_target": TRUTH,
            "source": TEXT,
        },
        key=("scale_id", "scale_version", "level"),
        required=frozenset({"scale_id", "scale_version", "level", "level_label", "source"}),
        choices={"direction": ("retrospective", "prospective"), "is_target": (YES, NO)},
        optional=frozenset({"is_target"}),
    ),
    "scale_labels": CodeList(
        {
            "scale_id": TEXT,
            "scale_version": TEXT,
            "raw_label": TEXT,
            "level": WHOLE,
            "approved_by": TEXT,
            "approved_at": TEXT,
            "source": TEXT,
        },
        key=("scale_id", "scale_version", "raw_label"),
        required=frozenset({"scale_id", "scale_version", "raw_label", "level", "source"}),
        choices={},
    ),
    "instruments": CodeList(
        {
            "instrument_id": TEXT,
            "title": TEXT,
            "method_family": TEXT,
            "direction": TEXT,
            "stake": NUMBER,
            "assurance_level": TEXT,
            "source": TEXT,
        },
        key=("instrument_id",),
        required=frozenset(
            {"instrument_id", "title", "method_family", "stake", "assurance_level", "source"}
        ),
        choices={
            "method_family": (
                "direct_observation",
                "case_discussion",
                "multisource",
                "global_judgement",
                "performance_exam",
                "written_exam",
                "oral_exam",
                "written_work",
                "logbook",
                "other",
            ),
            "direction": ("retrospective", "prospective"),
            "assurance_level": ("observed", "secured", "open"),
        },
    ),
    "assessor_roles": CodeList(
        {"assessor_role": TEXT, "title": TEXT, "role_group": TEXT, "source": TEXT},
        key=("assessor_role",),
        required=frozenset({"assessor_role", "title", "role_group", "source"}),
        choices={},
    ),
    "airflow_user": CodeList(
        {"airflow_user": TEXT, "identity": TEXT, "source": TEXT},
        key=("airflow_user",),
        required=frozenset({"airflow_user", "identity", "source"}),
        choices={},
    ),
    "decision_outcomes": CodeList(
        {"vocabulary_id": TEXT, "outcome": TEXT, "title": TEXT, "source": TEXT},
        key=("vocabulary_id", "outcome"),
        required=frozenset({"vocabulary_id", "outcome", "title", "source"}),
        choices={},
    ),
    "refused_columns": CodeList(
        {"column_pattern": TEXT, "reason": TEXT, "source": TEXT},
        key=("column_pattern",),
        required=frozenset({"column_pattern", "reason", "source"}),
        choices={},
    ),
    "identifiers": CodeList(
        {
            "identifier_id": TEXT,
            "code": TEXT,
            "words": TEXT,
            "pattern": TEXT,
            "after": TEXT,
            "check": TEXT,
            "countries": TEXT,
            "source": TEXT,
        },
        key=("identifier_id",),
        required=frozenset({"identifier_id", "code", "words", "pattern", "source"}),
        choices={"code": ("patient_identifier", "contact_detail", "birth_date")},
    ),
}
"""Every code list by its name, which is also the name of its file."""

Key = tuple[str, ...]
PATTERNS = frozenset({"pattern", "after"})
"""Columns that hold regular expressions."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
FOLDED_KEYS = frozenset({"raw_label", "column_pattern"})


def load(settings: Settings) -> dict[str, pl.DataFrame]:
    """Return every code list, shipped rows with the site's over them, sorted by key.

    Raises:
        SourceError: a list has faults; all of them are listed with file and line.
    """
    from pipelines.sources.crosswalk import approvals_path

    folders = [SHIPPED, *([settings.site / "codes"] if settings.site else [])]
    return load_folders(folders, approvals_path(settings.home))


def load_folders(folders: list[Path], approvals: Path | None = None) -> dict[str, pl.DataFrame]:
    """Return every code list from folders, where later ones replace rows of the same key.

    Args:
        folders: the shipped one first.
        approvals: a file of labels that people approved; the newest word on a label counts.
    """
    faults: list[Fault] = []
    faults += [
        Fault(path, None, path.name, "no such code list", known(CODE_LISTS, path.stem))
        for folder in folders
        for path in sorted(folder.glob("*.csv"))
        if path.stem not in CODE_LISTS
    ]
    rows = {name: _merged(name, folders, faults) for name in CODE_LISTS}
    if approvals is not None:
        from pipelines.sources.crosswalk import apply, read_approvals

        rows["scale_labels"] = apply(
            rows["scale_labels"], approvals, read_approvals(approvals, faults)
        )
    if not faults:
        faults += contradictions({name: found.values() for name, found in rows.items()})
    if faults:
        raise SourceError(faults)
    return {name: _table(CODE_LISTS[name], rows[name].values()) for name in CODE_LISTS}


def crosswalk(codes: dict[str, pl.DataFrame], scale_id: str, version: str | None) -> dict[str, int]:
    """Return the level of every folded label of a scale: its numbers, its names, its crosswalk."""
    version = version or newest_version(codes, scale_id)
    here = (pl.col("scale_id") == scale_id) & (pl.col("scale_version") == version)
    levels = codes["scales"].filter(here)
    labels = codes["scale_labels"].filter(here)
    table = {str(level): level for level in levels["level"]}
    table |= dict(zip(folded(levels["level_label"]), levels["level"], strict=True))
    return table | dict(zip(folded(labels["raw_label"]), labels["level"], strict=True))


def versions_of(codes: dict[str, pl.DataFrame], scale_id: str) -> list[str]:
    """Return the versions of a scale, the newest last; those that are numbers by their value."""
    versions = codes["scales"].filter(pl.col("scale_id") == scale_id)["scale_version"].unique()
    return sorted(versions, key=lambda text: (text.isdigit(), text.zfill(12)))


def newest_version(codes: dict[str, pl.DataFrame], scale_id: str) -> str:
    """Return the newest version of a scale."""
    return versions_of(codes, scale_id)[-1]


def reason_never_taken(codes: dict[str, pl.DataFrame], column: str) -> str | None:
    """Return why a column is never taken, whatever a spec says, or None.

    Of a dotted path or an IRI, the last name counts as well as the whole.
    """
    last = re.split(r"[./#:\[]", column.rstrip("]/"))[-1]
    names = {fold_name(column), fold_name(last)}
    table = codes["refused_columns"]
    for pattern, reason in zip(table["column_pattern"], table["reason"], strict=True):
        if any(fnmatchcase(name, pattern) for name in names):
            return str(reason)
    return None


def _merged(name: str, folders: list[Path], faults: list[Fault]) -> dict[Key, Row]:
    code_list = CODE_LISTS[name]
    rows: dict[Key, Row] = {}
    for folder in folders:
        path = folder / f"{name}.csv"
        if path.exists():
            for key, row in _read(path, code_list, faults).items():
                rows[key] = replace(row, replaces=rows.get(key))
    return rows


def _table(code_list: CodeList, rows: Iterable[Row]) -> pl.DataFrame:
    frame = pl.DataFrame([row.values for row in rows], schema=code_list.schema)
    return frame.sort(code_list.key)


def _read(path: Path, code_list: CodeList, faults: list[Fault]) -> dict[Key, Row]:
    rows: dict[Key, Row] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, restkey="", strict=True)
        found = list(reader.fieldnames or ())
        columns = [name for name in code_list.schema if name not in code_list.optional - {*found}]
        if sorted(found) != sorted(columns):
            wanted = ", ".join(code_list.schema)
            faults.append(
                Fault(path, 1, "header", f"the columns are {', '.join(found)}",
                      f"They must be {wanted}")
            )  # fmt: skip
            return rows
        try:
            for raw in reader:
                if row := _row(path, reader.line_num, code_list, raw, faults):
                    key = _key(code_list, row)
                    if key in rows:
                        faults.append(
                            Fault(path, reader.line_num, ", ".join(code_list.key),
                                  f"{' / '.join(key)} stands here twice", "Keep one of the two")
                        )  # fmt: skip
                    rows[key] = Row(row, path, reader.line_num)
        except (csv.Error, UnicodeDecodeError) as error:
            faults.append(Fault(path, reader.line_num, "csv", str(error), "Save as UTF-8 CSV"))
    return rows


def _key(code_list: CodeList, row: Mapping[str, object]) -> Key:
    return tuple(
        folded([str(row[name])])[0] if name in FOLDED_KEYS else str(row[name])
        for name in code_list.key
    )


def _row(
    path: Path, line: int, code_list: CodeList, raw: dict[str, str], faults: list[Fault]
) -> dict[str, object] | None:
    before = len(faults)
    for name in PATTERNS & raw.keys():
        _try_pattern(path, line, name, raw[name], faults)
    if "" in raw or None in raw.values():
        faults.append(
            Fault(path, line, "row", "has more or fewer cells than the header",
                  "Quote cells that hold commas")
        )  # fmt: skip
        return None
    row: dict[str, object] = {}
    for name, dtype in code_list.schema.items():
        text = raw.get(name, "").strip()
        row[name] = text or None
        if not text:
            if name in code_list.required:
                faults.append(Fault(path, line, name, "is empty", f"Fill {name}"))
            continue
        allowed = code_list.choices.get(name)
        if allowed and text not in allowed:
            faults.append(Fault(path, line, name, f"{text!r} is unknown", known(allowed, text)))
        if _CONTROL.search(text):
            faults.append(
                Fault(path, line, name, f"{text!r} holds a character that cannot be seen",
                      "Take the character out")
            )  # fmt: skip
        if dtype in (WHOLE, NUMBER):
            row[name] = _number(path, line, name, text, dtype, faults)
        elif dtype == TRUTH:
            row[name] = text == YES
        faults += [Fault(path, line, name, *said) for said in wrong_words(name, text)]
    return row if len(faults) == before else None


def _try_pattern(path: Path, line: int, name: str, text: str | None, faults: list[Fault]) -> None:
    """Find fault with a regular expression that does not hold in Python and in polars alike."""
    try:
        re.compile(text or "")
        pl.Series([""]).str.contains(text or "")
    except (re.error, pl.exceptions.ComputeError):
        remedy = "Write a regular expression without looking around or back"
        faults.append(Fault(path, line, name, "is not a usable pattern", remedy))


def _number(
    path: Path, line: int, name: str, text: str, dtype: pl.DataType, faults: list[Fault]
) -> float | int | None:
    try:
        number = int(text) if dtype == WHOLE else float(text)
    except ValueError:
        faults.append(Fault(path, line, name, f"{text!r} is no number", "Write a plain number"))
        return None
    highest = 100 if dtype == WHOLE else 1
    if not 0 <= number <= highest:
        faults.append(Fault(path, line, name, f"{text} is out of range", f"Write 0 to {highest}"))
    return number
