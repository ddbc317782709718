-- Grain: one row per decision that stands, with the day from which it goes out to the student record.
with

decisions as (
    select * from {{ ref('fct_decision') }}
    where standing = 'stands'
),

thresholds as (
    select * from {{ ref('int_rules__chosen') }}
    where rule_id = 'embargo' and threshold_name = 'embargo_days'
),

for_a_programme as (
    select
        programme_id,
        max(threshold_value) as embargo_days,
        max(source) as embargo_source
    from thresholds
    where programme_id is not null
    group by programme_id
),

for_all as (
    select
        max(threshold_value) as embargo_days,
        max(source) as embargo_source
    from thresholds
    where programme_id is null
),

dated as (
    select
        decisions.*,
        cast(
            coalesce(for_a_programme.embargo_days, for_all.embargo_days, 0) as bigint
        ) as embargo_days,
        coalesce(for_a_programme.embargo_source, for_all.embargo_source) as embargo_source
    from decisions
    left join for_a_programme on decisions.programme_id = for_a_programme.programme_id
    cross join for_all
),

final as (
    select
        ---------- ids
        record_key,
        record_id,
        learner_key,
        programme_id,
        site_id,
        committee_id,
        meeting_id,
        vocabulary_id,
        corrects_record_id,
        ---------- text
        decision_kind,
        outcome,
        appeal_status,
        embargo_source,
        ---------- numbers
        embargo_days,
        ---------- yes or no
        is_corrected,
        is_latest,
        {{ add_days('decided_on', 'embargo_days') }} <= {{ as_of() }} as is_out,
        ---------- days and instants
        decided_on,
        {{ add_days('decided_on', 'embargo_days') }} as out_on,
        ---------- lineage
        known_at
    from dated
)

select * from final
