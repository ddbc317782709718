"""Keys are made once, stay, and nobody else may read them."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pipelines.home import Home
from pipelines.identity.pseudonyms import Folding, Namespace, pseudonymise
from pipelines.identity.vault import Keys, open_keys

KEYS = Keys(b"one", b"two", 1)


def test_keys_are_made_at_first_use_and_kept(tmp_path: Path) -> None:
    home = Home.open(tmp_path)
    first = open_keys(home)
    assert open_keys(home) == first
    assert (home.vault / "keys.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in home.vault.iterdir()] == ["keys.json"]


def test_two_homes_have_different_keys(tmp_path: Path) -> None:
    one, other = (open_keys(Home.open(tmp_path / name)) for name in ("one", "other"))
    assert one.pseudonym != other.pseudonym
    assert one.person != other.person


def test_a_pseudonym_depends_on_key_and_namespace_and_id() -> None:
    pseudonym = KEYS.pseudonym_of("numbers", "s1")
    assert pseudonym == KEYS.pseudonym_of("numbers", "s1")
    assert len(pseudonym) == 32
    others = {
        KEYS.pseudonym_of("numbers", "s2"),
        KEYS.pseudonym_of("other", "s1"),
        Keys(b"new", b"two", 2).pseudonym_of("numbers", "s1"),
    }
    assert pseudonym not in others
    assert len(others) == 3


def test_a_person_key_survives_a_new_pseudonym_key() -> None:
    key = KEYS.person_key_of("learner", "numbers", "s1")
    assert key == Keys(b"new", b"two", 2).person_key_of("learner", "numbers", "s1")
    assert key.startswith("L-")
    assert len(key) == 12
    assert KEYS.person_key_of("assessor", "numbers", "s1").startswith("A-")


def test_only_declared_differences_are_folded() -> None:
    ids = pl.Series(["S1", "s1", "0s1", None])
    strict = pseudonymise(ids, Namespace("n"), KEYS)
    assert strict["pseudonym"].n_unique() == 3
    folded = pseudonymise(ids, Namespace("n", Folding(True, True)), KEYS)
    assert folded["written"].to_list() == ["0s1", "S1", "s1"]
    assert folded["person_id"].unique().to_list() == ["s1"]
    assert folded["pseudonym"].n_unique() == 1


def test_zeros_alone_stay_an_id() -> None:
    assert Folding(strip_leading_zeros=True).fold("000") == "0"


def test_another_id_may_name_its_namespace() -> None:
    namespace = Namespace("numbers", Folding(fold_case=True))
    assert namespace.identity_of("S7") == ("numbers", "s7")
    assert namespace.identity_of("numbers:S7") == ("numbers", "s7")
    assert namespace.identity_of("Old:S7") == ("Old", "S7")
