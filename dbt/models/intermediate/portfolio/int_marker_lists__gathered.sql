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
        {{ marker_list('concern_by_negation') }} as negated_concerns,
        {{ marker_list('cancel') }} as cancels,
        {{ marker_list('negation') }} as negations,
        {{ marker_list('intensifier') }} as intensifiers
    from markers
)

select * from gathered
