-- Grain: one row; the reviewed words and phrases of every kind as lists.
with

markers as (
    select * from {{ ref('narrative_marker') }}
),

gathered as (
    select
        {{ marker_list('suggestion') }} as suggestions,
        {{ marker_list('behaviour') }} as behaviours,
        {{ marker_list('praise') }} as praises,
        {{ marker_list('concern') }} as concerns,
        {{ marker_list('cancel_concern') }} as cancels
    from markers
)

select * from gathered
