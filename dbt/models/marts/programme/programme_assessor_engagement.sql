-- Grain: one row per programme, instrument and month of observation: how many assessors took part, and
-- how soon their feedback came. A form that rates several competencies counts once. A month of fewer
-- learners than may be shown is told together with the one before, or the first with the next.
with

by_learner as {{ read_each_time() }} (
    select * from {{ ref('int_forms__counted') }}
),

-- Not told apart by learner: a few rows for many forms.
forms as (
    select
        programme_id,
        instrument_id,
        month_on,
        assessor_key,
        n_days,
        sum(n_forms) as n_forms,
        sum(n_with_words) as n_with_words,
        count(case when is_first_of_month then 1 end) as n_learners
    from by_learner
    group by programme_id, instrument_id, month_on, assessor_key, n_days
),

months as (
    select
        programme_id,
        instrument_id,
        month_on,
        sum(n_learners) as n_learners
    from forms
    group by programme_id, instrument_id, month_on
),

folded as (
    select
        *,
        {{ told_together('n_learners', 'programme_id, instrument_id', 'month_on') }} as fold
    from months
),

spans as (
    select
        programme_id,
        instrument_id,
        month_on,
        n_learners,
        min(month_on) over (partition by programme_id, instrument_id, fold) as from_month_on,
        max(month_on) over (partition by programme_id, instrument_id, fold) as to_month_on
    from folded
),

-- A learner may be in several of the months that are told together.
in_several_months as (
    select
        spans.programme_id,
        spans.instrument_id,
        spans.from_month_on,
        count(distinct by_learner.learner_key) as n_learners
    from spans
    inner join by_learner
        on {{ same('spans', 'by_learner', ['programme_id', 'instrument_id', 'month_on']) }}
    where spans.from_month_on < spans.to_month_on
    group by spans.programme_id, spans.instrument_id, spans.from_month_on
),

placed as (
    select
        forms.programme_id,
        forms.instrument_id,
        forms.assessor_key,
        forms.n_days,
        forms.n_forms,
        forms.n_with_words,
        spans.from_month_on as month_on,
        spans.to_month_on,
        coalesce(in_several_months.n_learners, spans.n_learners) as n_learners
    from forms
    inner join spans
        on {{ same('forms', 'spans', ['programme_id', 'instrument_id', 'month_on']) }}
    left join in_several_months
        on {{ same('spans', 'in_several_months', ['programme_id', 'instrument_id', 'from_month_on']) }}
),

counted as (
    select
        programme_id,
        instrument_id,
        month_on,
        max(to_month_on) as to_month_on,
        cast(sum(n_forms) as bigint) as n_forms,
        count(distinct assessor_key) as n_assessors,
        cast(max(n_learners) as bigint) as n_learners,
        cast(sum(n_with_words) as bigint) as n_with_words
    from placed
    group by programme_id, instrument_id, month_on
),

by_days as (
    select
        programme_id,
        instrument_id,
        month_on,
        n_days,
        sum(n_forms) as n_forms
    from placed
    where n_days >= 0
    group by programme_id, instrument_id, month_on, n_days
),

in_order as (
    select
        *,
        sum(n_forms) over (
            partition by programme_id, instrument_id, month_on
            order by n_days
            rows between unbounded preceding and current row
        ) as n_up_to,
        sum(n_forms) over (partition by programme_id, instrument_id, month_on) as n_in_all
    from by_days
),

timed as (
    select
        programme_id,
        instrument_id,
        month_on,
        cast(sum(n_forms) as bigint) as n_timed,
        {{ measure_median_of_counted('n_days', 'n_up_to', 'n_in_all') }} as days_to_feedback_median,
        cast(
            sum(case
                when n_days > {{ rule_threshold('programme', 'feedback', 'days_max') }} then n_forms
                else 0
            end) as bigint
        ) as n_slow
    from in_order
    group by programme_id, instrument_id, month_on
),

joined as (
    select
        counted.*,
        timed.days_to_feedback_median,
        coalesce(timed.n_timed, 0) as n_timed,
        coalesce(timed.n_slow, 0) as n_slow
    from counted
    left join timed
        on {{ same('counted', 'timed', ['programme_id', 'instrument_id', 'month_on']) }}
),

final as (
    select
        ---------- ids
        programme_id,
        instrument_id,
        ---------- days
        month_on,
        to_month_on,
        ---------- numbers
        n_forms,
        n_assessors,
        n_learners,
        cast(round(cast(n_forms as double) / nullif(n_assessors, 0), 4) as decimal(18, 4))
            as forms_per_assessor,
        n_timed,
        days_to_feedback_median,
        n_slow,
        {{ measure_share('n_slow', 'n_timed') }} as slow_share,
        n_with_words,
        {{ measure_share('n_with_words', 'n_forms') }} as words_share,
        ---------- rule
        'programme' as rule_set_id,
        {{ rule_version('programme') }} as rule_version
    from joined
)

select * from final
