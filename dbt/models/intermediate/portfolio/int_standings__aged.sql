-- Grain: one row per data point and competency with a standing among peers, and how old it is by the
-- day of judgement.
select
    ---------- ids
    learner_key,
    programme_id,
    competency_id,
    evidence_id,
    assessor_cluster,
    ---------- numbers
    standing,
    since_first_days,
    cast({{ days_between('occurred_on', as_of()) }} as bigint) as age_days,
    ---------- yes or no
    is_open,
    ---------- days and instants
    occurred_at,
    occurred_on
from {{ ref('int_standings__found') }}
