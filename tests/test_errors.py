"""What other libraries say is told in one line."""

from __future__ import annotations

import pytest

from pipelines.errors import first_line


@pytest.mark.parametrize(
    ("said", "told"), [("cannot open\n\nat line 3", "cannot open"), ("\n late ", "late"), ("", "")]
)
def test_of_an_error_the_first_line_is_told_and_nothing_of_a_silent_one(
    said: str, told: str
) -> None:
    assert first_line(OSError(said)) == told
