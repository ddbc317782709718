"""What a calibration is estimated from: queries of `raw` for ratings, peers, marks and targets."""

from __future__ import annotations

from pipelines.measurement import standings

SCALE_AND_INSTRUMENT = """
    scale as (
        select
            scale_id,
            max_by(scale_version, (
                regexp_full_match(scale_version, '[0-9]+'),
                lpad(scale_version, cast(greatest(length(scale_version), 12) as integer), '0')
            )) as scale_version,
            case when count(distinct direction) = 1 then max(direction) end as direction
        from raw.scale_level
        group by scale_id
    ),
    instrument as (
        select
            instrument_id,
            max(assurance_level) as assurance_level,
            max(method_family) as method_family,
            max(direction) as direction
        from raw.instrument
        group by instrument_id
    )
"""
"""The scales and instruments that ratings name; of a scale without a version, its newest."""
DIRECTION = "coalesce(rated.direction, scale.direction, instrument.direction, 'retrospective')"
"""Which way a rating looks: as the form, its scale or its instrument says, and else back, as in
`int_cell_evidence__assigned`."""
IDENTITY = """
    identity as (
        select
            pseudonym,
            role,
            person_key,
            coalesce(valid_from, date '0001-01-01') as valid_from,
            coalesce(valid_to, date '9999-12-30') as valid_to
        from raw.identity
    )
"""

RATINGS = f"""
    with
    {SCALE_AND_INSTRUMENT},
    {IDENTITY}
    select
        rated.programme_id,
        rated.scale_id,
        coalesce(rated.scale_version, scale.scale_version, '') as scale_version,
        {DIRECTION} as direction,
        learner.person_key as learner,
        assessor.person_key as assessor,
        rated.competency_id as context,
        rated.level
    from raw.workplace_assessment as rated
    left join instrument on rated.instrument_id = instrument.instrument_id
    left join scale on rated.scale_id = scale.scale_id
    join identity as learner
        on
            rated.learner_pseudonym = learner.pseudonym
            and learner.role = 'learner'
            and coalesce(cast(rated.observed_at as date), learner.valid_from)
            between learner.valid_from and learner.valid_to
    join identity as assessor
        on
            rated.assessor_pseudonym = assessor.pseudonym
            and assessor.role = 'assessor'
            and coalesce(cast(rated.observed_at as date), assessor.valid_from)
            between assessor.valid_from and assessor.valid_to
    where
        rated.present_outcome = 'accepted'
        and rated.level is not null
        and rated.assessor_role is distinct from 'self'
"""
PEERS = f"""
    with
    {SCALE_AND_INSTRUMENT},
    {IDENTITY},
    period as (
        select
            learner.person_key as learner,
            given.programme_id,
            given.period_type,
            given.period_id,
            given.starts_on,
            given.ends_on
        from raw.learner_stage as given
        join identity as learner
            on
                given.learner_pseudonym = learner.pseudonym
                and learner.role = 'learner'
                and given.starts_on between learner.valid_from and learner.valid_to
        where given.present_outcome = 'accepted'
        qualify row_number() over (
            partition by
                learner.person_key, given.programme_id, given.period_type, given.starts_on
            order by given.is_planned, given.known_at desc, given.record_key desc
        ) = 1
    ),
    stage as (
        select * exclude (period_id), period_id as stage_id
        from period
        where period_type = 'stage'
    ),
    rotation as (
        select * exclude (period_id), period_id as rotation_id
        from period
        where period_type = 'rotation'
    ),
    rating as (
        select
            rated.programme_id,
            rated.instrument_id,
            rated.scale_id,
            coalesce(rated.scale_version, '') as scale_version,
            {DIRECTION} as direction,
            learner.person_key as learner,
            rated.competency_id,
            coalesce(rated.assessor_pseudonym, rated.record_key) as assessor,
            rated.level,
            cast(rated.observed_at as date) as observed_on
        from raw.workplace_assessment as rated
        join identity as learner
            on
                rated.learner_pseudonym = learner.pseudonym
                and learner.role = 'learner'
                and cast(rated.observed_at as date)
                between learner.valid_from and learner.valid_to
        left join instrument on rated.instrument_id = instrument.instrument_id
        left join scale on rated.scale_id = scale.scale_id
        where
            rated.present_outcome = 'accepted'
            and rated.level is not null
            and rated.competency_id is not null
            and rated.assessor_role is distinct from 'self'
            and coalesce(rated.assurance_level, instrument.assurance_level, '') <> 'open'
            and coalesce(instrument.method_family, '') <> 'multisource'
    )
    select
        rating.*,
        case
            when coalesce(rotation.ends_on, rating.observed_on) >= rating.observed_on
                then coalesce(rotation.rotation_id, 'none')
            else 'none'
        end as rotation_id,
        coalesce(stage.stage_id, 'no_stage') as stage_id,
        coalesce(
            date_diff('day', stage.starts_on, rating.observed_on) // {standings.QUARTER_DAYS}, 0
        ) as quarter
    from rating
    asof left join stage
        on
            rating.learner = stage.learner
            and rating.programme_id = stage.programme_id
            and rating.observed_on >= stage.starts_on
    asof left join rotation
        on
            rating.learner = rotation.learner
            and rating.programme_id = rotation.programme_id
            and rating.observed_on >= rotation.starts_on
"""
"""Observed and secured ratings with rotation, stage and quarter of it in which they were given."""
OPEN_WORK = f"""
    with
    {IDENTITY},
    open_task as (
        select distinct programme_id, task_id
        from raw.task
        where present_outcome = 'accepted' and assurance_level = 'open'
    )
    select
        mark.programme_id,
        mark.task_id,
        learner.person_key as learner,
        cast(mark.score / mark.max_score as double) as share
    from raw.exam_result as mark
    join open_task using (programme_id, task_id)
    join identity as learner
        on
            mark.learner_pseudonym = learner.pseudonym
            and learner.role = 'learner'
            and coalesce(cast(mark.occurred_at as date), date '9999-12-30')
            between learner.valid_from and learner.valid_to
    where
        mark.present_outcome = 'accepted'
        and mark.score is not null
        and mark.max_score > 0
        and not coalesce(mark.is_banked, false)
        and coalesce(mark.result_status, 'scored') = 'scored'
"""
"""Marks of open tasks, as shares of the greatest mark."""
TARGETS = """
    select distinct
        programme_id, target_scale_id as scale_id, target_scale_version as scale_version,
        target_level
    from raw.assessment_plan
    where present_outcome = 'accepted' and target_level is not null
    union
    select null, scale_id, null, level
    from raw.scale_level
    where is_target
"""
"""Every level that is somewhere a target; without a programme, or a version of the scale, it holds
for all."""
