"""Breaks of the tests on staging, intermediate and core models."""

from __future__ import annotations

BREAKERS: dict[str, str] = {
    "a_pseudonym_is_one_person_in_a_role": (
        "insert into raw.identity by name select * replace ('L-other' as person_key) "
        "from raw.identity limit 1"
    ),
    "assert_build_has_one_input": "delete from raw.build_input",
    "assert_every_accepted_record_names_a_person": "delete from raw.identity",
    "assert_every_accepted_record_is_evidence": (
        "delete from marts.fct_evidence where kind = 'exam_result'"
    ),
    "assert_words_about_ai_use_are_neutral": (
        "update marts.fct_ai_declaration set sentence = 'The learner is suspected of cheating.'"
    ),
    "assert_one_decision_is_the_latest": "update marts.fct_decision set is_latest = false",
    "banked_is_never_new_evidence": (
        "update marts.fct_evidence set is_new_evidence = true where is_banked"
    ),
    "no_mark_is_above_the_greatest": "update marts.fct_evidence set score_share = 1.5",
    "a_level_names_its_scale": "update marts.fct_evidence set scale_id = null",
    "no_points_above_the_most": "update marts.fct_exam_response set points = max_points + 1",
    "what_was_not_presented_earns_nothing": (
        "update marts.fct_exam_response set points = 0 where item_outcome = 'not_presented'"
    ),
    "outcomes_do_not_exceed_the_items": "update marts.fct_exam_sitting set n_right = n_items + 1",
    "a_gap_is_missing_and_nothing_else": (
        "update marts.fct_ai_declaration set reconciliation = 'within' where not is_on_record"
    ),
    "no_decision_counts_without_somebody_entitled_and_a_quorum": (
        "update marts.fct_decision set n_entitled = 0"
    ),
    "assert_nothing_goes_out_before_its_embargo": (
        "update marts.committee_student_record set is_out = true, out_on = date '2199-01-01'"
    ),
    "every_decision_stands": "update marts.fct_decision set standing = 'no_quorum'",
    "no_ai_declaration_is_lost": (
        "insert into marts.fct_ai_declaration "
        "select * from marts.fct_ai_declaration where is_on_record limit 1"
    ),
    "every_decision_has_a_person": "update marts.fct_decision set decided_by_keys = []",
}
