from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.sources.mapping import times
from pipelines.sources.spec import TimeZone

WRITTEN = st.one_of(
    st.datetimes().map(lambda t: t.strftime("%Y-%m-%dT%H:%M:%SZ")),
    st.datetimes().map(lambda t: t.isoformat()),
    st.from_regex(r"(19|20|21)[0-9]{2}-[0-9]{2}-[0-3][0-9]T[0-2][0-9]:[0-9]{2}:[0-6][0-9]Z\Z"),
    st.sampled_from(["1899-12-31T00:00:00Z", "2026-02-30T10:00:00Z", "2026-01-01T24:00:00Z", "x"]),
    st.none(),
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.lists(WRITTEN, min_size=1, max_size=12))
def test_instants_written_as_they_are_kept_are_read_like_all_others(
    written: list[str | None],
) -> None:
    text = pl.Series("text", written, dtype=pl.String)
    zone = TimeZone(name="Europe/Vienna")
    quick = times.parse(text, ["iso"], zone, "start", "instant")
    slow = times._parse(text, ["iso"], zone, "start", "instant")
    assert quick.rows() == slow.rows()
    assert quick.schema == slow.schema


def test_the_letters_of_a_time_may_be_small() -> None:
    text = pl.Series("text", ["2026-03-01t09:00:00z", "2026-03-01T09:00:00Z"])
    read = times.parse(text, ["iso"], TimeZone(name="Europe/Vienna"), "start", "instant")
    assert read["value"].str.head(19).to_list() == ["2026-03-01T09:00:00"] * 2
    assert read["code"].to_list() == [None, None]
