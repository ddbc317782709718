-- Grain: one row per learner, stage and competency with a share at or above target: the share as it
-- was given, beside what it would be with assessors of typical stringency, and whether the status
-- would be another one. Nothing else uses the adjusted share.
with

cells as (
    select * from {{ ref('int_cells__judged') }}
    where is_default and share_at_target is not null
),

shifted as (
    select * from {{ ref('int_stringency__summed') }}
),

adjusted as (
    select
        cells.*,
        shifted.n_known,
        shifted.label,
        cast(
            round(
                {{ bounded('cells.share_at_target - shifted.excess / cells.n_rated', 0, 1) }}, 4
            ) as decimal(5, 4)
        ) as adjusted_share
    from cells
    inner join shifted
        on
            cells.learner_key = shifted.learner_key
            and cells.programme_id = shifted.programme_id
            and cells.stage_id = shifted.stage_id
            and cells.competency_id = shifted.competency_id
    where
        shifted.n_known
        >= cells.n_rated * {{ rule_threshold('measurement', 'stringency', 'known_share_min') }}
        and shifted.n_known > 0
),

bounded as (
    select
        *,
        {{ measure_wilson('adjusted_share', 'exact_n_effective', 'z', -1) }} as adjusted_low,
        {{ measure_wilson('adjusted_share', 'exact_n_effective', 'z', 1) }} as adjusted_high
    from adjusted
),

judged as (
    select
        *,
        case
            when status = 'not_enough_evidence' or flags_ask_for_discussion or summary = 2 then status
            else {{ status_by_share('adjusted_share', 'adjusted_low', 'adjusted_high') }}
        end as adjusted_status
    from bounded
),

final as (
    select
        ---------- ids
        learner_key,
        programme_id,
        stage_id,
        competency_id,
        rule_set_id,
        ---------- text
        competency_title,
        rule_version,
        status,
        adjusted_status,
        {{ percent('share_at_target') }} || ' of the ratings are at or above target; with assessors '
        || 'of typical stringency it would be about ' || {{ percent('adjusted_share') }}
        || case
            when status <> adjusted_status
                then ', and the status would be ' || replace(adjusted_status, '_', ' ')
            else ', and the status the same'
        end || '.' as sentence,
        label,
        ---------- numbers
        n_rated,
        cast(n_known as bigint) as n_rated_by_known,
        share_at_target,
        share_low,
        share_high,
        adjusted_share,
        adjusted_low,
        adjusted_high,
        cast(adjusted_share - share_at_target as decimal(5, 4)) as adjustment,
        ---------- yes or no
        status <> adjusted_status as is_sensitive
    from judged
)

select * from final
