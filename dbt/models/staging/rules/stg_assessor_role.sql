-- Grain: one row per role of an assessor that the code list knows.
with

roles as (
    select * from {{ source('raw', 'assessor_role') }}
),

renamed as (
    select
        ---------- ids
        assessor_role,
        ---------- text
        title,
        role_group,
        source
    from roles
)

select * from renamed
