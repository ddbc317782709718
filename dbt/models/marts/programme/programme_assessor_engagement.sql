-- Grain: one row per programme, instrument and month of observation: how many assessors took part, and
-- how soon their feedback came. A form that rates several competencies counts once. A month of fewer
-- learners than may be shown is told together with the one before, or the first with the next.
with

evidence as (
    select * from {{ ref('fct_evidence') }} as evidence
    where
        kind = 'workplace_assessment'
        and {{ is_by_another('evidence') }}
        and not is_withheld
        and occurred_on <= {{ as_of() }}
),

forms as (
    select
        programme_id,
        coalesce(instrument_id, 'none') as instrument_id,
        coalesce(form_record_id, record_key) as form_key,
        learner_key,
        assessor_key,
        {{ month_of('min(occurred_on)') }} as month_on,
        min({{ days_between('occurred_on', 'submitted_on') }}) as n_days,
        max(case when {{ has_words() }} then 1 else 0 end) as has_words
    from evidence
    group by
        programme_id,
        coalesce(instrument_id, 'none'),
        coalesce(form_record_id, record_key),
        learner_key,
        assessor_key
),

months as (
    select
        programme_id,
        instrument_id,
        month_on,
        count(distinct learner_key) as n_learners
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
        min(month_on) over (partition by programme_id, instrument_id, fold) as from_month_on,
        max(month_on) over (partition by programme_id, instrument_id, fold) as to_month_on
    from folded
),

counted as (
    select
        forms.programme_id,
        forms.instrument_id,
        spans.from_month_on as month_on,
        max(spans.to_month_on) as to_month_on,
        count(*) as n_forms,
        count(distinct forms.assessor_key) as n_assessors,
        count(distinct forms.learner_key) as n_learners,
        count(case when forms.n_days >= 0 then 1 end) as n_timed,
        {{ median_level('case when forms.n_days >= 0 then forms.n_days end') }}
            as days_to_feedback_median,
        count(case
            when forms.n_days > {{ rule_threshold('programme', 'feedback', 'days_max') }} then 1
        end) as n_slow,
        cast(sum(forms.has_words) as bigint) as n_with_words
    from forms
    inner join spans
        on {{ same('forms', 'spans', ['programme_id', 'instrument_id', 'month_on']) }}
    group by forms.programme_id, forms.instrument_id, spans.from_month_on
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
    from counted
)

select * from final
