-- Grain: one row per learner, instrument, scale and its version, competency and group of respondents, one for the
-- learner's own answers, and one for all others. A group below the minimum has a row and no numbers;
-- the row for all others adds up the groups that show and nothing else, so that taking them from it
-- gives nothing away.
with

answers as (
    select * from {{ ref('int_respondents__ranked') }}
    where level is not null
),

grouped as (
    select
        learner_key,
        programme_id,
        instrument_id,
        scale_id,
        scale_version,
        competency_id,
        respondent_group,
        respondent_key,
        level,
        is_shown
    from answers

    union all

    select
        learner_key,
        programme_id,
        instrument_id,
        scale_id,
        scale_version,
        competency_id,
        'others' as respondent_group,
        respondent_key,
        level,
        is_shown
    from answers
    where respondent_group <> 'self'
),

levels as (
    select
        learner_key,
        programme_id,
        instrument_id,
        scale_id,
        scale_version,
        competency_id,
        respondent_group,
        level,
        count(*) as n_at_level
    from grouped
    where is_shown
    group by
        learner_key, programme_id, instrument_id, scale_id, scale_version, competency_id, respondent_group, level
),

distributions as (
    select
        learner_key,
        programme_id,
        instrument_id,
        scale_id,
        scale_version,
        competency_id,
        respondent_group,
        {{ list_join(
            list_agg(
                "cast(level as string) || ':' || cast(n_at_level as string)", order_by=['level']
            ),
            ' '
        ) }} as level_counts
    from levels
    group by learner_key, programme_id, instrument_id, scale_id, scale_version, competency_id, respondent_group
),

summed as (
    select
        learner_key,
        programme_id,
        instrument_id,
        scale_id,
        scale_version,
        competency_id,
        respondent_group,
        count(case when is_shown then 1 end) as n_shown,
        count(distinct case when is_shown then respondent_key end) as n_respondents,
        {{ median_level('case when is_shown then level end') }} as level_median
    from grouped
    group by learner_key, programme_id, instrument_id, scale_id, scale_version, competency_id, respondent_group
),

own as (
    select * from summed
    where respondent_group = 'self'
),

joined as (
    select
        summed.*,
        distributions.level_counts,
        case when summed.respondent_group <> 'self' and summed.n_shown > 0 then own.level_median end
            as self_level,
        own.n_shown as n_self,
        summed.n_shown = 0 as is_withheld,
        case summed.respondent_group
            when 'self' then null
            when 'patient' then {{ rule_threshold('msf', 'enough', 'patients') }}
            when 'others' then {{ rule_threshold('msf', 'enough', 'colleagues') }}
        end as n_wanted
    from summed
    left join distributions
        on
            summed.learner_key = distributions.learner_key
            and summed.programme_id = distributions.programme_id
            and summed.instrument_id = distributions.instrument_id
            and summed.scale_id is not distinct from distributions.scale_id
            and summed.scale_version = distributions.scale_version
            and summed.competency_id = distributions.competency_id
            and summed.respondent_group = distributions.respondent_group
    left join own
        on
            summed.learner_key = own.learner_key
            and summed.programme_id = own.programme_id
            and summed.instrument_id = own.instrument_id
            and summed.scale_id is not distinct from own.scale_id
            and summed.scale_version = own.scale_version
            and summed.competency_id = own.competency_id
),

final as (
    select
        ---------- ids
        learner_key,
        programme_id,
        instrument_id,
        coalesce(scale_id, '') as scale_id,
        scale_version,
        competency_id,
        respondent_group,
        ---------- text
        case when not is_withheld then level_counts end as level_counts,
        case
            when is_withheld
                then
                    case respondent_group
                        when 'others' then 'Not shown: every group has fewer than '
                        else 'Not shown: fewer than '
                    end || cast(
                        cast({{ rule_threshold('msf', 'respondents', 'min') }} as integer) as string
                    ) || ' respondents.'
            when self_level is null
                then
                    'The middle of ' || {{ counted('n_shown', 'answer', 'answers') }} || ' is '
                    || {{ level_text('level_median') }} || '.'
            else
                'The middle of ' || {{ counted('n_shown', 'answer', 'answers') }} || ' is '
                || {{ level_text('level_median') }}
                || case
                    when n_self = 1 then ', the learner says '
                    else ', that of the learner''s own ' || cast(n_self as string) || ' is '
                end
                || {{ level_text('self_level') }} || '.'
        end as sentence,
        ---------- numbers
        case when not is_withheld then n_respondents end as n_respondents,
        case when not is_withheld then n_shown end as n_answers,
        cast(n_wanted as bigint) as n_wanted,
        level_median,
        self_level,
        cast(self_level - level_median as decimal(5, 1)) as self_less_others,
        ---------- yes or no
        is_withheld,
        coalesce(
            respondent_group = 'others'
            and abs(self_level - level_median) >= {{ rule_threshold('msf', 'self_others', 'levels_min') }},
            false
        ) as is_self_apart,
        case when n_wanted is not null then n_respondents >= n_wanted end as is_dependable,
        ---------- rule
        'msf' as rule_set_id,
        {{ rule_version('msf') }} as rule_version
    from joined
)

select * from final
