-- Grain: one row per threshold of a rule set.
with

thresholds as (
    select *
    from {{ source('raw', 'rule_set') }}
),

renamed as (
    select
        ---------- ids
        rule_set_id,
        programme_id,
        stage_id,
        rule_id,
        ---------- text
        rule_version,
        title,
        words,
        threshold_name,
        unit,
        source,
        ---------- numbers
        threshold_value,
        ---------- yes or no
        is_default,
        is_of_site,
        ---------- days and instants
        effective_from,
        effective_to,
        known_from
    from thresholds
)

select * from renamed
