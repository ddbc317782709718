-- Grain: one row per pseudonym and role.
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
        ---------- days and instants
        known_at
    from identities
)

select * from renamed
