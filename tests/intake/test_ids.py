from __future__ import annotations

import hashlib
import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import columns
from pipelines.intake.ids import LONG_ID, contents, hashed, without_people

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


PEOPLE = {"learner_id": "learner_seal", "assessor_id": "assessor_seal"}


def without(record_id: str | None, learner: str | None, assessor: str | None = None) -> str | None:
    frame = pl.DataFrame(
        {
            "record_id": [record_id],
            "form_record_id": [record_id],
            "learner_id": [learner],
            "assessor_id": [assessor],
            "learner_seal": ["c" * 32],
            "assessor_seal": ["d" * 32],
        },
    ).cast(pl.String)
    frame = without_people(frame, CONTRACTS["workplace_assessment"], PEOPLE)
    assert frame["record_id"].to_list() == frame["form_record_id"].to_list()
    return str(frame["record_id"][0]) if record_id is not None else None


@pytest.mark.parametrize(
    ("record_id", "learner", "assessor", "left"),
    [
        ("osce-1/s100200/S1", "s100200", None, f"osce-1/{'c' * 12}/S1"),
        ("s100200", "s100200", None, "c" * 12),
        ("s100200-s100200", "s100200", None, f"{'c' * 12}-{'c' * 12}"),
        ("xs100200x", "s100200", None, f"x{'c' * 12}x"),
        ("F5/5/a7", "5", "a7", f"F5/{'c' * 12}/{'d' * 12}"),
        ("5.5", "5", None, f"{'c' * 12}.{'c' * 12}"),
        ("F50815", "5", "8", "F50815"),
        ("a.b@school.example/2", "a.b@school.example", None, f"{'c' * 12}/2"),
        ("F50815", None, None, "F50815"),
        (None, "s100200", None, None),
    ],
)
def test_the_id_of_a_record_names_no_person(
    record_id: str | None, learner: str | None, assessor: str | None, left: str | None
) -> None:
    assert without(record_id, learner, assessor) == left


@settings(max_examples=200, deadline=None)
@given(
    rest=st.text("s12/-é", max_size=12),
    learner=st.text("s12é", min_size=1, max_size=8),
    sign=st.text("/-", max_size=2),
)
def test_no_whole_id_of_a_person_is_left_and_nothing_else_is_lost(
    rest: str, learner: str, sign: str
) -> None:
    left = without(f"{rest}/{learner}{sign}", learner)
    assert left is not None
    assert learner not in (left if len(learner) >= LONG_ID else re.split("[/-]", left))
    assert left.replace("c" * 12, learner) == f"{rest}/{learner}{sign}"
