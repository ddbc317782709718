"""Rows without ids of their own: equal content is the same record, as often as one file has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.sources.faults import SourceError
from pipelines.sources.mapping.identities import RowIdentity

from .conftest import Result

BODY = """
    reader: {name: delimited}
    values:
      {programme_id: MED, instrument_id: mcq, sitting_id: s1, task_id: t1, result_status: scored}
    records:
      - kind: exam_result
        record_id: {identity: [who, when]%s}
        fields:
          learner_id: who
          score: score
"""


def ids(result: Result) -> list[str]:
    return result.records()["record_id"].to_list()


def test_equal_rows_of_a_file_are_numbered_and_other_columns_do_not_count(
    read_bytes: Callable[..., Result],
) -> None:
    sheet = "who,when,score\na,1,5\nb,1,5\na,1,6\na,2,5\na,1,5\n"
    found = ids(read_bytes(sheet, BODY % ""))
    first = found[0]
    assert found == [first, found[1], f"{first}-2", found[3], f"{first}-3"]
    assert len(set(found)) == 5
    assert len(first) == 32


def test_equal_rows_are_one_record_by_declaration(read_bytes: Callable[..., Result]) -> None:
    sheet = "who,when,score\na,1,5\na,1,5\n"
    one, other = ids(read_bytes(sheet, BODY % ", equal_rows: once"))
    assert one == other


def test_empty_cells_tell_rows_apart_and_a_row_without_any_has_no_id(
    read_bytes: Callable[..., Result],
) -> None:
    sheet = "who,when,score\na,,5\n,a,5\n,,5\n"
    one, other, none = ids(read_bytes(sheet, BODY % ""))
    assert one != other
    assert none is None


def test_only_a_record_id_is_made_of_content(catalogue_of: Callable[..., object]) -> None:
    body = (BODY % "").replace("learner_id: who", "learner_id: {identity: [who]}")
    with pytest.raises(SourceError, match="identity"):
        catalogue_of(body)


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["", "1", "a"])), max_size=12),
    cuts=st.sets(st.integers(0, 12)),
)
def test_the_stretches_in_which_a_file_is_read_change_no_id(
    rows: list[tuple[str, str]], cuts: set[int]
) -> None:
    def read(stretches: list[list[tuple[str, str]]]) -> list[str]:
        identity = RowIdentity(numbered=True)
        made = []
        for stretch in stretches:
            frame = pl.DataFrame(stretch, schema={"x": pl.String, "y": pl.String}, orient="row")
            made += identity.of(frame.get_columns()).to_list()
        return made

    edges = [0, *sorted(cut for cut in cuts if cut < len(rows)), len(rows)]
    parts = [rows[start:end] for start, end in pairwise(edges)]
    found = read(parts)
    assert found == read([rows])
    assert len(set(found)) == len(rows)
    bases = Counter(name.partition("-")[0] for name in found)
    assert sorted(bases.values()) == sorted(Counter(rows).values())
