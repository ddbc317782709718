-- Grain: one row per accepted term of a member of a committee.
with

members as (
    select * from {{ ref('stg_committee') }}
    where entry_type = 'member'
)

select
    ---------- ids
    record_key,
    programme_id,
    site_id,
    committee_id,
    member_key,
    ---------- text
    member_role,
    ---------- yes or no
    coalesce(is_voting, true) as is_voting,
    ---------- days
    term_from,
    term_to,
    ---------- lineage
    source_id,
    delivery_id,
    source_row,
    known_at
from members
