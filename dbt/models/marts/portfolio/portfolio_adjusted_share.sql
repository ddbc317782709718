-- Grain: one row per learner, stage and competency with a share at or above target: the share as it
-- was given, beside what it would be with assessors of typical stringency, and whether the status
-- would be another one.
with

shares as (
    select {{ all_but('adjusted', ['is_current_stage', 'latest_on']) }}
    from {{ ref('int_shares__adjusted') }} as adjusted
)

select * from shares
