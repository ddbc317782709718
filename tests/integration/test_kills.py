"""A process that is killed at any moment leaves a home that comes out the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak import INTAKE_STEPS, soak


@pytest.mark.slow
def test_a_kill_at_each_step_changes_no_table(tmp_path: Path) -> None:
    result = soak(tmp_path, len(INTAKE_STEPS), seed=1)
    assert result.differing == []
    assert result.kills.total() >= len(INTAKE_STEPS) // 2
