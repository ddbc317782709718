-- Grain: one row per learner, kind of conflict, stage and competency (over all of them where there
-- is none), with the sentence that people read.
with

differing as (
    select * from {{ ref('int_score_narrative__compared') }}
    where
        {{ days_between('occurred_on', as_of()) }}
        <= {{ rule_threshold('conflicts', 'score_narrative', 'window_days') }}
),

assurance as (
    select * from {{ ref('int_assurance__compared') }}
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
                    {{ counted('n_concern', 'rating is', 'ratings are') }}
                    || ' at or above target beside words of concern; read both together.'
            when n_concern = 0
                then
                    {{ counted('n_praise', 'rating is', 'ratings are') }}
                    || ' below target beside words of praise alone; read both together.'
            else
                {{ counted('n_concern', 'rating', 'ratings') }}
                || ' at or above target beside words of concern, '
                || cast(n_praise as varchar)
                || ' below target beside words of praise alone; read them together.'
        end as sentence,
        evidence_ids,
        latest_on
    from narrated
    where
        n_data_points >= {{ rule_threshold('conflicts', 'score_narrative', 'data_points_min') }}
),

open_secured as (
    select
        assurance.learner_key,
        assurance.programme_id,
        coalesce(learners.stage_id, 'no_stage') as stage_id,
        assurance.competency_id,
        'open_secured' as conflict_kind,
        assurance.n_open + assurance.n_secured as n_data_points,
        assurance.difference,
        assurance.difference_low,
        assurance.difference_high,
        'At or above target: open ' || {{ percent('assurance.open_share') }} || ' of '
        || cast(assurance.n_open as varchar) || ', secured '
        || {{ percent('assurance.secured_share') }} || ' of '
        || cast(assurance.n_secured as varchar) || ' (difference '
        || {{ percent('assurance.difference') }} || ', interval '
        || {{ percent('assurance.difference_low') }} || ' to '
        || {{ percent('assurance.difference_high') }}
        || '); talk with the learner about how the tasks were done.' as sentence,
        assurance.evidence_ids,
        assurance.latest_on
    from assurance
    left join learners on assurance.learner_key = learners.learner_key
    where
        assurance.difference_low > {{ rule_threshold('conflicts', 'open_secured', 'margin') }}
        or assurance.difference_high < -{{ rule_threshold('conflicts', 'open_secured', 'margin') }}
),

unioned as (
    select * from score_narrative

    union all

    select * from open_secured
),

final as (
    select
        ---------- ids
        'C-' || upper(substring({{ hash_text(
            "unioned.learner_key || chr(31) || unioned.conflict_kind || chr(31)"
            " || unioned.programme_id || chr(31) || unioned.stage_id || chr(31)"
            " || coalesce(unioned.competency_id, '')"
        ) }}, 1, 12)) as conflict_id,
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
        unioned.stage_id = coalesce(learners.stage_id, 'no_stage') as is_current_stage,
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
