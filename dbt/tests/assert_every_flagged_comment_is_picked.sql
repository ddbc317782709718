-- What is this test? Every comment with a flag is among those that the page shows first.
-- When is it important to resolve? Always: a concern that somebody raised could stay unread.
-- How to resolve? Look at portfolio_narrative_pick for the comment listed.
{{ config(severity='error', meta={'consequence': 'committee'}) }}

with

comments as (
    select * from {{ ref('portfolio_narrative') }}
    where is_flagged
),

picks as (
    select * from {{ ref('portfolio_narrative_pick') }}
)

select
    comments.learner_key,
    comments.comment_key
from comments
left join picks on {{ same('comments', 'picks', ['learner_key', 'comment_key']) }}
where picks.comment_key is null
