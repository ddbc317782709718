-- Grain: one row; the reviewed words and phrases of every kind as lists.
with

markers as (
    select * from {{ ref('narrative_marker') }}
),

gathered as (
    select
        {{ list_agg("case when marker_kind = 'suggestion' then marker end", distinct=true) }} as suggestions,
        {{ list_agg("case when marker_kind = 'behaviour' then marker end", distinct=true) }} as behaviours,
        {{ list_agg("case when marker_kind = 'praise' then marker end", distinct=true) }} as praises,
        {{ list_agg("case when marker_kind = 'concern' then marker end", distinct=true) }} as concerns,
        {{ list_agg("case when marker_kind = 'cancel_concern' then marker end", distinct=true) }} as cancels
    from markers
)

select * from gathered
