"""What is taken over from the pack before is what would have been rendered, byte for byte."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipelines.committee import pack, site
from pipelines.committee.edition import find
from pipelines.committee.learner import assemble
from pipelines.committee.reuse import digests
from pipelines.home import Home
from pipelines.settings import Settings
from tests.committee.edition import FULL, HOSTILE, database_of, publish_edition

pytestmark = pytest.mark.slow


def _bytes(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The learners whose pages were rendered."""
    found: list[str] = []

    def watched(portfolio, row):  # type: ignore[no-untyped-def]
        found.append(row["learner_key"])
        return assemble(portfolio, row)

    monkeypatch.setattr(site, "assemble", watched)
    return found


def _build(home: Home) -> Path:
    return pack.build(home, Settings(home=home.root, workers=1))


def test_a_pack_that_took_pages_over_equals_one_that_is_made_anew(
    tmp_path: Path, rendered: list[str]
) -> None:
    home = Home.open(tmp_path / "home")
    publish_edition(home, 6)
    _build(home)
    assert len(rendered) == 6
    rendered.clear()
    publish_edition(home, 8)
    taken = _bytes(_build(home))
    assert len(rendered) == 2
    assert FULL not in rendered
    assert HOSTILE not in rendered
    shutil.rmtree(home.packs)
    rendered.clear()
    assert _bytes(_build(home)) == taken
    assert len(rendered) == 8


def test_a_page_that_was_changed_on_disk_is_rendered_again(
    tmp_path: Path, rendered: list[str]
) -> None:
    home = Home.open(tmp_path / "home")
    publish_edition(home, 4)
    page = _build(home) / "learners" / f"{FULL}.html"
    page.write_bytes(page.read_bytes() + b"<!-- by hand -->")
    rendered.clear()
    publish_edition(home, 5)
    built = _build(home)
    assert FULL in rendered
    assert b"by hand" not in (built / "learners" / f"{FULL}.html").read_bytes()
    assert pack.verify(home).ok


def test_pages_of_another_version_are_not_taken_over(
    tmp_path: Path, rendered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home.open(tmp_path / "home")
    publish_edition(home, 3)
    _build(home)
    rendered.clear()
    monkeypatch.setattr(pack, "pages_version", lambda: "another")
    publish_edition(home, 4)
    _build(home)
    assert len(rendered) == 4


@pytest.mark.parametrize(
    "change",
    [
        "update fct_evidence set narrative_strengths = 'New words.' where learner_key = '{key}'",
        "update portfolio_exam set sem = 3 where learner_key = '{key}'",
        "update dim_learner set rotation_id = 'Surgery' where learner_key = '{key}'",
        "delete from fct_reflection where learner_key = '{key}'",
        "update portfolio_msf set n_respondents = 7 where learner_key = '{key}'",
    ],
)
def test_a_change_in_any_section_is_a_change_of_that_learner_alone(
    fresh: Home, change: str
) -> None:
    source = find(fresh, None)
    before = digests(source, "v")
    with duckdb.connect(str(database_of(fresh))) as con:
        con.execute(change.format(key=FULL))
    after = digests(source, "v")
    assert {key for key in before if before[key] != after[key]} == {FULL}


def test_what_all_pages_speak_of_changes_every_digest(fresh: Home) -> None:
    source = find(fresh, None)
    before = digests(source, "v")
    assert all(digests(source, "w")[key] != told for key, told in before.items())
    with duckdb.connect(str(database_of(fresh))) as con:
        con.execute("update dim_competency set title = 'Other' where competency_id = 'EPA-01'")
    assert all(digests(source, "v")[key] != told for key, told in before.items())


def test_an_open_leave_makes_the_day_count_and_not_the_month_alone() -> None:
    from pipelines.committee.reuse import _moves

    day = date(2026, 11, 28)
    assert _moves({"starts_on": date(2026, 3, 1), "ends_on": None}, day)
    assert _moves({"starts_on": date(2026, 11, 1), "ends_on": date(2027, 1, 1)}, day)
    assert not _moves({"starts_on": date(2026, 3, 1), "ends_on": date(2026, 4, 12)}, day)
