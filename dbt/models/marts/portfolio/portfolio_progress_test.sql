-- Grain: one row per learner and sitting of a progress test, sat or not: what it adds to the line of
-- growth up to that day. A test that was not sat is absent from every figure, never a zero.
with

sittings as (
    select * from {{ ref('portfolio_exam') }}
    where is_progress_test and not is_banked
),

cohorts as (
    select * from {{ ref('int_learner_cohorts__dated') }}
),

-- Of several attempts at one sitting the first with a mark counts, as in the norm.
ranked as (
    select
        sittings.*,
        cohorts.cohort_id,
        row_number() over (
            partition by
                sittings.learner_key, sittings.programme_id, sittings.task_id, sittings.sitting_id
            order by
                case when sittings.sitting_status = 'scored' then 0 else 1 end asc,
                sittings.attempt asc,
                sittings.sitting_key asc
        ) as marked_first
    from sittings
    left join cohorts
        on
            sittings.learner_key = cohorts.learner_key
            and sittings.occurred_on between cohorts.from_on and cohorts.to_on
),

dated as (
    select
        *,
        case when sitting_status = 'scored' then score_share end as sat_share,
        case
            when sitting_status = 'scored'
                then cast(
                    {{ days_between("date '2000-01-01'", 'occurred_on') }} / 365.25
                    as decimal(18, 6)
                )
        end as sat_years
    from ranked
    where marked_first = 1
),

placed as (
    select
        *,
        rank() over (
            partition by programme_id, cohort_id, task_id, sitting_id, form_key
            order by sat_share nulls last
        ) as place_from_below,
        count(*) over (
            partition by programme_id, cohort_id, task_id, sitting_id, form_key, sat_share
        ) as n_same
    from dated
),

-- Sums over the tests that were sat up to this day.
running as (
    select
        *,
        count(sat_share) over upto as n_sat,
        count(*) over upto as n_sittings,
        count(case when is_absent then 1 end) over upto as n_absent,
        sum(sat_share) over upto as sum_y,
        sum(sat_share * sat_share) over upto as sum_yy,
        sum(sat_years) over upto as sum_x,
        sum(sat_years * sat_years) over upto as sum_xx,
        sum(sat_years * sat_share) over upto as sum_xy,
        sum(points) over upto as sum_points,
        sum(case when sat_share is not null then max_points end) over upto as sum_max_points
    from placed
    window upto as (
        partition by learner_key, programme_id
        order by occurred_on, task_id, sitting_id
        rows between unbounded preceding and current row
    )
),

squared as (
    select
        *,
        cast(n_sat * sum_xx - sum_x * sum_x as double) as spread,
        cast(n_sat * sum_xy - sum_x * sum_y as double) as covariance,
        cast(n_sat * sum_yy - sum_y * sum_y as double) as spread_of_shares
    from running
),

grown as (
    select
        *,
        case
            when n_sat >= {{ rule_threshold('exams', 'growth', 'sat_min') }}
                then covariance / nullif(spread, 0)
        end as slope
    from squared
),

erred as (
    select
        *,
        case
            when
                slope is not null
                and n_sat >= coalesce(
                    {{ rule_threshold('exams', 'growth', 'error_sat_min') }},
                    {{ rule_threshold('exams', 'growth', 'sat_min') }}
                )
                then sqrt(
                    greatest(0, spread_of_shares - slope * covariance)
                    / nullif(n_sat - 2, 0)
                    / spread
                )
        end as slope_error
    from grown
),

final as (
    select
        ---------- ids
        sitting_key,
        learner_key,
        programme_id,
        task_id,
        sitting_id,
        ---------- text
        title,
        sitting_status,
        case
            when sitting_status = 'exempt'
                then coalesce(title, task_id) || ': the learner is exempt, so it counts for nothing. '
            when sitting_status = 'not_scored'
                then coalesce(title, task_id) || ' has no mark yet, so it counts for nothing. '
            when sat_share is null
                then coalesce(title, task_id) || ' was not sat, so it counts for nothing. '
            else ''
        end
        || case
            when slope is null
                then
                    'Too few tests were sat to tell a line of growth: '
                    || {{ counted('n_sat', 'test', 'tests') }} || '.'
            else
                'Over ' || {{ counted('n_sat', 'test', 'tests') }} || ' sat of '
                || cast(n_sittings as string) || ', the score changed by '
                || cast(cast(round(slope * 100, 1) as decimal(9, 1)) as string)
                || ' points of a hundred a year'
                || case
                    when slope_error is null then '; too few tests to say how sure that is'
                    when round(slope_error * 100, 1) = 0 then ' (standard error below 0.1)'
                    else
                        ' (standard error '
                        || cast(cast(round(slope_error * 100, 1) as decimal(9, 1)) as string)
                        || ')'
                end || '.'
        end as sentence,
        ---------- numbers
        n_sittings,
        n_sat,
        n_absent,
        sat_share as score_share,
        cast(round(cast(sum_points as double) / nullif(sum_max_points, 0), 4) as decimal(9, 4))
            as cumulative_share,
        {{ to_places('slope') }} as growth_per_year,
        {{ to_places('slope_error') }} as growth_standard_error,
        cohort_n,
        cohort_mean_share,
        cohort_sd_share,
        case
            when sat_share is not null and cohort_n is not null
                then {{ measure_share(
                    '(place_from_below - 1 + 0.5 * n_same)', 'cohort_n'
                ) }}
        end as cohort_percentile,
        ---------- yes or no
        is_absent,
        ---------- days
        occurred_on
    from erred
)

select * from final
