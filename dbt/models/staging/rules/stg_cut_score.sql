-- Grain: one row per cut-score on record, of a sitting or of one of its stations.
with

cut_scores as (
    select * from {{ source('raw', 'cut_score') }}
),

renamed as (
    select
        ---------- ids
        cut_score_id,
        programme_id,
        task_id,
        sitting_id,
        station_id,
        ---------- text
        method,
        cast(parameters as varchar) as parameters,
        cast(panel as varchar) as panel,
        cast(sensitivity as varchar) as sensitivity,
        decided_by,
        source,
        ---------- numbers
        cut_score,
        max_score,
        standard_error,
        n_judges,
        n_examinees,
        rmse,
        r_squared,
        slope,
        ---------- days and instants
        known_at
    from cut_scores
)

select * from renamed
