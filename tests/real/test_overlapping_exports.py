"""Three real exports that overlap and have no ids: what they share is counted once."""

from __future__ import annotations

import shutil
from collections import Counter
from itertools import permutations
from pathlib import Path

import pytest

from pipelines.home import Home
from pipelines.intake import check, ledger, read, receive, segment, validate
from pipelines.settings import Settings
from tests.real.real_data import data_folder

USAGE = (
    data_folder()
    / "oneroster/edfi_lms_toolkit_apache2/src/google-classroom-extractor/tests/api/usage"
)
SPEC = """
source: usage
title: Log-ins and posts
owner: assessment_unit
files: "*.csv"
reader: {name: delimited}
time_zone: Europe/London
values: {programme_id: MED, requirement_type: attendance, requirement_id: online, status: met}
records:
  - kind: requirement
    record_id:
      identity: [email, asOfDate, importDate, numberOfPosts, lastInteractionTime, lastLoginTime,
        name, monthDay, nameDate]
    fields:
      learner_id: email
      occurred_at: {column: lastLoginTime, format: "%Y-%m-%d %H:%M:%S"}
"""

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not USAGE.exists(), reason=f"no shared data in {USAGE}"),
]


def rows_of(path: Path) -> Counter[str]:
    lines = path.read_text(encoding="utf-8-sig").splitlines()[1:]
    return Counter(line.strip() for line in lines if line.strip())


def accepted(files: list[Path], folder: Path) -> int:
    site = folder / "site"
    (site / "sources").mkdir(parents=True)
    (site / "sources" / "usage.yaml").write_text(SPEC)
    home, settings = Home.open(folder / "home"), Settings(home=folder / "home", site=site)
    (home.inbox / "usage").mkdir()
    for path in files:
        shutil.copyfile(path, home.inbox / "usage" / path.name)
        for delivery_id in receive.receive(home, settings, settle=0).pending:
            read.read(home, settings, delivery_id)
            validate.validate(home, settings, delivery_id)
            check.check(home, settings, delivery_id)
            segment.commit(home, settings, delivery_id)
    entries = ledger.ledger(home)
    assert {entry.status for entry in entries} == {"committed"}
    assert sum(entry.quarantined for entry in entries) == 0
    assert all(entry.accepted + entry.duplicate == entry.rows_read for entry in entries)
    assert sum(entry.rows_read for entry in entries) == sum(rows_of(path).total() for path in files)
    return sum(entry.accepted for entry in entries)


@pytest.mark.slow
def test_overlapping_exports_are_counted_once_in_any_order(tmp_path: Path) -> None:
    files = sorted(USAGE.glob("usage-*.csv"))
    assert [rows_of(path).total() for path in files] == [17, 49, 98]
    union: Counter[str] = Counter()
    for path in files:
        union |= rows_of(path)
    orders = list(permutations(files))[::2]
    found = {accepted(list(order), tmp_path / str(n)) for n, order in enumerate(orders)}
    assert found == {union.total()}
    assert union.total() == 99
