"""Counts give nobody away, whatever is subtracted from what."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.committee.small_cells import OTHER, folded

LEAST = 5
counts = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 40))


@settings(max_examples=300, deadline=None)
@given(counts)
def test_no_cell_below_the_least_shows_and_nothing_is_lost_but_whole_tables(
    given_counts: dict[str, int],
) -> None:
    told = folded(given_counts, LEAST)
    if told is not None:
        assert all(n >= LEAST for n in told.values())
        assert sum(told.values()) == sum(given_counts.values())


@settings(max_examples=300, deadline=None)
@given(counts)
def test_no_single_small_cell_follows_from_the_total_and_what_shows(
    given_counts: dict[str, int],
) -> None:
    told = folded(given_counts, LEAST)
    if told is None:
        return
    hidden = [label for label, n in given_counts.items() if n > 0 and label not in told]
    assert len(hidden) != 1
    assert (OTHER in told) == bool(hidden)


def test_a_small_cell_takes_the_next_smallest_with_it() -> None:
    assert folded({"satisfactory": 50, "support": 9, "remediation": 2}, LEAST) == {
        "satisfactory": 50,
        OTHER: 11,
    }


def test_a_table_that_is_too_small_says_nothing() -> None:
    assert folded({"satisfactory": 4}, LEAST) is None
    assert folded({}, LEAST) is None
