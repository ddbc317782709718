-- Grain: one row per link between two competencies, of one framework or of two; links that lead in a
-- circle are left out, so that whoever follows them comes to an end. A competency that maps
-- to several of another framework gives each of them a share, so that totals come out the same there.
with

newest_versions as (
    select
        programme_id,
        framework_id,
        max_by(framework_version, {{ version_order('framework_version') }}) as framework_version
    from {{ ref('dim_competency') }}
    group by programme_id, framework_id
),

-- Without a version a link stays within its own, or leads to the newest one of the other framework.
links as (
    select
        links.programme_id,
        links.framework_id,
        links.framework_version,
        links.competency_id,
        links.link_type,
        coalesce(links.target_framework_id, links.framework_id) as to_framework_id,
        coalesce(
            links.target_framework_version,
            case
                when coalesce(links.target_framework_id, links.framework_id) = links.framework_id
                    then links.framework_version
                else newest_versions.framework_version
            end,
            'unknown'
        ) as to_framework_version,
        links.target_competency_id as to_competency_id,
        links.record_key
    from {{ ref('int_framework_links__placed') }} as links
    left join newest_versions
        on
            links.programme_id = newest_versions.programme_id
            and links.target_framework_id = newest_versions.framework_id
    where not links.is_circular
),

once as (
    select
        programme_id,
        framework_id,
        framework_version,
        competency_id,
        link_type,
        to_framework_id,
        to_framework_version,
        to_competency_id,
        max(record_key) as record_key
    from links
    group by
        programme_id,
        framework_id,
        framework_version,
        competency_id,
        link_type,
        to_framework_id,
        to_framework_version,
        to_competency_id
),

counted as (
    select
        *,
        count(*) over (
            partition by
                programme_id,
                framework_id,
                framework_version,
                competency_id,
                link_type,
                to_framework_id,
                to_framework_version
        ) as n_targets,
        row_number() over (
            partition by
                programme_id,
                framework_id,
                framework_version,
                competency_id,
                link_type,
                to_framework_id,
                to_framework_version
            order by to_competency_id
        ) as place
    from once
),

final as (
    select
        ---------- ids
        programme_id,
        framework_id,
        framework_version,
        competency_id,
        link_type,
        to_framework_id,
        to_framework_version,
        to_competency_id,
        record_key,
        ---------- numbers
        case
            when link_type <> 'maps_to' then null
            -- The first takes what rounding leaves, so that the shares add up to one exactly.
            when place = 1
                then cast(
                    1 - (n_targets - 1) * cast(round(1.0 / n_targets, 6) as decimal(18, 6))
                    as decimal(18, 6)
                )
            else cast(round(1.0 / n_targets, 6) as decimal(18, 6))
        end as mapped_share
    from counted
)

select * from final
