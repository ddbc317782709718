from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.measurement.connectivity import connect


def design(*pairs: tuple[str, str]) -> pl.DataFrame:
    return pl.DataFrame(pairs, schema=["learner", "assessor"], orient="row")


def test_a_shared_learner_links_two_assessors() -> None:
    ratings = design(("l1", "a1"), ("l1", "a2"), ("l2", "a2"))
    found = connect(ratings["learner"], ratings["assessor"])
    assert found.is_connected
    assert found.main_block_share == 1
    assert "can be compared" in found.sentence


def test_a_disconnected_design_is_said_in_words_with_its_numbers() -> None:
    ratings = design(("l1", "a1"), ("l2", "a1"), ("l3", "a2"), ("l4", "a3"))
    found = connect(ratings["learner"], ratings["assessor"])
    assert found.n_blocks == 3
    assert found.blocks.row(0, named=True) == {
        "block": 0,
        "n_ratings": 2,
        "n_learners": 2,
        "n_assessors": 1,
    }
    assert found.rating_block.to_list() == [0, 0, 1, 2]
    assert "3 groups that share nobody" in found.sentence
    assert "50%" in found.sentence


def test_the_largest_group_of_several_never_holds_all_ratings() -> None:
    ratings = design(*[("l1", "a1")] * 999, ("l2", "a2"))
    assert "holds 99.9% of the ratings" in connect(ratings["learner"], ratings["assessor"]).sentence


def test_no_ratings_have_no_blocks() -> None:
    found = connect(pl.Series([], dtype=pl.String), pl.Series([], dtype=pl.String))
    assert found.n_blocks == 0
    assert not found.is_connected
    assert found.sentence == "There are no ratings to compare."


def test_a_learner_and_an_assessor_of_the_same_name_are_two_nodes() -> None:
    ratings = design(("x", "y"), ("y", "z"))
    assert connect(ratings["learner"], ratings["assessor"]).n_blocks == 2


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=40))
def test_blocks_equal_those_of_a_search_by_hand(pairs: list[tuple[int, int]]) -> None:
    found = connect(pl.Series([p for p, _ in pairs]), pl.Series([a for _, a in pairs]))
    block_of: dict[tuple[str, int], int] = {}
    for start in pairs:
        reached, grown = {start}, True
        while grown:
            more = {p for p in pairs if any(p[0] == r[0] or p[1] == r[1] for r in reached)}
            grown = more != reached
            reached = more
        blocks = {found.rating_block[i] for i, pair in enumerate(pairs) if pair in reached}
        assert len(blocks) == 1
        block_of[("l", start[0])] = blocks.pop()
    assert len(set(block_of.values())) == found.n_blocks
    assert found.blocks["n_ratings"].sum() == len(pairs)


@pytest.mark.real
def test_grant_reviews_fall_into_973_blocks(real_data) -> None:
    reviews = pl.read_csv(real_data / "raters" / "sia_NIH.csv", columns=["ID", "RevID"])
    found = connect(reviews["ID"], reviews["RevID"])
    assert (found.n_ratings, found.n_blocks) == (5_802, 973)
    assert found.blocks["n_learners"].sum() == 2_076
    assert found.blocks["n_assessors"].sum() == 4_555
    assert "973 groups" in found.sentence
