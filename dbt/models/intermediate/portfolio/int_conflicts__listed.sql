-- Grain: one row per learner, kind of conflict, stage and competency (over all of them where there
-- is none), with the sentence that people read.
with

differing as (
    select * from {{ ref('int_score_narrative__compared') }}
),

parted as (
    select * from {{ ref('int_open_secured__compared') }}
),

adjusted as (
    select * from {{ ref('int_shares__adjusted') }}
    where is_sensitive and is_current_stage
),

cells as (
    select * from {{ ref('int_cells__counted') }}
),

calls as (
    select * from {{ ref('competency_status') }}
),

learners as (
    select * from {{ ref('dim_learner') }}
),

competencies as (
    select * from {{ ref('int_competencies__named') }}
),

narrated as (
    select
        learner_key,
        programme_id,
        stage_id,
        competency_id,
        count(*) as n_data_points,
        count(case when disagreement = 'words_of_concern' then 1 end) as n_concern,
        count(case when disagreement = 'words_of_praise' then 1 end) as n_praise,
        case
            when bool_and(coalesce(has_target, true)) then 'at or above target'
            else 'at or above target, or high on a scale without one,'
        end as high_words,
        case
            when bool_and(coalesce(has_target, true)) then 'below target'
            else 'below target, or low on a scale without one,'
        end as low_words,
        {{ list_agg('evidence_id', distinct=true) }} as evidence_ids,
        max(occurred_on) as latest_on
    from differing
    group by learner_key, programme_id, stage_id, competency_id
),

score_narrative as (
    select
        learner_key,
        programme_id,
        stage_id,
        competency_id,
        'score_narrative' as conflict_kind,
        n_data_points,
        cast(null as decimal(5, 4)) as difference,
        cast(null as decimal(5, 4)) as difference_low,
        cast(null as decimal(5, 4)) as difference_high,
        case
            when n_praise = 0
                then
                    {{ counted('n_concern', 'rating is', 'ratings are') }} || ' ' || high_words
                    || ' beside words of concern; read both together.'
            when n_concern = 0
                then
                    {{ counted('n_praise', 'rating is', 'ratings are') }} || ' ' || low_words
                    || ' beside words of praise alone; read both together.'
            else
                {{ counted('n_concern', 'rating', 'ratings') }} || ' ' || high_words
                || ' beside words of concern, ' || cast(n_praise as string) || ' ' || low_words
                || ' beside words of praise alone; read them together.'
        end as sentence,
        evidence_ids,
        latest_on
    from narrated
    where
        n_concern >= {{ rule_threshold('conflicts', 'score_narrative', 'data_points_min') }}
        or n_praise >= {{ rule_threshold('conflicts', 'score_narrative', 'praise_data_points_min') }}
),

open_secured as (
    select
        parted.learner_key,
        parted.programme_id,
        {{ stage_or_none('learners.stage_id') }} as stage_id,
        cast(null as string) as competency_id,
        'open_secured' as conflict_kind,
        parted.n_open + parted.n_secured as n_data_points,
        cast(parted.difference as decimal(5, 4)) as difference,
        cast(parted.difference_low as decimal(5, 4)) as difference_low,
        cast(parted.difference_high as decimal(5, 4)) as difference_high,
        'Among peers, open work stands above ' || {{ percent('parted.open_standing') }}
        || ' and secured performance above ' || {{ percent('parted.secured_standing') }}
        || ' (difference ' || {{ percent('parted.difference') }} || ', interval '
        || {{ percent('parted.difference_low') }} || ' to '
        || {{ percent('parted.difference_high') }} || '; '
        || cast(parted.n_open as string) || ' open and '
        || cast(parted.n_secured as string) || ' secured data points), and secured performance '
        || 'stands lower than the earlier record makes one expect; '
        || case
            when parted.difference_low > 0
                then 'talk with the learner about how the tasks were done.'
            else
                'whether open work stands higher is in doubt, since the interval includes no '
                || 'difference; talk with the learner about what changed.'
        end as sentence,
        parted.evidence_ids,
        parted.latest_on
    from parted
    left join learners on parted.learner_key = learners.learner_key
    where
        parted.difference_in_errors
        >= {{ rule_threshold('conflicts', 'open_secured', 'apart_errors_min') }}
        and parted.secured_change_in_errors
        <= -{{ rule_threshold('conflicts', 'open_secured', 'fell_errors_min') }}
),

-- Two statuses that call for the same are no conflict: nobody would decide anything else.
stringency as (
    select
        adjusted.learner_key,
        adjusted.programme_id,
        adjusted.stage_id,
        adjusted.competency_id,
        'stringency' as conflict_kind,
        adjusted.n_rated as n_data_points,
        cast(null as decimal(5, 4)) as difference,
        cast(null as decimal(5, 4)) as difference_low,
        cast(null as decimal(5, 4)) as difference_high,
        adjusted.sentence,
        cells.evidence_ids,
        adjusted.latest_on
    from adjusted
    inner join cells
        on {{ same('adjusted', 'cells', ['learner_key', 'programme_id', 'stage_id', 'competency_id']) }}
    inner join calls as called on adjusted.status = called.status
    inner join calls as adjusted_call on adjusted.adjusted_status = adjusted_call.status
    where called.calls_for <> adjusted_call.calls_for
),

found as (
    select * from score_narrative

    union all

    select * from open_secured

    union all

    select * from stringency
),

unioned as (
    select
        *,
        {{ conflict_id() }} as conflict_id
    from found
),

final as (
    select
        ---------- ids
        unioned.conflict_id,
        unioned.learner_key,
        unioned.programme_id,
        unioned.stage_id,
        unioned.competency_id,
        unioned.conflict_kind,
        ---------- text
        competencies.title as competency_title,
        unioned.sentence,
        'conflicts' as rule_set_id,
        {{ rule_version('conflicts') }} as rule_version,
        ---------- numbers
        unioned.n_data_points,
        unioned.difference,
        unioned.difference_low,
        unioned.difference_high,
        ---------- yes or no
        unioned.stage_id = {{ stage_or_none('learners.stage_id') }} as is_current_stage,
        ---------- lists
        unioned.evidence_ids,
        ---------- days
        unioned.latest_on
    from unioned
    left join learners on unioned.learner_key = learners.learner_key
    left join competencies
        on
            unioned.programme_id = competencies.programme_id
            and unioned.competency_id = competencies.competency_id
)

select * from final
