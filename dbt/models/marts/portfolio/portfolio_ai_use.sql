-- Grain: one row per learner with a task that has a declaration or should have one.
with

declarations as (
    select * from {{ ref('fct_ai_declaration') }}
    where not is_amended and declared_on <= {{ as_of() }}
),

parted as (
    select * from {{ ref('int_open_secured__compared') }}
),

counted as (
    select
        learner_key,
        programme_id,
        count(case when is_on_record then 1 end) as n_declarations,
        count(case when reconciliation = 'within' then 1 end) as n_within,
        count(case when reconciliation = 'differs' then 1 end) as n_differs,
        count(case when reconciliation = 'unclear' then 1 end) as n_unclear,
        count(case when reconciliation = 'missing' then 1 end) as n_missing,
        count(case when reconciliation = 'not_required' then 1 end) as n_not_required,
        count(case when reconciliation = 'exempt' then 1 end) as n_exempt,
        count(case when reconciliation = 'no_policy' then 1 end) as n_no_policy,
        count(case when status = 'used' then 1 end) as n_used,
        count(case when status = 'used' and not coalesce(is_verified, false) then 1 end)
            as n_unverified,
        count(case when has_patient_data then 1 end) as n_patient_data,
        count(case when status = 'used' and has_patient_data is null then 1 end) as n_unanswered,
        max(declared_on) as latest_on
    from declarations
    group by learner_key, programme_id
),

worded as (
    select
        ---------- ids
        learner_key,
        programme_id,
        ---------- text
        {{ counted('n_declarations', 'declaration', 'declarations') }} || ': '
        || {{ list_join(list_present([
            "cast(n_within as string) || ' within policy'",
            "case when n_differs > 0 then " ~ counted(
                'n_differs', "differs from the task''s policy", "differ from the task''s policy"
            ) ~ " end",
            "case when n_unclear > 0 then cast(n_unclear as string) || ' not saying what for' end",
            "case when n_missing > 0 then cast(n_missing as string) || ' missing where required' end",
            "case when n_not_required > 0 then cast(n_not_required as string) || ' not required' end",
            "case when n_exempt > 0 then cast(n_exempt as string) || ' exempt' end",
            "case when n_no_policy > 0 then cast(n_no_policy as string) || ' for tasks without a policy' end",
        ])) }}
        || case
            when n_patient_data > 0
                then
                    '; ' || {{ counted(
                        'n_patient_data',
                        'declaration mentions patient data',
                        'declarations mention patient data'
                    ) }}
            when n_used > n_unanswered then '; no privacy concern'
            else ''
        end
        || case
            when n_unanswered > 0
                then
                    '; whether patient data were entered is not said in '
                    || cast(n_unanswered as string)
            else ''
        end || '.' as sentence,
        ---------- numbers
        n_declarations,
        n_within,
        n_differs,
        n_unclear,
        n_missing,
        n_not_required,
        n_exempt,
        n_no_policy,
        n_used,
        n_unverified,
        n_patient_data,
        ---------- days
        latest_on
    from counted
),

final as (
    select
        ---------- ids
        worded.learner_key,
        worded.programme_id,
        ---------- text
        worded.sentence,
        ---------- numbers
        worded.n_declarations,
        worded.n_within,
        worded.n_differs,
        worded.n_unclear,
        worded.n_missing,
        worded.n_not_required,
        worded.n_exempt,
        worded.n_no_policy,
        worded.n_used,
        worded.n_unverified,
        worded.n_patient_data,
        parted.n_open,
        parted.n_secured,
        parted.open_standing,
        parted.secured_standing,
        parted.difference,
        parted.difference_low,
        parted.difference_high,
        ---------- days
        worded.latest_on
    from worded
    left join parted
        on
            worded.learner_key = parted.learner_key
            and worded.programme_id = parted.programme_id
)

select * from final
