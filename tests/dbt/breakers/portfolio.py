"""Breaks of the tests on portfolio, committee and programme models."""

from __future__ import annotations

CLOSED = (
    "insert into marts.portfolio_signal_closed by name select 'S-1' as signal_id, "
    "'L-stranger' as learner_key, 'MED' as programme_id, 'no_evidence' as rule_id, "
    "'signals' as rule_set_id, '2' as rule_version, 'Arrived.' as sentence, "
    "[] as closed_by_evidence_ids, date '2026-02-02' as raised_on, date '2026-02-01' as closed_on"
)


def twice(model: str, row: str) -> str:
    """Put the same row in twice, for a table that the example school may leave empty."""
    one = f"insert into intermediate.{model} by name select {row}"
    return f"{one}; {one}"


BREAKERS: dict[str, str] = {
    "no_more_ratings_than_data_points": (
        "update marts.portfolio_competency_status set n_rated = n_data_points + 1"
    ),
    "a_share_lies_in_its_interval": (
        "update marts.portfolio_competency_status set share_low = 1, share_at_target = 0.5"
    ),
    "a_status_above_not_enough_evidence_has_no_shortfall": (
        "update marts.portfolio_competency_status set status = 'on_track'"
    ),
    "every_data_point_is_named": ("update marts.portfolio_competency_status set evidence_ids = []"),
    "no_more_judged_than_data_points": (
        "update marts.portfolio_competency_method set n_judged = n_data_points + 1"
    ),
    "an_absent_sitting_is_never_a_zero": (
        "update marts.portfolio_exam set is_absent = true, points = 0"
    ),
    "every_picked_comment_has_a_reason": (
        "update marts.portfolio_narrative_pick set pick_reasons = []"
    ),
    "assert_every_flagged_comment_is_picked": (
        "update marts.portfolio_narrative set is_flagged = true, comment_key = 'unknown'"
    ),
    "every_data_point_has_one_assurance_level_or_none": (
        "update marts.portfolio_assurance set n_unknown = -1"
    ),
    "a_signal_is_due_after_it_was_raised": (
        "update marts.portfolio_signal set due_on = raised_on - 1"
    ),
    "a_signal_closes_no_earlier_than_it_was_raised": CLOSED,
    "unique_portfolio_signal_closed_signal_id": f"{CLOSED}; {CLOSED}",
    "relationships_portfolio_signal_closed_learner_key__learner_key__ref_dim_learner_": CLOSED,
    "unique_combination_int_standings__found_"
    "learner_key__programme_id__evidence_id__competency_id": twice(
        "int_standings__found",
        "'L' as learner_key, 'MED' as programme_id, 'E-1' as evidence_id, 'EPA' as competency_id",
    ),
    "unique_combination_int_assessor_shares__counted_"
    "learner_key__programme_id__competency_id": twice(
        "int_assessor_shares__counted",
        "'L-1' as learner_key, 'MED' as programme_id, 'EPA01' as competency_id",
    ),
    "unique_combination_int_open_secured__compared_learner_key__programme_id": twice(
        "int_open_secured__compared", "'L' as learner_key, 'MED' as programme_id"
    ),
    "unique_combination_int_performance__compared_learner_key__programme_id": twice(
        "int_performance__compared", "'L' as learner_key, 'MED' as programme_id"
    ),
    "assert_signals_are_few": (
        "update marts.portfolio_signal set rule_id = 'no_evidence', "
        "learner_key = (select min(learner_key) from marts.portfolio_signal)"
    ),
    "every_declaration_is_reconciled": "update marts.portfolio_ai_use set n_within = n_within + 99",
    "no_more_enough_than_competencies": (
        "update marts.committee_agenda set n_enough_evidence = n_competencies + 1"
    ),
    "who_is_discussed_has_a_reason": (
        "update marts.committee_agenda set agenda_group = 'discuss', reasons = []"
    ),
    "every_record_is_accounted_for": (
        "update marts.programme_delivery set rows_read = rows_read + 1"
    ),
    "assert_counts_of_groups_are_rounded_down": (
        "insert into marts.programme_trajectory_fairness (programme_id, attribute, value, "
        "period_end_on, n_learners_at_least, is_suppressed, rule_set_id, rule_version) "
        "values ('MED', 'route', 'x', '2025-12-31', 9, false, 'programme', '1')"
    ),
    "a_hidden_count_is_not_there": (
        "insert into marts.programme_demographic_count (programme_id, attribute, value, "
        "period_end_on, n_learners_at_least, is_suppressed, rule_set_id, rule_version) "
        "values ('MED', 'route', 'x', '2025-12-31', 9, true, 'privacy', '1')"
    ),
    "assert_no_status_rests_on_less_than_its_rule_set_demands": (
        "update marts.portfolio_competency_status set n_methods = 1 "
        "where status <> 'not_enough_evidence'"
    ),
    "assert_words_to_people_are_neutral": (
        "update marts.portfolio_signal set sentence = 'The learner is suspected of cheating.'"
    ),
    "assert_evidence_ids_lead_to_evidence_of_the_same_learner": (
        "update marts.fct_evidence set learner_key = 'L-other'"
    ),
    "a_status_follows_the_share_or_the_median": (
        "update intermediate.int_rules__chosen set threshold_value = 3 "
        "where threshold_name = 'summary'"
    ),
    "assert_every_threshold_names_its_source": "update raw.rule_set set source = ''",
    "assert_every_required_competency_has_a_cell": (
        "delete from marts.portfolio_competency_status"
    ),
    "assert_every_learner_is_on_the_agenda": (
        "delete from marts.committee_agenda where agenda_order = 1"
    ),
    "assert_no_small_group_is_shown": (
        "insert into marts.programme_demographic_count (programme_id, attribute, value, "
        "period_end_on, n_learners_at_least, is_suppressed, rule_set_id, rule_version) "
        "values ('MED', 'route', 'x', '2025-12-31', 1, false, 'privacy', '1')"
    ),
    "unique_combination_programme_demographic_count_programme_id__attribute__value": (
        "insert into marts.programme_demographic_count (programme_id, attribute, value, "
        "period_end_on, n_learners_at_least, is_suppressed, rule_set_id, rule_version) "
        "select 'MED', 'route', 'x', '2025-12-31', 9, false, 'privacy', '1' from range(2)"
    ),
    "a_link_between_competencies_stands_once": (
        "insert into marts.bridge_competency (programme_id, framework_id, framework_version, "
        "competency_id, link_type, to_framework_id, to_framework_version, to_competency_id, "
        "record_key) select 'MED', 'F', '1', 'a', 'maps_to', 'G', '1', 'x', 'r' from range(2)"
    ),
    "assert_data_points_are_the_same_in_statuses_and_totals": (
        "update marts.portfolio_framework_total set n_data_points = n_data_points + 1"
    ),
    "assert_totals_reconcile_across_frameworks": (
        "insert into marts.portfolio_framework_total select * replace ('other' as "
        "told_framework_id, data_points_shared + 0.5 as data_points_shared, "
        "false as is_own_framework) "
        "from marts.portfolio_framework_total limit 1"
    ),
    "nothing_of_a_hidden_group_is_shown": (
        "insert into marts.programme_trajectory_fairness (programme_id, attribute, value, "
        "period_end_on, rise_a_year, is_suppressed, rule_set_id, rule_version) "
        "values ('MED', 'route', 'x', '2025-12-31', 0.1, true, 'programme', '1')"
    ),
    "unique_combination_programme_trajectory_fairness_programme_id__attribute__value": (
        "insert into marts.programme_trajectory_fairness (programme_id, attribute, value, "
        "period_end_on, is_suppressed, rule_set_id, rule_version) "
        "select 'MED', 'route', 'x', '2025-12-31', true, 'programme', '1' from range(2)"
    ),
    "assert_attributes_are_about_the_same_learners_or_many_fewer": (
        "insert into marts.programme_trajectory_fairness (programme_id, attribute, value, "
        "period_end_on, n_learners_at_least, is_suppressed, rule_set_id, rule_version) "
        "select 'MED', attribute, 'x', '2025-12-31', n, false, 'programme', '1' "
        "from (values ('kin', 29), ('route', 30)) as told (attribute, n)"
    ),
    "no_more_is_missing_than_is_expected": (
        "insert into marts.programme_blueprint_coverage (programme_id, stage_id, competency_id, "
        "n_learners, n_data_points, n_expected, n_missing, is_planned, is_uncovered) "
        "values ('MED', 'Y1', 'EPA01', 1, 0, 1, 2, true, false)"
    ),
    "assert_evidence_is_in_one_cell_of_each_rule_set": (
        "update marts.portfolio_competency_status set evidence_ids = [], n_data_points = 0"
    ),
    "assert_there_is_one_default_rule_set": (
        "update intermediate.int_rules__chosen set is_default = false"
    ),
    "every_marker_names_its_source": "update staging.narrative_marker set source = ''",
    "unique_combination_int_practice_gaps__compared_learner_key__programme_id__competency_id": (
        "insert into intermediate.int_practice_gaps__compared (learner_key) "
        "select 'L-1' from range(2)"
    ),
    "every_marker_says_who_reviewed_it_and_when": (
        "update staging.narrative_marker set reviewed_on = null"
    ),
}
