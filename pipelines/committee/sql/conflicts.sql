-- One row a conflict that members have to weigh: what the mart lists first, the present stage and the
-- newest before the rest; then statuses that would be others with assessors of typical stringency, and
-- learners who see themselves otherwise than others do.
with

listed as (
    select
        learner_key,
        conflict_kind,
        competency_id,
        sentence,
        evidence_ids,
        case when is_current_stage then 1 else 2 end as part,
        latest_on,
        conflict_id as place
    from portfolio_conflict
),

sensitive as (
    select
        adjusted.learner_key,
        'stringency' as conflict_kind,
        adjusted.competency_id,
        adjusted.sentence,
        status.evidence_ids,
        3 as part,
        cast(null as date) as latest_on,
        adjusted.competency_id as place
    from portfolio_adjusted_share as adjusted
    inner join portfolio_competency_status as status
        on
            adjusted.learner_key = status.learner_key
            and adjusted.programme_id = status.programme_id
            and adjusted.stage_id = status.stage_id
            and adjusted.competency_id = status.competency_id
            and adjusted.rule_set_id = status.rule_set_id
    where adjusted.is_sensitive and status.is_default and status.is_current_stage
),

seen_otherwise as (
    select
        learner_key,
        'self_others' as conflict_kind,
        competency_id,
        'Multisource feedback: ' || lower(left(sentence, 1)) || substring(sentence, 2) as sentence,
        cast([] as varchar[]) as evidence_ids,
        4 as part,
        cast(null as date) as latest_on,
        competency_id || instrument_id || scale_id as place
    from portfolio_msf
    where
        respondent_group = 'others'
        and abs(self_less_others) >= (
            select max(threshold_value)
            from programme_rule
            where rule_set_id = 'msf' and rule_id = 'self_others'
        )
),

unioned as (
    select * from listed
    union all
    select * from sensitive
    union all
    select * from seen_otherwise
)

select
    learner_key,
    conflict_kind,
    competency_id,
    sentence,
    evidence_ids
from unioned
order by learner_key, part, latest_on desc nulls last, place
