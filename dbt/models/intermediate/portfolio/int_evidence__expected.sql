-- Grain: one row per learner, competency that the present stage requires, and stretch of that stage: a
-- pause without a data point, or the whole stage so far. How many data points were to be expected in
-- it, by what peers get on the competency in the rotations in which this learner was assessed on others,
-- the day from which none at all is unlikely to be chance, and the days from which it has lasted as long as
-- the rules ask for. Days of leave do not count, part-time ones by their share.
{{ config(materialized='table') }}

with

required as (
    select * from {{ ref('int_cells__judged') }}
    where is_default and is_current_stage and is_required
),

stages as (
    select * from {{ ref('int_learner_stages__spanned') }}
    where is_current and from_on > {{ first_day() }}
),

evidence as (
    select evidence.*
    from {{ ref('int_cell_evidence__assigned') }} as evidence
    inner join stages
        on
            evidence.learner_key = stages.learner_key
            and evidence.programme_id = stages.programme_id
            and evidence.stage_id = stages.stage_id
),

offers as (
    select
        programme_id,
        rotation_id,
        competency_id,
        cast(n_ratings as double) / nullif(n_of_rotation - n_ratings, 0) as per_other
    from {{ ref('stg_calibration_offer') }}
),

offering as (
    select distinct programme_id
    from offers
),

days as (
    select
        evidence.learner_key,
        evidence.programme_id,
        evidence.competency_id,
        evidence.occurred_on
    from evidence
    inner join required
        on
            evidence.learner_key = required.learner_key
            and evidence.programme_id = required.programme_id
            and evidence.competency_id = required.competency_id

    union

    select
        required.learner_key,
        required.programme_id,
        required.competency_id,
        {{ add_days('stages.from_on', -1) }} as occurred_on
    from required
    inner join stages
        on
            required.learner_key = stages.learner_key
            and required.programme_id = stages.programme_id
),

followed as (
    select
        *,
        lead(occurred_on) over (
            partition by learner_key, programme_id, competency_id order by occurred_on
        ) as next_on
    from days
),

stretches as (
    select
        learner_key,
        programme_id,
        competency_id,
        false as is_whole,
        occurred_on as after_on,
        next_on
    from followed
    where
        {{ days_between('occurred_on', "coalesce(next_on, " ~ as_of() ~ ")") }}
        >= {{ rule_threshold('signals', 'no_evidence', 'grace_days') }}

    union all

    select
        required.learner_key,
        required.programme_id,
        required.competency_id,
        true as is_whole,
        {{ add_days('stages.from_on', -1) }} as after_on,
        cast(null as date) as next_on
    from required
    inner join stages
        on
            required.learner_key = stages.learner_key
            and required.programme_id = stages.programme_id
    where required.n_open > 0
),

-- What assessors saw of the learner in other competencies: so often the learner could be seen.
others as (
    select
        evidence.learner_key,
        evidence.programme_id,
        evidence.competency_id,
        evidence.rotation_id,
        evidence.evidence_id,
        evidence.occurred_on
    from evidence
    where
        evidence.assessor_key is not null
        and {{ is_by_another('evidence') }}
        and coalesce(evidence.assurance_level, '') <> 'open'
        and coalesce(evidence.method_family, '') <> 'multisource'
),

chances as (
    select
        stretches.*,
        others.evidence_id,
        others.occurred_on,
        cast(round(coalesce(offers.per_other, 0), 6) as decimal(18, 6)) as n_expected
    from stretches
    inner join others
        on
            stretches.learner_key = others.learner_key
            and stretches.programme_id = others.programme_id
            and stretches.competency_id <> others.competency_id
            and stretches.after_on < others.occurred_on
            and coalesce(stretches.next_on, {{ as_of() }}) >= others.occurred_on
    left join offers
        on
            stretches.programme_id = offers.programme_id
            and stretches.competency_id = offers.competency_id
            and others.rotation_id = offers.rotation_id
),

summed as (
    select
        *,
        sum(n_expected) over (
            partition by learner_key, programme_id, competency_id, is_whole, after_on
            order by occurred_on, evidence_id
            rows between unbounded preceding and current row
        ) as n_expected_by_then
    from chances
),

weighed as (
    select
        *,
        {{ measure_poisson_chance(0, 'n_expected_by_then') }}
        <= {{ rule_threshold('signals', 'expected_evidence', 'chance_max') }} as is_unlikely
    from summed
),

gathered as (
    select
        learner_key,
        programme_id,
        competency_id,
        is_whole,
        after_on,
        sum(n_expected) as n_expected,
        min(case when is_unlikely then occurred_on end) as unlikely_on,
        {{ list_agg('evidence_id', distinct=true) }} as evidence_ids
    from weighed
    group by learner_key, programme_id, competency_id, is_whole, after_on
),

-- The days of each pause up to a stretch of time out, and after the last one: what was lost before it.
paused as (
    select
        stretches.learner_key,
        stretches.programme_id,
        stretches.competency_id,
        stretches.after_on,
        greatest(time_out.from_on, {{ add_days('stretches.after_on', 1) }}) as from_on,
        time_out.to_on,
        time_out.lost_share
    from stretches
    inner join {{ ref('int_learner_time_out__dated') }} as time_out
        on
            stretches.learner_key = time_out.learner_key
            and stretches.programme_id = time_out.programme_id
            and stretches.after_on < time_out.to_on
    where not stretches.is_whole

    union all

    select
        learner_key,
        programme_id,
        competency_id,
        after_on,
        {{ last_day() }} as from_on,
        {{ last_day() }} as to_on,
        1 as lost_share
    from stretches
    where not is_whole
),

lost as (
    select
        *,
        coalesce(sum(({{ days_between('from_on', 'to_on') }} + 1) * lost_share) over (
            partition by learner_key, programme_id, competency_id, after_on
            order by from_on
            rows between unbounded preceding and 1 preceding
        ), 0) as lost_before
    from paused
),

lasting as (
    select
        learner_key,
        programme_id,
        competency_id,
        after_on,
        {{ measure_day_counted(
            rule_threshold('signals', 'no_evidence', 'grace_days') ~ ' + 1'
        ) }} as grace_over_on,
        {{ measure_day_counted(
            rule_threshold('signals', 'stale_evidence', 'stale_after_days') ~ ' + 1'
        ) }} as stale_on,
        {{ measure_day_counted(
            rule_threshold('signals', 'expected_evidence', 'always_after_days') ~ ' + 1'
        ) }} as always_on
    from lost
    group by learner_key, programme_id, competency_id, after_on
),

final as (
    select
        ---------- ids
        stretches.learner_key,
        stretches.programme_id,
        stretches.competency_id,
        ---------- numbers
        case
            when offering.programme_id is not null
                then cast(coalesce(gathered.n_expected, 0) as decimal(18, 6))
        end as n_expected,
        ---------- yes or no
        stretches.is_whole,
        ---------- lists
        case
            when offering.programme_id is not null
                then coalesce(gathered.evidence_ids, {{ empty_list() }})
            else {{ empty_list() }}
        end as evidence_ids,
        ---------- days
        stretches.after_on,
        stretches.next_on,
        gathered.unlikely_on,
        lasting.grace_over_on,
        lasting.stale_on,
        lasting.always_on
    from stretches
    left join gathered
        on
            stretches.learner_key = gathered.learner_key
            and stretches.programme_id = gathered.programme_id
            and stretches.competency_id = gathered.competency_id
            and stretches.is_whole = gathered.is_whole
            and stretches.after_on = gathered.after_on
    left join lasting
        on
            {{ same(
                'stretches', 'lasting',
                ['learner_key', 'programme_id', 'competency_id', 'after_on']
            ) }}
            and not stretches.is_whole
    left join offering on stretches.programme_id = offering.programme_id
)

select * from final
