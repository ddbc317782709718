-- Grain: one row per pseudonym, role and stretch of days in which the id means one person.
with

identities as (
    select *
    from {{ source('raw', 'identity') }}
),

renamed as (
    select
        ---------- ids
        namespace_id,
        person_key,
        ---------- text
        pseudonym,
        role,
        ---------- yes or no
        is_known,
        ---------- days and instants
        known_at,
        valid_from,
        valid_to
    from identities
)

select * from renamed
