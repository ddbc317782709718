from __future__ import annotations

import hashlib

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.intake.ids import hashed

texts = st.lists(
    st.one_of(st.none(), st.text(st.characters(blacklist_categories=["Cs"]), max_size=80)),
    max_size=20,
)


@settings(max_examples=200, deadline=None)
@given(texts)
def test_ids_are_the_start_of_the_sha_256_of_a_text_and_nothing_of_nothing(
    written: list[str | None],
) -> None:
    frame = pl.DataFrame({"a": pl.Series(written, dtype=pl.String)})
    expected = [
        None if text is None else hashlib.sha256(text.encode()).hexdigest()[:32] for text in written
    ]
    assert hashed(frame).to_dict(as_series=False) == {"a": expected}
