-- One row a competency of the present stage with ratings on the scale of its target: how far these
-- carry, what would carry further, and the raw share beside the adjusted one.
select
    status.learner_key,
    status.competency_id,
    dependable.scale_id,
    dependable.n_rated,
    dependable.n_raters,
    dependable.dependability,
    dependable.wanted_dependability,
    dependable.sem,
    dependable.is_reached,
    dependable.is_calibrated,
    dependable.n_more_ratings,
    dependable.n_more_assessors,
    dependable.sentence,
    status.share_at_target,
    status.share_low,
    status.share_high,
    status.n_effective,
    status.assessor_variance_share,
    adjusted.n_rated_by_known,
    adjusted.adjusted_share,
    adjusted.adjusted_low,
    adjusted.adjusted_high,
    adjusted.adjusted_status,
    adjusted.is_sensitive,
    adjusted.label,
    adjusted.sentence as adjusted_sentence
from portfolio_competency_status as status
inner join portfolio_dependability as dependable
    on
        status.learner_key = dependable.learner_key
        and status.programme_id = dependable.programme_id
        and status.stage_id = dependable.stage_id
        and status.competency_id = dependable.competency_id
left join portfolio_adjusted_share as adjusted
    on
        status.learner_key = adjusted.learner_key
        and status.programme_id = adjusted.programme_id
        and status.stage_id = adjusted.stage_id
        and status.competency_id = adjusted.competency_id
        and status.rule_set_id = adjusted.rule_set_id
where status.is_default and status.is_current_stage
order by status.learner_key, status.sort_order, status.competency_id
