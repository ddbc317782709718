"""A credential keeps its place in the status list for ever, and no other ever gets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.home import Home
from pipelines.identity import issued
from pipelines.identity.issued import PLACES, REGISTER, RegisterError, give_places, places


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.open(tmp_path / "home")


def test_a_place_once_given_stays_and_is_given_to_no_other(home: Home) -> None:
    first = give_places(home, ["urn:a", "urn:b"])
    more = give_places(home, ["urn:b", "urn:c", *(f"urn:{n}" for n in range(500))])
    assert more["urn:b"] == first["urn:b"]
    assert places(home) == first | more
    assert len(set(places(home).values())) == 503
    assert all(0 <= place < PLACES for place in places(home).values())


def test_neighbours_tell_nothing_of_each_other(home: Home) -> None:
    given = list(give_places(home, [f"urn:{n}" for n in range(50)]).values())
    assert given != sorted(given)
    assert max(given) - min(given) > 1_000


def test_the_register_is_of_the_vault_and_is_not_written_without_need(home: Home) -> None:
    assert places(home) == {}
    give_places(home, ["urn:a"])
    path = home.vault / REGISTER
    assert path.stat().st_mode & 0o077 == 0
    before = path.stat().st_mtime_ns
    give_places(home, ["urn:a"])
    assert path.stat().st_mtime_ns == before


@pytest.mark.parametrize("text", ["", "[]", '{"urn:a": "1"}'])
def test_a_damaged_register_is_said_and_never_begun_anew(home: Home, text: str) -> None:
    (home.vault / REGISTER).write_text(text, encoding="utf-8")
    with pytest.raises(RegisterError, match="restore it from the backup of the vault"):
        give_places(home, ["urn:a"])
    assert (home.vault / REGISTER).read_text(encoding="utf-8") == text


def test_a_full_list_is_said(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issued, "PLACES", 2)
    give_places(home, ["urn:a", "urn:b"])
    with pytest.raises(RegisterError, match="all 2 places"):
        give_places(home, ["urn:c"])
    assert set(places(home)) == {"urn:a", "urn:b"}
