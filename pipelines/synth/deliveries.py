"""A block of a cohort as files that a school's systems would send, and what is true of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.synth import exams, oneroster, portfolio_work, school, truth, workplace, xapi
from pipelines.synth.faults import (
    ACCEPTED,
    DUPLICATE,
    QUARANTINED,
    SUPERSEDED,
    VOIDED,
    Export,
    Fault,
    exports,
    period_ends,
)
from pipelines.synth.people import Block, make_block
from pipelines.synth.request import Request
from pipelines.synth.writers import (
    SUFFIXES,
    Dialect,
    csv_bytes,
    sent_on,
    write_frame,
    write_manifest,
)

NATIVE = {
    "example_actions": "jsonl",
    "example_ai": "jsonl",
    "example_consent": "jsonl",
    "example_decisions": "jsonl",
    "example_osce": "jsonl",
    "example_reflections": "jsonl",
    "example_tasks": "jsonl",
}
"""The sources that send JSON Lines; all others send CSV."""
DIALECTS = {"example_forms": Dialect(delimiter=";"), "example_roster": Dialect(bom=True)}
EVIDENCE = ("example_forms", "example_msf", "example_progress", "example_essays", "example_osce")
"""The sources whose format can be chosen: flat rows, and most of the volume."""
ENCODINGS = {1: "windows-1252", 2: "utf-16"}
"""Exports of forms that come in another encoding, by place."""
RESULTS_IN = 3
"""How many exports results come in."""
MESSY_FROM = 1.0
"""From this level of mess on, whole files are wrong too."""
FORMS = "example_forms"
COMMITTED = "committed"


@dataclass(frozen=True)
class Delivered:
    """One file, and what intake should make of it."""

    file: str
    source: str
    sha256: str | None
    known_at: str | None
    status: tuple[str, ...]
    source_rows: int
    n_accepted: int = 0
    n_duplicate: int = 0
    n_superseded: int = 0
    n_voided: int = 0
    n_quarantined: int = 0
    fault: str | None = None

    def as_row(self) -> dict[str, Any]:
        """Return it as a row of the truth."""
        return asdict(self) | {"status": "|".join(self.status)}


@dataclass
class Written:
    """What writing a block gave."""

    deliveries: list[Delivered] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    n_records: int = 0
    """Evidence records: forms, marks, results, stations, declarations."""


@dataclass
class _Writer:
    request: Request
    block: Block
    out: Path
    truth: Path
    written: Written = field(default_factory=Written)

    @property
    def suffix(self) -> str:
        """Return what tells the files of blocks apart, where there are several."""
        return "" if len(self.request.blocks) == 1 else f"_{self.block.number + 1:04d}"

    def form_of(self, source: str) -> str:
        """Return the format that a source sends in this cohort."""
        native = NATIVE.get(source, "csv")
        chosen = self.request.format
        return chosen if source in EVIDENCE and chosen in SUFFIXES else native

    def send(
        self,
        source: str,
        name: str,
        frame: pl.DataFrame,
        day: date,
        counts: Mapping[str, int],
        dialect: Dialect | None = None,
    ) -> str:
        """Write one delivery with its manifest, and note what it should give."""
        form = self.form_of(source)
        file = f"{source}/{name}{self.suffix}{SUFFIXES[form]}"
        chosen = dialect or DIALECTS.get(source, Dialect())
        write_frame(frame, self.out / file, form, chosen)
        self.note(source, file, day, frame.height, counts)
        return file

    def note(self, source: str, file: str, day: date, rows: int, counts: Mapping[str, int]) -> None:
        """Write the manifest of a file, and note what it should give."""
        sent_at = sent_on(day)
        sha256 = write_manifest(self.out / file, sent_at)
        self.written.deliveries.append(
            Delivered(
                file=file,
                source=source,
                sha256=sha256,
                known_at=sent_at.isoformat(),
                status=(COMMITTED,),
                source_rows=rows,
                n_accepted=counts.get(ACCEPTED, 0),
                n_duplicate=counts.get(DUPLICATE, 0),
                n_superseded=counts.get(SUPERSEDED, 0),
                n_voided=counts.get(VOIDED, 0),
                n_quarantined=counts.get(QUARANTINED, 0),
            )
        )


def write_block(request: Request, number: int, out: Path, truth_folder: Path) -> Written:
    """Write the deliveries and the truth of one block, whatever the others do."""
    block = make_block(request, number)
    writer = _Writer(request, block, out, truth_folder)
    forms = workplace.observe(block)
    essays, essay_truth = exams.essays(block)
    declared, declared_truth = portfolio_work.declarations(block, essay_truth)
    _send_forms(writer, forms)
    _send_exams(writer, essays)
    _send_declarations(writer, declared)
    _send_people(writer)
    actions = _send_words(writer)
    if number == 0:
        _send_programme(writer)
    truth.write_block(
        block,
        truth_folder,
        forms=workplace.truth(block, forms),
        essays=essay_truth,
        declarations=declared_truth,
        actions=actions,
    )
    return writer.written


def _send_forms(writer: _Writer, forms: workplace.Forms) -> None:
    sheet = workplace.sheet(writer.block, forms)
    made = exports(writer.block, sheet)
    del sheet
    is_messy = _level(writer.request) >= MESSY_FROM
    encodes = is_messy and writer.form_of(FORMS) == "csv" and writer.block.number == 0
    writer.written.n_records += len(forms)
    for place, export in enumerate(made):
        rows = export.rows.drop("outcome", "fault", "code", "detail")
        if rows.is_empty():
            continue
        name = f"forms_to_{export.until:%Y%m%d}"
        if writer.request.format == "xapi":
            _send_statements(writer, export, name)
            continue
        dialect = Dialect(delimiter=";")
        if encodes and place in ENCODINGS:
            dialect = Dialect(delimiter=";", encoding=ENCODINGS[place])
        file = writer.send(FORMS, name, rows, export.until, export.counts(), dialect)
        writer.written.faults += export.faults(file)
        if encodes and place in ENCODINGS:
            writer.written.faults.append(
                Fault("mixed_encodings", file, None, None, (COMMITTED,), None, dialect.encoding)
            )
    if is_messy and writer.block.number == 0 and writer.request.format != "xapi":
        _send_wrong_files(writer, made)


def _send_statements(writer: _Writer, export: Export, name: str) -> None:
    """Send forms as xAPI statements; a withdrawal is a voiding statement.

    The source takes each of these for two records, as it may be about either kind.
    """
    file = f"{xapi.SOURCE}/{name}{writer.suffix}.jsonl"
    sent_at = sent_on(export.until)
    sent = xapi.write_forms(export.rows, writer.block, writer.out / file, sent_at)
    as_sent = Export(export.until, sent)
    counts = as_sent.counts()
    counts[ACCEPTED] += sent.filter(pl.col("Status") == xapi.WITHDRAWN).height
    writer.note(xapi.SOURCE, file, export.until, sent.height, counts)
    writer.written.faults += as_sent.faults(file)


def _send_exams(writer: _Writer, essays: pl.DataFrame) -> None:
    block, last = writer.block, writer.request.parameters.school.last_day.value
    progress, stations = exams.progress(block), exams.stations(block)
    msf = exams.multisource(block)
    marks = sum(int((msf[item] != "").sum()) for item in exams.MSF_ITEMS if msf.height)
    writer.written.n_records += progress.height + essays.height + stations.height + marks
    if writer.request.format == "oneroster":
        file = f"{oneroster.SOURCE}/gradebook{writer.suffix}.zip"
        rows = oneroster.write(block, progress, essays, writer.out / file)
        writer.note(oneroster.SOURCE, file, last, rows, {ACCEPTED: rows})
    else:
        _send_by_export(writer, "example_progress", "progress_tests", progress, "Date")
        _send_by_export(writer, "example_essays", "essays", essays, "Handed in")
    _send_by_export(writer, "example_msf", "msf", msf, "Date", exams.MSF_ITEMS)
    _send_by_export(writer, "example_osce", "stations", stations, "at")


def _send_by_export(
    writer: _Writer,
    source: str,
    name: str,
    frame: pl.DataFrame,
    on: str,
    items: Sequence[str] = (),
) -> None:
    """Send results by the last exports, the first of which holds all before.

    Args:
        writer: what writes.
        source: who sends them.
        name: what the files are called.
        frame: the results.
        on: the column of their day.
        items: the columns that give a record each where they hold something; a row by default.
    """
    since = ""
    for end in map(str, period_ends(writer.block)[-RESULTS_IN:]):
        day = pl.col(on).str.head(len(end))
        part = frame.filter((day > since) & (day <= end)) if frame.height else frame
        n = sum(int((part[item] != "").sum()) for item in items) if items else part.height
        file = f"{name}_to_{end.replace('-', '')}"
        _send_if_any(writer, source, file, part, date.fromisoformat(end), n)
        since = end


def _send_if_any(
    writer: _Writer, source: str, name: str, frame: pl.DataFrame, day: date, n_records: int
) -> None:
    if frame.height:
        writer.send(source, name, frame, day, {ACCEPTED: n_records})


def _send_declarations(writer: _Writer, declared: pl.DataFrame) -> None:
    day = writer.request.parameters.school.last_day.value - timedelta(days=18)
    writer.written.n_records += declared.height
    if writer.request.format == "xapi":
        if declared.height:
            file = f"{xapi.SOURCE}/declarations{writer.suffix}.jsonl"
            rows = xapi.write_declarations(declared, writer.block, writer.out / file)
            writer.note(xapi.SOURCE, file, day, rows, {ACCEPTED: rows})
        return
    bad: list[tuple[str, str]] = []
    if _level(writer.request) > 0 and writer.block.number == 0:
        bad = portfolio_work.faulty_declarations(writer.block)
    if not declared.height and not bad:
        return
    file = f"example_ai/declarations{writer.suffix}.jsonl"
    path = writer.out / file
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(line + "\n" for line, _ in bad).encode()
    path.write_bytes(declared.write_ndjson().encode() + lines)
    counts = {ACCEPTED: declared.height, QUARANTINED: len(bad)}
    writer.note("example_ai", file, day, declared.height + len(bad), counts)
    for row, (_, code) in enumerate(bad, start=declared.height + 1):
        fault = Fault("faulty_declaration", file, row, None, (QUARANTINED,), code)
        writer.written.faults.append(fault)


def _send_people(writer: _Writer) -> None:
    block, last = writer.block, writer.request.parameters.school.last_day.value
    present = school.roster(block)
    an_earlier_day = last.replace(year=last.year - 1, month=12, day=1)
    former = school.former_roster(block, an_earlier_day)
    same = 0
    if writer.request.format == "oneroster":
        former = None
    else:
        if former is not None:
            same = present.join(former, on=present.columns, how="semi").height
            changed = former.height - same
            counts = {ACCEPTED: same, SUPERSEDED: changed}
            writer.send("example_roster", "learners_former", former, an_earlier_day, counts)
        counts = {ACCEPTED: present.height - same, DUPLICATE: same}
        writer.send("example_roster", "learners", present, last, counts)
    calendar, background = school.calendar(block), school.background(block)
    for source, name, frame, each in (
        ("example_calendar", "calendar", calendar, 1),
        ("example_staff", "assessors", school.staff(block), 1),
        ("example_background", "background", background, 2),
        ("example_consent", "consent", school.consent(block), 1),
    ):
        writer.send(source, name, frame, last, {ACCEPTED: each * frame.height})


def _send_words(writer: _Writer) -> pl.DataFrame:
    """Send what people wrote, and return the actions that were agreed."""
    block, last = writer.block, writer.request.parameters.school.last_day.value
    for source, name, frame in (
        ("example_reflections", "reflections", portfolio_work.reflections(block)),
        ("example_meetings", "mentor_meetings", portfolio_work.meetings(block)),
    ):
        _send_if_any(writer, source, name, frame, last, frame.height)
    chair = block if block.number == 0 else make_block(writer.request, 0)
    decisions, actions = portfolio_work.decisions(block, chair)
    nobody: pl.DataFrame | None = None
    if _level(writer.request) > 0 and block.number == 0 and writer.request.years > 1:
        nobody = portfolio_work.nobody_decided(block)
    if decisions.height:
        an_earlier_day = last.replace(year=last.year - 1, month=12, day=1)
        is_former = pl.col("at") < an_earlier_day.isoformat()
        _send_decisions(
            writer, "decisions_former", decisions.filter(is_former), an_earlier_day, nobody
        )
        newest = max(on for on in writer.request.meeting_days if on <= last)
        _send_decisions(
            writer, "decisions", decisions.filter(~is_former), newest + timedelta(days=3), None
        )
    _send_if_any(writer, "example_actions", "actions", actions, last, actions.height)
    return actions


def _send_decisions(
    writer: _Writer, name: str, decisions: pl.DataFrame, day: date, nobody: pl.DataFrame | None
) -> None:
    """Send decisions, and behind them the one that nobody made, where there is one."""
    sent = decisions if nobody is None else pl.concat([decisions, nobody])
    if not sent.height:
        return
    counts = {ACCEPTED: decisions.height, QUARANTINED: sent.height - decisions.height}
    file = writer.send("example_decisions", name, sent, day, counts)
    if nobody is not None:
        writer.written.faults.append(
            Fault("nobody_decided", file, sent.height, None, (QUARANTINED,), "too_few_items")
        )


def _send_programme(writer: _Writer) -> None:
    request, block = writer.request, writer.block
    last = request.parameters.school.last_day.value
    first = date(last.year - request.years + 1, 1, 8)
    for source, name, frame, day in (
        ("example_framework", "framework", school.framework(request), first),
        ("example_plan", "plan", school.plan(request), first),
        ("example_tasks", "tasks", school.tasks(block), first),
        ("example_committee", "committee", portfolio_work.committee(block), last),
    ):
        _send_if_any(writer, source, name, frame, day, frame.height)


def _send_wrong_files(writer: _Writer, made: list[Export]) -> None:
    """Send files that are wrong as a whole, which no pipeline should choke on."""
    request, last = writer.request, writer.request.parameters.school.last_day.value
    form = writer.form_of(FORMS)
    name = request.prefix.lower().replace("-", "_")
    some = made[-1].rows.drop("outcome", "fault", "code", "detail").head(12)
    file = f"{FORMS}/{name}forms_without_columns{SUFFIXES[form]}"
    write_frame(some.drop("Rating", "EPA"), writer.out / file, form, Dialect(delimiter=";"))
    _note_wrong(writer, file, last, "without_columns", ("unreadable",))
    raw = csv_bytes(some, Dialect(delimiter=";"))
    if form == "csv":
        mangled = raw[:-40] + b"\xff\xfe\x00\x81 \xc3\x28"
        _write_wrong(
            writer,
            f"{FORMS}/{name}forms_broken_bytes.csv",
            mangled,
            last,
            "broken_bytes",
            ("unreadable",),
        )
    empty = f"{FORMS}/{name}forms_empty{SUFFIXES[form]}"
    _write_wrong(writer, empty, b"", None, "empty_file", ("refused",))
    part = f"{FORMS}/{name}forms_upload{SUFFIXES[form]}.part"
    _write_wrong(writer, part, raw[:2000], None, "half_written", ("incomplete",))
    elsewhere = f"somebody_elses_system/{name}export.csv"
    _write_wrong(writer, elsewhere, b"a,b\r\n1,2\r\n", None, "unknown_source", ("refused",))
    repeated = next((d for d in writer.written.deliveries if d.source == FORMS), None)
    if repeated is not None:
        original = writer.out / repeated.file
        again = original.with_name(f"{name}resent_{original.name}")
        again.write_bytes(original.read_bytes())
        write_manifest(again, sent_on(last))
        file = again.relative_to(writer.out).as_posix()
        fault = Fault("duplicate_export", file, None, None, (COMMITTED,), None, repeated.file)
        writer.written.faults.append(fault)


def _write_wrong(
    writer: _Writer,
    file: str,
    data: bytes,
    day: date | None,
    kind: str,
    status: tuple[str, ...],
) -> None:
    path = writer.out / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    _note_wrong(writer, file, day, kind, status)


def _note_wrong(
    writer: _Writer, file: str, day: date | None, kind: str, status: tuple[str, ...]
) -> None:
    sent_at = None if day is None else sent_on(day)
    sha256 = None if sent_at is None else write_manifest(writer.out / file, sent_at)
    known_at = None if sent_at is None else sent_at.isoformat()
    source = file.partition("/")[0]
    writer.written.deliveries.append(
        Delivered(file, source, sha256, known_at, status, 0, fault=kind)
    )
    writer.written.faults.append(Fault(kind, file, None, None, status))


def _level(request: Request) -> float:
    return request.parameters.faults.levels.value[request.mess]
