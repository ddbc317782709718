-- Grain: one row per scope and learner whose rows stand in the kept tables of that scope.
with

kept as (
    select *
    from {{ source('raw', 'kept_learner') }}
),

renamed as (
    select
        ---------- ids
        scope,
        learner_key,
        ---------- text
        fingerprint
    from kept
)

select * from renamed
