"""A made-up school of three small sources, for tests of order, repetition and crashes.

Marks are appended and corrected, entries never change, and the register comes whole each time. What
is known when stands in manifests, so the clock has no part in what comes out.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipelines.home import Home

KEYS = '{"person_secret": "00", "generations": [{"generation": 1, "pseudonym_secret": "01"}]}'
OLD = 1_700_000_000
_SPEC = """
source: {source}
title: A source of a small school
owner: assessment_unit
files: "*.csv"
reader: {{name: delimited, delimiter: ",", encoding: utf-8}}
time_zone: Europe/Vienna
person_namespace: small
known_at: {{from: manifest}}
{declared}
gates: {{min_rows: 1, max_refused_share: 1, min_snapshot_share: 0.3}}
values: {{programme_id: MED, instrument_id: mcq, sitting_id: s1, result_status: scored}}
records:
  - kind: exam_result
    record_id: "{{id}}"
    fields:
      learner_id: who
      task_id: {{value: {source}}}
      score: score
      occurred_at: {{value: "2026-01-01"}}
    void: {{column: state, is: withdrawn}}
"""
SOURCES = {
    "marks": "on_change: version",
    "entries": "on_change: conflict",
    "register": "{snapshot: full, vanished: withdraw}",
}

Row = tuple[str, str, str, str]
"""Id, learner, score and state of a record."""


@dataclass(frozen=True)
class Sent:
    """One file as a source sent it on a day of March."""

    source: str
    day: int
    rows: tuple[Row, ...]

    @property
    def content(self) -> str:
        """Return the file."""
        return "id,who,score,state\n" + "".join(",".join(row) + "\n" for row in self.rows)

    def drop(self, inbox: Path, name: str) -> None:
        """Put the file and its manifest into the inbox, written long ago."""
        path = inbox / self.source / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.content, encoding="utf-8")
        os.utime(path, (OLD, OLD))
        manifest = {"sent_at": f"2026-03-{self.day:02}T06:00:00Z"}
        path.with_name(f"{path.name}.manifest.json").write_text(json.dumps(manifest))


def write_site(folder: Path) -> Path:
    """Write the specs of the sources, and return the folder of the site."""
    (folder / "sources").mkdir(parents=True, exist_ok=True)
    for source, declared in SOURCES.items():
        lines = declared.strip("{}").replace(", ", "\n")
        text = _SPEC.format(source=source, declared=lines)
        (folder / "sources" / f"{source}.yaml").write_text(text, encoding="utf-8")
    return folder


def open_home(root: Path, sent: Iterable[Sent] = ()) -> Home:
    """Make a home with known keys and some files in its inbox."""
    home = Home.open(root)
    (home.vault / "keys.json").write_text(KEYS)
    for number, one in enumerate(sent):
        one.drop(home.inbox, f"f{number}")
    return home


EXAMPLE = (
    Sent("marks", 1, (("m1", "s1", "1", ""), ("m2", "s2", "2", ""), ("m3", "s3", "x", ""))),
    Sent("marks", 3, (("m1", "s1", "5", ""), ("m2", "s2", "2", ""), ("m4", "s4", "4", ""))),
    Sent("marks", 4, (("m4", "s4", "", "withdrawn"), ("m9", "s9", "", "withdrawn"))),
    Sent("entries", 1, (("e1", "s1", "1", ""), ("e2", "s2", "2", ""))),
    Sent("entries", 2, (("e1", "s1", "3", ""), ("e2", "s2", "2", ""))),
    Sent("register", 1, (("r1", "s1", "1", ""), ("r2", "s2", "2", ""), ("r3", "s3", "3", ""))),
    Sent("register", 2, (("r1", "s1", "1", ""), ("r2", "s2", "4", ""))),
)
"""Every outcome occurs: accepted, duplicate, superseded, voided, quarantined."""
