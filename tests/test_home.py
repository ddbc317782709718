"""What a home writes is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import home
from pipelines.home import point, write_atomically


def test_a_link_moves_to_another_folder_by_one_rename_and_leaves_nothing_beside(
    tmp_path: Path,
) -> None:
    link = tmp_path / "current"
    for target in ("first", "second"):
        (tmp_path / target).mkdir()
        point(link, target)
        assert link.resolve() == (tmp_path / target).resolve()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["current", "first", "second"]


def test_a_link_that_leads_there_already_is_left_alone(tmp_path: Path) -> None:
    link = tmp_path / "current"
    point(link, "first")
    before = link.lstat()
    point(link, "first")
    assert link.lstat() == before


def test_a_write_that_is_stopped_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "record.json"
    write_atomically(path, b"first")

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(home.os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"second")
    assert path.read_bytes() == b"first"
