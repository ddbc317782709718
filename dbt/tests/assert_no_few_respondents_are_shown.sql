-- What is this test? No group shows with fewer respondents than the rule allows or with a number of
-- answers that is no full batch, a withheld one shows nothing, and the row for all others is the sum of
-- the groups that show.
-- When is it important to resolve? Before publication: a respondent could be recognised.
-- How to resolve? Look at portfolio_msf for the learner and competency listed.
{{ config(severity='error', meta={'consequence': 'people'}) }}

with

feedback as (
    select * from {{ ref('portfolio_msf') }}
),

small as (
    select
        learner_key,
        competency_id,
        respondent_group
    from feedback
    where
        respondent_group <> 'self'
        and not is_withheld
        and (
            coalesce(n_respondents, 0) < {{ rule_threshold('msf', 'respondents', 'min') }}
            or n_answers % {{ rule_threshold('msf', 'respondents', 'min') }} <> 0
        )
),

given_away as (
    select
        learner_key,
        competency_id,
        respondent_group
    from feedback
    where
        is_withheld
        and (
            n_respondents is not null
            or n_answers is not null
            or level_counts is not null
            or level_median is not null
            or self_level is not null
        )
),

not_the_sum as (
    select
        learner_key,
        competency_id,
        'others' as respondent_group
    from feedback
    where respondent_group <> 'self'
    group by learner_key, programme_id, instrument_id, scale_id, competency_id
    having
        sum(case when respondent_group = 'others' then coalesce(n_answers, 0) else 0 end)
        <> sum(case when respondent_group = 'others' then 0 else coalesce(n_answers, 0) end)
)

select * from small
union all
select * from given_away
union all
select * from not_the_sum
