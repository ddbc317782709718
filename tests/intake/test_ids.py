from __future__ import annotations

import hashlib

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import columns
from pipelines.intake.ids import contents, hashed

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


fields = st.fixed_dictionaries(
    {
        "competency_id": st.one_of(st.none(), st.text("aé", max_size=3)),
        "narrative_other": st.one_of(st.none(), st.sampled_from(["", "x" * 999, "é" * 700])),
        "level": st.one_of(st.none(), st.integers(-5, 12)),
    }
)


@settings(max_examples=100, deadline=None)
@given(st.lists(fields, max_size=6))
def test_what_a_record_says_is_every_field_that_holds_something_with_its_length(
    records: list[dict[str, str | int | None]],
) -> None:
    contract = CONTRACTS["workplace_assessment"]
    frame = pl.DataFrame(records, schema={c.name: c.dtype for c in columns(contract)})
    expected = [
        "".join(
            f"{name}={len(str(value).encode())}:{value}"
            for name, value in sorted(record.items())
            if value is not None
        )
        for record in records
    ]
    assert contents(frame, contract, sealed={}).to_list() == expected
