-- Grain: one row per programme, instrument, scale, version and direction of it, and half-year: the share
-- of ratings at or above target as it was given, and as it would be with the mix of stages of all
-- half-years together.
-- Learners grow through stages; what is left when the mix is held still is a change of the ratings.
-- Half-years of few learners or few assessors are not shown, nor so many others that the rest of all
-- ratings of the instrument (programme_instrument_performance) would be theirs alone.
with

judged as (
    select
        programme_id,
        instrument_id,
        scale_id,
        scale_version,
        direction,
        {{ stage_or_none('stage_id') }} as stage_id,
        {{ half_year_of('occurred_on') }} as half_year_on,
        is_at_or_above_target,
        learner_key,
        assessor_key,
        coalesce(assessor_key, record_key) as assessor_cluster
    from {{ ref('int_ratings__versioned') }}
    where is_at_or_above_target is not null
),

series as (
    select
        *,
        row_number() over (
            order by programme_id, instrument_id, scale_id, scale_version, direction
        ) as series_id
    from (
        select distinct
            programme_id,
            instrument_id,
            scale_id,
            scale_version,
            direction
        from judged
    ) as found
),

ratings as (
    select
        series.series_id,
        judged.stage_id,
        judged.half_year_on,
        judged.is_at_or_above_target,
        judged.learner_key,
        judged.assessor_key,
        judged.assessor_cluster
    from judged
    inner join series
        on {{ same('judged', 'series', [
            'programme_id', 'instrument_id', 'scale_id', 'scale_version', 'direction'
        ]) }}
),

by_stage as (
    select
        series_id,
        half_year_on,
        stage_id,
        count(*) as n,
        count(case when is_at_or_above_target then 1 end) as n_at_target
    from ratings
    group by series_id, half_year_on, stage_id
),

mix as (
    select
        series_id,
        stage_id,
        sum(n) as weight
    from by_stage
    group by series_id, stage_id
),

-- Exact sums of whole numbers and of shares that are rounded first, so that their order cannot show.
standardised as (
    select
        by_stage.series_id,
        by_stage.half_year_on,
        sum(by_stage.n) as n_ratings,
        sum(by_stage.n_at_target) as n_at_target,
        count(*) as n_stages,
        sum(mix.weight) as weight,
        sum(
            mix.weight * cast(
                round(cast(by_stage.n_at_target as double) / by_stage.n, 6) as decimal(18, 6)
            )
        ) / sum(mix.weight) as standardised_share,
        sum(
            cast(
                round(
                    cast(mix.weight as double) * mix.weight
                    * (by_stage.n_at_target + 1) * (by_stage.n - by_stage.n_at_target + 1)
                    / (power(by_stage.n + 2, 2) * (by_stage.n + 3)),
                    6
                ) as decimal(38, 6)
            )
        ) / power(cast(sum(mix.weight) as double), 2) as variance
    from by_stage
    inner join mix
        on {{ same('by_stage', 'mix', ['series_id', 'stage_id']) }}
    group by by_stage.series_id, by_stage.half_year_on
),

seen as (
    select distinct
        series_id,
        half_year_on,
        'learner' as role,
        learner_key as person_key
    from ratings

    union all

    select distinct
        series_id,
        half_year_on,
        'assessor' as role,
        assessor_key as person_key
    from ratings
    where assessor_key is not null
),

counted as (
    select
        series_id,
        half_year_on,
        count(case when role = 'learner' then 1 end) as n_learners,
        count(case when role = 'assessor' then 1 end) as n_assessors
    from seen
    group by series_id, half_year_on
),

few as (
    select
        *,
        {{ is_told_by_few('n_learners') }} or {{ is_told_by_few('n_assessors') }} as is_about_few
    from counted
),

sizes as (
    select
        *,
        row_number() over (
            partition by series_id
            order by is_about_few desc, n_learners, half_year_on
        ) as smallest_first
    from few
),

-- Who is in several half-years is hidden with the first of them: nobody is counted twice.
hidden_with as (
    select
        series_id,
        smallest_first,
        count(case when role = 'learner' then 1 end) as n_learners,
        count(case when role = 'assessor' then 1 end) as n_assessors
    from (
        select
            seen.series_id,
            seen.role,
            seen.person_key,
            min(sizes.smallest_first) as smallest_first
        from seen
        inner join sizes
            on {{ same('seen', 'sizes', ['series_id', 'half_year_on']) }}
        group by seen.series_id, seen.role, seen.person_key
    ) as firsts_of_people
    group by series_id, smallest_first
),

hidden_before as (
    select
        sizes.series_id,
        sizes.half_year_on,
        sizes.is_about_few,
        bool_or(sizes.is_about_few) over (partition by sizes.series_id) as has_few,
        coalesce(sum(coalesce(hidden_with.n_learners, 0)) over smaller, 0) as n_learners,
        coalesce(sum(coalesce(hidden_with.n_assessors, 0)) over smaller, 0) as n_assessors
    from sizes
    left join hidden_with
        on {{ same('sizes', 'hidden_with', ['series_id', 'smallest_first']) }}
    window
        smaller as (
            partition by sizes.series_id
            order by sizes.smallest_first
            rows between unbounded preceding and 1 preceding
        )
),

suppressed as (
    select
        series_id,
        half_year_on,
        is_about_few
        or (
            has_few
            and (
                n_learners < {{ rule_threshold('privacy', 'small_cells', 'learners_min') }}
                or {{ is_told_by_few('n_assessors') }}
            )
        ) as is_suppressed
    from hidden_before
),

assessors as (
    select
        series_id,
        half_year_on,
        count(distinct assessor_key) as n_assessors,
        count(distinct assessor_cluster) as n_clusters
    from ratings
    group by series_id, half_year_on
),

-- What each pair of an assessor and a learner adds to the standardised share: the weight of the stage
-- times the ratings above or below its share. Ratings by one assessor go together, and ratings of one
-- learner do, so that both are what varies.
by_pair as (
    select
        ratings.series_id,
        ratings.half_year_on,
        ratings.assessor_cluster,
        ratings.learner_key,
        sum(
            cast(
                round(
                    cast(mix.weight as double) / standardised.weight
                    * (
                        case when ratings.is_at_or_above_target then 1 else 0 end
                        - cast(by_stage.n_at_target as double) / by_stage.n
                    )
                    / by_stage.n,
                    12
                ) as decimal(24, 12)
            )
        ) as pull
    from ratings
    inner join by_stage
        on {{ same('ratings', 'by_stage', ['series_id', 'half_year_on', 'stage_id']) }}
    inner join mix
        on {{ same('ratings', 'mix', ['series_id', 'stage_id']) }}
    inner join standardised
        on {{ same('ratings', 'standardised', ['series_id', 'half_year_on']) }}
    group by
        ratings.series_id, ratings.half_year_on, ratings.assessor_cluster, ratings.learner_key
),

by_person as (
    select
        series_id,
        half_year_on,
        'assessor' as role,
        assessor_cluster as person,
        sum(pull) as pull
    from by_pair
    group by series_id, half_year_on, assessor_cluster

    union all

    select
        series_id,
        half_year_on,
        'learner' as role,
        learner_key as person,
        sum(pull) as pull
    from by_pair
    group by series_id, half_year_on, learner_key
),

of_pairs as (
    select
        series_id,
        half_year_on,
        sum(cast(round(cast(pull as double) * pull, 14) as decimal(38, 14))) as variance
    from by_pair
    group by series_id, half_year_on
),

enough as (
    select
        standardised.*,
        row_number() over (
            partition by standardised.series_id
            order by standardised.half_year_on
        ) as place
    from standardised
    inner join assessors
        on {{ same('standardised', 'assessors', ['series_id', 'half_year_on']) }}
    inner join suppressed
        on {{ same('standardised', 'suppressed', ['series_id', 'half_year_on']) }}
    where
        not suppressed.is_suppressed
        and standardised.n_ratings >= {{ rule_threshold('programme', 'drift', 'ratings_min') }}
        and assessors.n_clusters >= {{ rule_threshold('programme', 'drift', 'assessors_min') }}
),

firsts as (
    select * from enough
    where place = 1
),

-- Who is in both half-years is one and the same: what is left is the change.
pulls as (
    select
        enough.series_id,
        enough.half_year_on,
        by_person.role,
        by_person.person,
        sum(
            case
                when by_person.half_year_on = enough.half_year_on then by_person.pull
                else -by_person.pull
            end
        ) as pull
    from enough
    inner join firsts
        on
            enough.series_id = firsts.series_id
            and enough.half_year_on > firsts.half_year_on
    inner join by_person
        on
            enough.series_id = by_person.series_id
            and by_person.half_year_on in (enough.half_year_on, firsts.half_year_on)
    group by enough.series_id, enough.half_year_on, by_person.role, by_person.person
),

by_role as (
    select
        series_id,
        half_year_on,
        role,
        cast(count(*) as double) / nullif(count(*) - 1, 0)
        * sum(cast(round(cast(pull as double) * pull, 14) as decimal(38, 14))) as variance
    from pulls
    group by series_id, half_year_on, role
),

clustered as (
    select
        series_id,
        half_year_on,
        max(case when role = 'assessor' then variance end) as of_assessors,
        max(case when role = 'learner' then variance end) as of_learners
    from by_role
    group by series_id, half_year_on
),

-- What an assessor and a learner have in common is in the variance of both.
compared as (
    select
        standardised.*,
        firsts.half_year_on as compared_with_on,
        standardised.standardised_share - firsts.standardised_share as difference,
        sqrt(greatest(
            clustered.of_assessors + clustered.of_learners
            - cast(of_pairs.variance as double) - cast(of_first_pairs.variance as double),
            clustered.of_assessors,
            clustered.of_learners,
            standardised.variance + firsts.variance
        )) * {{ rule_threshold('programme', 'drift', 'z') }} as margin
    from standardised
    left join clustered
        on {{ same('standardised', 'clustered', ['series_id', 'half_year_on']) }}
    left join firsts
        on clustered.series_id = firsts.series_id
    left join of_pairs
        on {{ same('standardised', 'of_pairs', ['series_id', 'half_year_on']) }}
    left join of_pairs as of_first_pairs
        on {{ same('firsts', 'of_first_pairs', ['series_id', 'half_year_on']) }}
),

final as (
    select
        ---------- ids
        series.programme_id,
        series.instrument_id,
        series.scale_id,
        series.scale_version,
        series.direction,
        ---------- days
        compared.half_year_on,
        compared.compared_with_on,
        ---------- numbers
        cast(compared.n_ratings as bigint) as n_ratings,
        assessors.n_assessors,
        compared.n_stages,
        case
            when not suppressed.is_suppressed
                then {{ measure_share('compared.n_at_target', 'compared.n_ratings') }}
        end as share_at_target,
        case
            when not suppressed.is_suppressed then {{ to_places('compared.standardised_share') }}
        end as standardised_share,
        {{ to_places('compared.difference') }} as difference,
        {{ to_places('compared.difference - compared.margin') }} as difference_low,
        {{ to_places('compared.difference + compared.margin') }} as difference_high,
        ---------- text
        case
            when compared.difference is null then 'not_compared'
            when compared.difference - compared.margin > 0 then 'higher'
            when compared.difference + compared.margin < 0 then 'lower'
            else 'unchanged'
        end as drift,
        ---------- yes or no
        suppressed.is_suppressed,
        ---------- rule
        'programme' as rule_set_id,
        {{ rule_version('programme') }} as rule_version
    from compared
    inner join series on compared.series_id = series.series_id
    inner join assessors
        on {{ same('compared', 'assessors', ['series_id', 'half_year_on']) }}
    inner join suppressed
        on {{ same('compared', 'suppressed', ['series_id', 'half_year_on']) }}
)

select * from final
