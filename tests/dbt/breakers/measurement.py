"""Breaks of the tests on measurement: dependability, stringency, exams, respondents."""

from __future__ import annotations

BREAKERS: dict[str, str] = {
    "what_is_reached_asks_for_nothing_more": (
        "update marts.portfolio_dependability set is_reached = true, n_more_ratings = 3"
    ),
    "a_share_that_nothing_is_taken_from_keeps_its_status": (
        "update marts.portfolio_adjusted_share set adjustment = 0, adjusted_status = 'other'"
    ),
}
