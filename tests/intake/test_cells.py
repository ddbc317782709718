"""Cells hold any text, run nothing, and give the text back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.intake.cells import inert, plain, shortened, storable, stored

TEXTS = st.text(st.characters(), max_size=30) | st.sampled_from(
    ["=1+1", "'=1", "''", "_x0041_", "_x005F_", "\x00", "\ud800", "\t@", "a\r\nb", "'"]
)


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx", "|x"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert inert(text) == f"'{text}"
    assert inert("plain = text") == "plain = text"
    assert inert(5) == 5


@given(TEXTS)
def test_every_text_is_read_back_as_it_was(text: str) -> None:
    cell = str(inert(storable(text)))
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "|"))
    assert "\x00" not in cell
    cell.encode("utf-8")
    assert stored(plain(cell)) == text


def test_what_is_too_long_for_a_cell_is_visibly_cut() -> None:
    assert shortened("a" * 40_000).endswith("[…]")
    assert len(shortened("a" * 40_000)) < 32_767
    assert shortened("short") == "short"
