-- Grain: one row per accepted decision, with whether it was made by somebody entitled to make it on
-- that day, and by enough people. What was recorded stays; what does not stand is said to.
{%- set recused = 'coalesce(recused_keys, ' ~ empty_list() ~ ')' %}
with

decisions as (
    select * from {{ ref('stg_decision') }}
),

entries as (
    select * from {{ ref('stg_committee') }}
),

members as (
    select * from entries
    where entry_type = 'member'
),

meetings as (
    select
        programme_id,
        committee_id,
        meeting_id,
        max(meets_on) as meets_on,
        max(quorum) as quorum
    from entries
    where entry_type = 'meeting'
    group by programme_id, committee_id, meeting_id
),

-- Who is recused is neither counted nor heard, however the record writes their id.
deciding as (
    select
        record_key,
        {{ unnest_list(list_except('decided_by_keys', recused)) }} as member_key
    from decisions
),

attending as (
    select
        record_key,
        {{ unnest_list(list_except(
            'coalesce(present_keys, decided_by_keys)', recused
        )) }} as member_key
    from decisions
),

terms as (
    select
        decisions.record_key,
        members.member_key,
        bool_or(members.member_role = 'chair') as is_chair
    from decisions
    inner join members
        on
            decisions.programme_id = members.programme_id
            and decisions.committee_id = members.committee_id
            and {{ in_force('decisions.decided_on', 'members.term_from', 'members.term_to') }}
    where coalesce(members.is_voting, true)
    group by decisions.record_key, members.member_key
),

entitled as (
    select
        decisions.record_key,
        count(distinct deciding.member_key) as n_entitled
    from decisions
    inner join deciding on decisions.record_key = deciding.record_key
    inner join terms
        on
            deciding.record_key = terms.record_key
            and deciding.member_key = terms.member_key
    where decisions.decision_kind = 'meeting' or terms.is_chair
    group by decisions.record_key
),

voting as (
    select
        attending.record_key,
        count(distinct attending.member_key) as n_present_voting
    from attending
    inner join terms
        on
            attending.record_key = terms.record_key
            and attending.member_key = terms.member_key
    group by attending.record_key
),

counted as (
    select
        decisions.*,
        meetings.meets_on,
        coalesce(entitled.n_entitled, 0) as n_entitled,
        coalesce(voting.n_present_voting, 0) as n_present_voting,
        case
            when decisions.decision_kind = 'chairs_action' then 1
            else greatest(coalesce(meetings.quorum, 1), coalesce(decisions.quorum, 1), 1)
        end as n_needed
    from decisions
    left join meetings
        on
            decisions.programme_id = meetings.programme_id
            and decisions.committee_id = meetings.committee_id
            and decisions.meeting_id = meetings.meeting_id
    left join entitled on decisions.record_key = entitled.record_key
    left join voting on decisions.record_key = voting.record_key
)

select
    *,
    n_entitled > 0 as is_entitled,
    n_present_voting >= n_needed as has_quorum,
    case
        when n_entitled = 0 then 'nobody_entitled'
        when n_present_voting < n_needed then 'no_quorum'
        else 'stands'
    end as standing
from counted
