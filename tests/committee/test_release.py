"""Who may release a frozen pack: a person, with a role on that day; silence refuses."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import stages
from pipelines.committee import freeze
from pipelines.committee.freeze import Frozen
from pipelines.committee.release import APPROVE, REJECT, Answer, is_released, releases, settle
from pipelines.home import Home
from pipelines.identity.decisions import IdentityError
from pipelines.settings import Settings
from tests.committee.edition import publish_edition

MEETING = "M-2026-11"
ARCHIVED = b"a pack"
WHEN = datetime(2026, 11, 28, 9, tzinfo=UTC)
ACCOUNTS = """airflow_user,identity,source
a.muster,staff:1,committee office
b.beispiel,staff:2,committee office
c.gone,staff:3,committee office
d.silent,staff:4,committee office
e.elsewhere,staff:5,committee office
admin,staff:1,committee office
"""
PEOPLE = {
    "staff:1": "A-CHAIR",
    "staff:2": "A-FORMER",
    "staff:4": "A-SILENT",
    "staff:5": "A-ELSEWHERE",
}


@pytest.fixture
def frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Home, Settings, Frozen]:
    home = Home.open(tmp_path / "home")
    edition_id = publish_edition(home, 2)
    database = next((home.editions / edition_id).glob("*.duckdb"))
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            """
            insert into committee_member by name
            from (values
                ('A-CHAIR', 'PC-3', 'chair', true, '2026-01-01', null),
                ('A-FORMER', 'PC-3', 'member', true, '2020-01-01', '2026-11-27'),
                ('A-SILENT', 'PC-3', 'secretary', false, '2020-01-01', null),
                ('A-ELSEWHERE', 'PC-9', 'chair', true, '2020-01-01', null)
            ) as told(member_key, committee_id, member_role, is_voting, f, t)
            select member_key, committee_id, member_role, is_voting,
                cast(f as date) as term_from, cast(t as date) as term_to
            """
        )
    site = tmp_path / "site"
    (site / "codes").mkdir(parents=True)
    (site / "codes" / "airflow_user.csv").write_text(ACCOUNTS, encoding="utf-8")
    monkeypatch.setenv("TESSERA_HOME", str(home.root))
    monkeypatch.setenv("TESSERA_SITE", str(site))
    return home, Settings(), _frozen(home, edition_id)


def _frozen(home: Home, edition_id: str) -> Frozen:
    """Put a frozen pack onto the shelf."""
    pack = Frozen(
        freeze_id="0123456789abcdef",
        meeting_id=MEETING,
        edition_id=edition_id,
        edition_hash="0" * 64,
        manifest_sha256="0" * 64,
        archive_sha256=hashlib.sha256(ARCHIVED).hexdigest(),
        n_files=1,
        n_learners=2,
        frozen_at=WHEN,
        frozen_by="the schedule",
    )
    place = home.packs / "frozen" / MEETING / pack.freeze_id
    place.mkdir(parents=True)
    (place / freeze.ARCHIVE).write_bytes(ARCHIVED)
    (place / freeze.RECORD).write_text(pack.model_dump_json(), encoding="utf-8")
    return pack


def person_of(_home: Home, _settings: Settings, identity: str) -> str:
    if identity not in PEOPLE:
        raise IdentityError("no record names s•3")
    return PEOPLE[identity]


def answered(frozen: Any, account: str | None, chosen: str = APPROVE, **more: Any) -> Any:
    answer = Answer(chosen=chosen, account=account, answered_at=WHEN, **more)
    return settle(*frozen, answer, person_of)


def test_a_person_with_a_role_on_that_day_releases_the_pack(frozen: Any) -> None:
    home, _, pack = frozen
    assert not is_released(home, pack)
    release = answered(frozen, "a.muster")
    assert (release.is_released, release.person_key, release.member_role) == (
        True, "A-CHAIR", "chair",
    )  # fmt: skip
    assert release.archive_sha256 == pack.archive_sha256
    assert is_released(home, pack)


@pytest.mark.parametrize(
    ("account", "said"),
    [
        (None, "silence is a refusal"),
        ("admin", "stands for no single person"),
        ("Airflow", "stands for no single person"),
        ("anonymous", "stands for no single person"),
        ("root", "stands for no single person"),
        ("admin2", "stands for no single person"),
        ("service-release", "stands for no single person"),
        ("d.unknown", "is not in codes/airflow_user.csv"),
        ("c.gone", "leads to no person"),
        ("b.beispiel", "holds no voting role on 2026-11-28 in a committee of meeting M-2026-11"),
        ("d.silent", "holds no voting role on 2026-11-28"),
        ("e.elsewhere", "holds no voting role on 2026-11-28"),
        ("tessera", "stands for no single person"),
    ],
)
def test_who_may_not_release_refuses_as_data_and_the_reason_is_kept(
    frozen: Any, account: str | None, said: str
) -> None:
    home, _, pack = frozen
    release = answered(frozen, account)
    assert not release.is_released
    assert said in release.because
    assert releases(home, pack) == [release]
    assert not is_released(home, pack)


def test_a_rejected_pack_is_kept_with_the_reason_and_may_be_approved_later(frozen: Any) -> None:
    home, _, pack = frozen
    rejected = answered(frozen, "a.muster", REJECT, reason="Two sources are late.")
    assert (rejected.is_released, rejected.because) == (False, "Two sources are late.")
    assert freeze.reprint(home, pack) == ARCHIVED
    later = Answer(chosen=APPROVE, account="a.muster", answered_at=WHEN.replace(hour=15))
    assert settle(*frozen, later, person_of).is_released
    assert [r.is_released for r in releases(home, pack)] == [False, True]


def test_the_same_answer_again_is_recorded_once(frozen: Any) -> None:
    home, _, pack = frozen
    assert answered(frozen, "a.muster") == answered(frozen, "a.muster")
    assert len(releases(home, pack)) == 1


def test_what_airflow_gives_back_is_an_answer_and_nothing_is_a_refusal(frozen: Any) -> None:
    home, _, pack = frozen
    which = {"run_id": "r", "meeting_id": MEETING, "freeze_id": pack.freeze_id}
    silent = {"chosen_options": ["Reject"], "responded_by_user": None, "responded_at": WHEN}
    assert stages.release(which, silent) is False
    user = {"id": "9", "name": "admin"}
    approved = {"chosen_options": ["Approve"], "responded_by_user": user, "responded_at": WHEN}
    assert stages.release(which, approved) is False
    assert [r.answer.account for r in releases(home, pack)] == [None, "admin"]
