"""A process that is killed at any moment leaves a home that comes out the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak import soak

KILLS = 6
"""Every other step of intake and load; `make soak` kills at all of them, again and again."""


@pytest.mark.slow
def test_a_kill_between_steps_changes_no_table(tmp_path: Path) -> None:
    result = soak(tmp_path, KILLS, seed=1)
    assert result.differing == []
    assert result.kills.total() >= KILLS // 2
