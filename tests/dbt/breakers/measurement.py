"""Breaks of the tests on measurement: dependability, stringency, exams, respondents."""

from __future__ import annotations

BREAKERS: dict[str, str] = {
    "assert_one_calibration_is_in_use": (
        "insert into raw.calibration_spread (calibration_version) values ('another')"
    ),
    "what_is_reached_asks_for_nothing_more": (
        "update marts.portfolio_dependability set is_reached = true, n_more_ratings = 3"
    ),
    "a_share_that_nothing_is_taken_from_keeps_its_status": (
        "update marts.portfolio_adjusted_share set adjustment = 0, adjusted_status = 'other'"
    ),
    "assert_no_few_respondents_are_shown": (
        "update marts.portfolio_msf set n_respondents = 1 where respondent_group = 'nursing'"
    ),
    "assert_no_single_answer_of_a_respondent_is_shown": (
        "update marts.fct_evidence set level = 1 where is_withheld"
    ),
    "assert_stations_of_a_sitting_are_about_the_same_examinees": (
        "insert into marts.programme_station_analysis (programme_id, task_id, sitting_id, "
        "station_id, n_examinees) select 'MED', 'OSCE', '2026', 's' || n, 30 + n "
        "from range(2) as numbers (n)"
    ),
    "an_exam_of_a_size_is_told_once": (
        "insert into marts.programme_exam_dstudy (programme_id, task_id, sitting_id, n_examinees, "
        "n_complete, n_parts, is_as_held) select 'MED', 'OSCE', '2026', 12, 12, 8, true "
        "from range(2)"
    ),
    "assert_generalizability_without_examiners_apart_is_alpha": (
        "insert into marts.programme_exam_analysis (programme_id, task_id, sitting_id, sentence, "
        "n_examinees, n_complete, alpha) values ('MED', 'OSCE', '2026', 'Alpha', 10, 10, 0.8); "
        "insert into marts.programme_exam_generalizability (programme_id, task_id, sitting_id, "
        "sentence, n_examinees, n_complete, generalizability, is_rescaled) "
        "values ('MED', 'OSCE', '2026', 'Generalisability', 10, 10, 0.7, false)"
    ),
    "holding_against_a_standard_is_no_surer_than_comparing": (
        "insert into marts.programme_exam_generalizability (programme_id, task_id, sitting_id, "
        "sentence, n_examinees, n_complete, generalizability, dependability, relative_sem, "
        "absolute_sem, is_rescaled) "
        "values ('MED', 'OSCE', '2026', 'Generalisability', 10, 10, 0.7, 0.8, 1, 1, false)"
    ),
    "who_is_compared_was_presented_with_the_item": (
        "update marts.programme_item_analysis set n_compared = n_presented + 1"
    ),
    "a_test_that_was_not_sat_adds_no_share": (
        "update marts.portfolio_progress_test set is_absent = true, score_share = 0"
    ),
}
