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
        cast(parameters as string) as parameters,
        cast(panel as string) as panel,
        cast(sensitivity as string) as sensitivity,
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
