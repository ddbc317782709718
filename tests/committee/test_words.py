from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.committee import words


def test_a_code_reads_as_words() -> None:
    assert words.plain("mini_cex_9") == "mini-CEX 9"
    assert words.plain("epa_observation") == "EPA observation"
    assert words.plain("example_ai") == "example AI"
    assert words.plain("waiting") == "waiting"
    assert words.plain(None) == words.NOTHING


def test_a_day_is_written_as_iso_and_an_instant_in_utc() -> None:
    assert words.day(date(2026, 11, 3)) == "2026-11-03"
    vienna = timezone(timedelta(hours=1))
    assert words.instant(datetime(2026, 11, 3, 0, 30, tzinfo=vienna)) == "2026-11-02 23:30 UTC"
    assert words.instant(datetime(2026, 11, 3, 0, 30, tzinfo=UTC)) == "2026-11-03 00:30 UTC"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (10, "10"),
        (Decimal("120.380000"), "120.38"),
        (Decimal("7.50"), "7.5"),
        (Decimal("-0.0010"), "0"),
    ],
)
def test_a_number_drops_padding_but_no_digit_that_counts(value: Decimal, text: str) -> None:
    assert words.number(value) == text


def test_a_share_rounds_half_up() -> None:
    assert words.share(Decimal("0.425")) == "43 %"
    assert words.interval(Decimal("0.005"), Decimal("0.994")) == "1–99"
    assert words.interval(None, Decimal("0.5")) == words.NOTHING


def test_counts_agree_with_their_noun() -> None:
    assert words.count(1, "competency", "competencies") == "1 competency"
    assert words.count(2, "competency", "competencies") == "2 competencies"


def test_lists_read_as_sentences() -> None:
    assert words.listed([]) == ""
    assert words.listed(["a"]) == "a"
    assert words.listed(["a", "b", "c"]) == "a, b and c"


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_a_whole_number_is_written_whole(value: int) -> None:
    assert words.number(value) == str(value)


NEVER = ("cheat", "suspect", "misconduct", "plagiar", "fail", "weak", "poor")


def test_fixed_words_are_neutral() -> None:
    fixed = " ".join(
        [
            *words.STATUS.values(),
            *words.RECONCILIATION.values(),
            *words.DECLARED.values(),
            *words.REFLECTIONS.values(),
            *words.GROUPS.values(),
        ]
    ).lower()
    assert not [word for word in NEVER if word in fixed]


def test_several_declarations_differ_and_one_differs() -> None:
    assert words.reconciled("differs", 1) == "differs from the task’s policy"
    assert words.reconciled("differs", 2) == "differ from the task’s policy"
    assert words.reconciled("a_new_code", 2) == "a new code"


def test_abbreviations_in_a_sentence_are_written_as_people_do() -> None:
    said = words.abbreviated("1 ai use declaration record: observed_at of a dops (aias 2)")
    assert said == "1 AI use declaration record: observed_at of a DOPS (AIAS 2)"
