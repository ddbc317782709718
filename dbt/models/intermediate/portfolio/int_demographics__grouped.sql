-- Grain: one row per learner, programme and attribute that learners of the programme state: the newest
-- answer that was given and known in half-years that are over, or that there is none.
-- All attributes of a programme are about the same learners, and editions of one half-year say the
-- same, so that neither gives away a learner by subtraction.
with

period as (
    select * from {{ ref('int_half_year__closed') }}
),

demographics as (
    select * from {{ ref('stg_demographics') }}
),

-- The first answers that a programme ever gathered are not told apart by waiting.
first_gathered as (
    select
        programme_id,
        min(known_at) as known_at
    from demographics
    group by programme_id
),

known as (
    select
        first_gathered.programme_id,
        period.period_end_on,
        greatest(
            period.known_before,
            {{ day_start(
                add_days(day_in_zone('first_gathered.known_at', 'period.time_zone'), 1),
                'period.time_zone'
            ) }}
        ) as known_before
    from first_gathered
    cross join period
),

answers as (
    select
        demographics.learner_key,
        demographics.programme_id,
        demographics.attribute,
        demographics.value,
        row_number() over (
            partition by
                demographics.learner_key, demographics.programme_id, demographics.attribute
            order by
                demographics.stated_on desc nulls last,
                demographics.known_at desc,
                demographics.record_key desc
        ) as recency
    from demographics
    inner join known on demographics.programme_id = known.programme_id
    where
        coalesce(demographics.stated_on, known.period_end_on) <= known.period_end_on
        and demographics.known_at < known.known_before
),

learners as (
    select distinct
        learner_key,
        programme_id
    from answers
),

attributes as (
    select distinct
        programme_id,
        attribute
    from answers
),

stated as (
    select
        learners.learner_key,
        learners.programme_id,
        attributes.attribute,
        coalesce(answers.value, 'not_stated') as value
    from learners
    inner join attributes on learners.programme_id = attributes.programme_id
    left join answers
        on
            learners.learner_key = answers.learner_key
            and attributes.programme_id = answers.programme_id
            and attributes.attribute = answers.attribute
            and answers.recency = 1
),

silent as (
    select
        learner_key,
        programme_id,
        count(*) over (partition by programme_id, attribute) as n_silent
    from stated
    where value = 'not_stated'
),

-- Where they are few, they are left out of every attribute: to hide them would hide another group.
left_out as (
    select distinct
        learner_key,
        programme_id
    from silent
    where n_silent < {{ rule_threshold('privacy', 'small_cells', 'learners_min') }}
),

final as (
    select stated.*
    from stated
    left join left_out
        on
            stated.learner_key = left_out.learner_key
            and stated.programme_id = left_out.programme_id
    where left_out.learner_key is null
)

select * from final
