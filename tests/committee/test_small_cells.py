"""Counts give nobody away, whatever is subtracted from what."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.committee.small_cells import OTHER, GroupCounts, folded, told_by_difference

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


def test_a_count_a_little_below_that_of_all_learners_of_its_group_goes() -> None:
    whole = GroupCounts(0, "Y1", (20,), wholes=(20,))
    nearly_all, some, all_of_them, elsewhere = (
        GroupCounts(row, group, (n,))
        for row, group, n in ((1, "Y1", 18), (2, "Y1", 15), (3, "Y1", 20), (4, "Y2", 18))
    )
    told = [whole, nearly_all, some, all_of_them, elsewhere]
    assert told_by_difference(told, LEAST) == {1}
    assert told_by_difference([nearly_all, some, all_of_them], LEAST) == set()


def test_all_parts_of_a_group_go_where_those_that_show_leave_few_of_it() -> None:
    whole = GroupCounts(0, "Y1", (20,), wholes=(20,))
    north, south = (GroupCounts(n, "Y1", (9,), (9,), part) for n, part in ((1, "N"), (2, "S")))
    assert told_by_difference([whole, north, south], LEAST) == {1, 2}
    assert told_by_difference([whole, north], LEAST) == set()
    assert told_by_difference([north, GroupCounts(3, "Y1", (6,))], LEAST) == set()
    assert told_by_difference([north, south], LEAST) == set()
    assert told_by_difference([GroupCounts(0, "Y1", (20,)), north, south], LEAST) == {1, 2}
