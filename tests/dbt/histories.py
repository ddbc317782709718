"""Things that happen between two builds, as changes of `raw`: what load leaves after each."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from pipelines.warehouse.calibration_estimates import NORM_TABLES, TABLES
from pipelines.warehouse.raw_schema import KINDS, raw_tables

RECALIBRATED = (
    "calibration_target_effect",
    "calibration_level_norm",
    "calibration_score_norm",
    "calibration_spread",
)
EVIDENCE = ("workplace_assessment", "exam_result", "exam_response")
OF_A_BUILD = {"build_input", "kept_code", "kept_learner"}
"""Tables that a build writes, not what happens."""
KEYS = {"event_id", "pseudonym", "record_key", "rule_version", "calibration_version"}
"""What says which row is meant: another value would be another record."""
COLUMNS = sorted(
    (table, column)
    for table, columns in raw_tables().items()
    if table not in OF_A_BUILD
    for column in columns
    if column not in KEYS
)
"""Every column of `raw` in which a value may turn out to be another."""

ANY_COLUMN = "a column of any table has other values"


@dataclass(frozen=True)
class Event:
    """One thing that happens, to those records that `lot` picks."""

    name: str
    lot: int

    def happen(self, con: duckdb.DuckDBPyConnection) -> None:
        """Change `raw` accordingly."""
        table, column = COLUMNS[self.lot % len(COLUMNS)]
        drawn = {
            "{lot}": str(self.lot),
            "{table}": table,
            "{column}": column,
            "{kind}": KINDS[self.lot % len(KINDS)],
        }
        for statement in CHANGES[self.name]:
            for name, value in drawn.items():
                statement = statement.replace(name, value)
            con.execute(statement)


def _picked(name: str, one_in: int = 3) -> str:
    return f"(hash({name} || '{{lot}}') % {one_in} = 0)"


def _of_delivery(name: str) -> str:
    """What makes a copy of a record another one, of a delivery of its own."""
    return f"""
        md5(event_id || '{{lot}}') as event_id,
        md5(record_key || '{{lot}}') as record_key,
        record_id || '-{{lot}}' as record_id,
        '{name}{{lot}}' as delivery_id
    """


def _delivered(kind: str, at: str) -> str:
    """Records of people who are known, on another day and partly of another person."""
    return f"""
        insert into raw.{kind} by name
        select
            * replace (
                {_of_delivery("d")},
                {at} + to_days(cast(hash(record_key || '{{lot}}') % 400 as integer) - 200) as {at},
                case
                    when {_picked("event_id", 2)} then learner_pseudonym
                    else (
                        select pseudonym from raw.identity where role = 'learner'
                        order by hash(pseudonym || '{{lot}}') limit 1
                    )
                end as learner_pseudonym
            )
        from raw.{kind} where {_picked("record_key", 4)}
    """


CHANGES: dict[str, tuple[str, ...]] = {
    "assessments arrive": (_delivered("workplace_assessment", "observed_at"),),
    "results arrive": (_delivered("exam_result", "occurred_at"),),
    "stations arrive": (_delivered("exam_response", "occurred_at"),),
    "results of stations arrive": (
        f"""
        insert into raw.exam_result by name
        select
            md5(learner_pseudonym || task_id || sitting_id || attempt || '{{lot}}') as event_id,
            md5(learner_pseudonym || task_id || sitting_id || attempt) as record_key,
            md5(learner_pseudonym || task_id || sitting_id || attempt) as record_id,
            any_value(source_id) as source_id,
            'results-{{lot}}' as delivery_id,
            1 as source_row,
            max(known_at) as known_at,
            'accepted' as present_outcome,
            programme_id,
            learner_pseudonym,
            task_id,
            sitting_id,
            attempt,
            'osce' as instrument_id,
            case when {{lot}} % 3 = 0 then 'not_scored' else 'scored' end as result_status,
            case when {{lot}} % 3 > 0 then 10 end as score,
            false as is_banked,
            min(occurred_at) as occurred_at
        from raw.exam_response
        where present_outcome = 'accepted' and station_id is not null and {_picked("sitting_id", 2)}
        group by programme_id, learner_pseudonym, task_id, sitting_id, attempt
        having record_key not in (select record_key from raw.exam_result)
        """,
    ),
    "stations are scored anew": (
        f"""
        update raw.exam_response
        set score = {{lot}} % 7, examiner_pseudonym = (
            select pseudonym from raw.identity where role = 'assessor'
            order by hash(pseudonym || '{{lot}}') limit 1
        )
        where station_id is not null and {_picked("record_key", 2)}
        """,
    ),
    "a station gets a cut-score": (
        """
        insert into raw.cut_score by name
        select
            'c{lot}' as cut_score_id, programme_id, task_id, sitting_id, station_id,
            'borderline_regression' as method, {lot} % 9 as cut_score,
            'the examiners' as decided_by, 'minutes {lot}' as source,
            max(known_at) + to_seconds({lot}) as known_at
        from raw.exam_response
        where station_id is not null
        group by programme_id, task_id, sitting_id, station_id
        order by hash(station_id || '{lot}') limit 1
        """,
    ),
    "assessments come without a role": (
        _delivered("workplace_assessment", "observed_at"),
        "update raw.workplace_assessment set assessor_role = null where delivery_id = 'd{lot}'",
    ),
    "comments are corrected": (
        f"""
        update raw.workplace_assessment set
            narrative_improvements = 'Next time say the dose, {{lot}}.',
            event_id = md5(event_id || '{{lot}}')
        where {_picked("record_key")}
        """,
    ),
    "levels are corrected": (
        f"""
        update raw.workplace_assessment
        set level = 1 + cast(hash(record_key || '{{lot}}') % 5 as bigint)
        where level is not null and {_picked("record_key")}
        """,
    ),
    "records are voided or come back": tuple(
        f"""
        update raw.{kind} set present_outcome
        = case when present_outcome = 'accepted' then 'voided' else 'accepted' end
        where present_outcome in ('accepted', 'voided') and {_picked("record_key", 4)}
        """
        for kind in EVIDENCE
    ),
    "everything of a delivery is withdrawn": tuple(
        f"delete from raw.{kind} where {_picked('delivery_id')}"
        for kind in (*EVIDENCE, "intake_record", "receipt")
    ),
    "two learners turn out to be one": (
        """
        update raw.identity set person_key = (
            select person_key from raw.identity where role = 'learner'
            order by hash(person_key || '{lot}') limit 1
        )
        where pseudonym = (
            select pseudonym from raw.identity where role = 'learner'
            order by hash(pseudonym || '{lot}') limit 1
        ) and role = 'learner'
        """,
    ),
    "one learner turns out to be two": (
        """
        update raw.identity set person_key = 'L-new-{lot}'
        where role = 'learner' and pseudonym = (
            select pseudonym from raw.identity where role = 'learner'
            order by hash(pseudonym || '{lot}') limit 1
        )
        """,
    ),
    "two assessors turn out to be one": (
        """
        update raw.identity set person_key = (
            select person_key from raw.identity where role = 'assessor'
            order by hash(person_key || '{lot}') limit 1
        )
        where role = 'assessor' and pseudonym = (
            select pseudonym from raw.identity where role = 'assessor'
            order by hash(pseudonym || '{lot}') limit 1
        )
        """,
    ),
    "a roster comes late or is withdrawn": tuple(
        f"""
        update raw.{kind} set present_outcome
        = case when present_outcome = 'accepted' then 'superseded' else 'accepted' end
        where {_picked("record_key")}
        """
        for kind in ("learner_stage", "learner", "assessor")
    ),
    "stages move": (
        f"""
        update raw.learner_stage set
            starts_on = starts_on + cast(hash(record_key || '{{lot}}') % 120 as integer) - 60,
            ends_on = ends_on + cast(hash(record_key || '{{lot}}') % 120 as integer) - 60
        where {_picked("record_key")}
        """,
    ),
    "assessors get another role": (
        f"update raw.assessor set assessor_role = 'role {{lot}}' where {_picked('record_key', 2)}",
    ),
    "tasks change": (
        f"update raw.task set module_id = 'M{{lot}}' where {_picked('record_key')}",
        f"""
        update raw.task set present_outcome
        = case when present_outcome = 'accepted' then 'superseded' else 'accepted' end
        where {_picked("record_key", 5)}
        """,
    ),
    "tasks are described anew": (
        f"""
        update raw.task set
            title = 'Task {{lot}}',
            due_on = date '2026-01-01' + {{lot}} % 60,
            competency_ids = case when {{lot}} % 2 = 0 then ['EPA02'] else ['EPA01', 'EPA02'] end,
            cut_score = {{lot}} % 12,
            module_starts_on = date '2025-10-01' + {{lot}} % 90
        where {_picked("record_key", 2)}
        """,
    ),
    "policies of tasks begin": (
        f"""
        insert into raw.task by name
        select * replace (
            {_of_delivery("policies-")},
            'As of {{lot}}' as title,
            1 + {{lot}} % 4 as ai_policy_level,
            date '2025-11-01' + {{lot}} % 120 as policy_from,
            cast(null as date) as policy_to
        )
        from raw.task
        where
            {_picked("task_id")}
            and md5(record_key || '{{lot}}') not in (select record_key from raw.task)
        """,
    ),
    "a task comes after its results": (
        """
        insert into raw.task by name
        select
            md5(task_id || '{lot}') as event_id,
            md5(task_id || '{lot}') as record_key,
            task_id || '-{lot}' as record_id,
            any_value(source_id) as source_id,
            'tasks-{lot}' as delivery_id,
            1 as source_row,
            max(known_at) as known_at,
            'accepted' as present_outcome,
            programme_id,
            task_id,
            'Late {lot}' as title,
            'written_exam' as modality,
            'M{lot}' as module_id,
            date '2026-01-01' + {lot} % 30 as due_on,
            ['EPA01'] as competency_ids
        from raw.exam_result
        where task_id not in (select task_id from raw.task)
        group by programme_id, task_id
        """,
    ),
    "an exam gets a cut-score": (
        """
        insert into raw.cut_score by name
        select
            'e{lot}' as cut_score_id, programme_id, task_id, sitting_id,
            case when {lot} % 3 = 0 then 'number_right' else 'angoff' end as method,
            {lot} % 15 as cut_score,
            'the panel' as decided_by, 'minutes {lot}' as source,
            max(known_at) + to_seconds({lot}) as known_at
        from raw.exam_result
        where sitting_id is not null
        group by programme_id, task_id, sitting_id
        order by hash(task_id || sitting_id || '{lot}') limit 1
        """,
    ),
    "plans change": (
        f"""
        update raw.assessment_plan set target_level = 1 + {{lot}} % 5
        where target_level is not null and {_picked("record_key", 2)}
        """,
    ),
    "plans begin or end around the day of judgement": (
        f"""
        update raw.assessment_plan
        set
            valid_from = (select as_of from raw.build_input) - {{lot}} % 60,
            valid_to = case
                when {{lot}} % 2 = 0 then (select as_of from raw.build_input) + {{lot}} % 60
            end
        where {_picked("record_key", 2)}
        """,
    ),
    "plans name another version of the scale": (
        f"""
        update raw.assessment_plan
        set target_scale_version = case {{lot}} % 3 when 0 then null when 1 then '1' else '2' end
        where target_level is not null and {_picked("record_key", 2)}
        """,
    ),
    "a framework changes": (
        f"update raw.framework set title = 'Title {{lot}}' where {_picked('record_key')}",
    ),
    "a framework gets a version that begins around the day of judgement": (
        f"""
        insert into raw.framework by name
        select * replace (
            {_of_delivery("version-")},
            '{{lot}}' as framework_version,
            'Of version {{lot}}' as title,
            (select as_of from raw.build_input) + {{lot}} % 61 - 30 as valid_from
        )
        from raw.framework
        where
            entry_type = 'item'
            and {_picked("competency_id", 2)}
            and md5(record_key || '{{lot}}') not in (select record_key from raw.framework)
        """,
    ),
    "competencies map to another framework": (
        f"""
        insert into raw.framework by name
        select * replace (
            {_of_delivery("links-")},
            'link' as entry_type,
            'maps_to' as link_type,
            'F{{lot}}' as target_framework_id,
            '1' as target_framework_version,
            'C' || hash(competency_id) % 3 as target_competency_id
        )
        from raw.framework
        where
            {_picked("competency_id", 2)}
            and md5(record_key || '{{lot}}') not in (select record_key from raw.framework)
        """,
    ),
    "intake notes oddities": tuple(
        f"""
        insert into raw.note by name
        select
            event_id, delivery_id, interpretation_id, source_id, source_row, record_key,
            '{kind}' as kind,
            unnest(['late', 'banked', 'unknown_task', 'unknown_competency']) as code
        from raw.{kind}
        where {_picked("record_key")}
        """
        for kind in EVIDENCE
    ),
    "notes of intake are taken back": (f"delete from raw.note where {_picked('event_id', 2)}",),
    "another calibration comes into use": (
        """
        insert into raw.calibration_target_effect by name
        select * replace (
            'c{lot}' as calibration_version,
            effect + 0.1 * (1 + hash(effect_id || '{lot}') % 9) as effect
        )
        from raw.calibration_target_effect
        where
            calibration_version in (select calibration_version from raw.build_input)
            and 'c{lot}' not in (select calibration_version from raw.calibration_spread)
        """,
        """
        insert into raw.calibration_level_norm by name
        select
            'c{lot}' as calibration_version,
            *,
            40 as n_ratings,
            3 + hash(level || stage_id || '{lot}') % 9 as n_learners,
            0.001 * (hash(level || instrument_id || quarter || '{lot}') % 1000) as standing
        from (
            select distinct
                programme_id, instrument_id, scale_id,
                coalesce(scale_version, '') as scale_version, level
            from raw.workplace_assessment
            where level is not null
        )
        cross join (
            select distinct period_id as stage_id from raw.learner_stage
            where period_type = 'stage'
            union
            select 'no_stage'
        )
        cross join (select cast(range as bigint) as quarter from range(16))
        where 'c{lot}' not in (select calibration_version from raw.calibration_spread)
        """,
        """
        insert into raw.calibration_score_norm by name
        select distinct
            'c{lot}' as calibration_version, programme_id, task_id,
            3 + hash(task_id || '{lot}') % 9 as n_learners,
            0.6 as mean_share, 0.05 + 0.01 * ({lot} % 9) as sd_share
        from raw.task
        where 'c{lot}' not in (select calibration_version from raw.calibration_spread)
        """,
        """
        insert into raw.calibration_spread by name
        select distinct
            'c{lot}' as calibration_version, programme_id, 40 as n_learners,
            60 + {lot} % 60 as quarter_days, 0.05 as within_variance, 0.02 as between_variance
        from raw.workplace_assessment
        where 'c{lot}' not in (select calibration_version from raw.calibration_spread)
        """,
        """
        update raw.build_input set calibration_version = 'c{lot}'
        where 'c{lot}' in (select calibration_version from raw.calibration_spread)
        """,
        *(
            f"""
            delete from raw.{table}
            where calibration_version not in (select calibration_version from raw.build_input)
            """
            for table in RECALIBRATED
        ),
        *(
            f"""
            update raw.{table}
            set calibration_version = (select calibration_version from raw.build_input)
            """
            for table in sorted({*TABLES, *NORM_TABLES} - {*RECALIBRATED})
        ),
    ),
    "roles belong to another group": (
        """
        update raw.assessor_role set role_group = 'group ' || hash(assessor_role || '{lot}') % 3
        where assessor_role <> 'self'
        """,
    ),
    "more respondents are asked for": (
        """
        update raw.rule_set set threshold_value = 1 + {lot} % 4
        where rule_set_id = 'msf' and rule_id = 'respondents' and threshold_name = 'min'
        """,
    ),
    "peers are to be more or fewer": (
        """
        update raw.rule_set set threshold_value = {lot} % 12
        where rule_set_id = 'signals' and rule_id = 'peers' and threshold_name = 'learners_min'
        """,
    ),
    "a scale gets another target": (
        "update raw.scale_level set is_target = level = 1 + {lot} % 5",
    ),
    "a scale gets a version with a target of its own, and ratings are on it": (
        """
        insert into raw.scale_level by name
        select * replace ('2' as scale_version, level = 1 + {lot} % 5 as is_target)
        from raw.scale_level
        where
            scale_version = '1'
            and scale_id not in (select scale_id from raw.scale_level where scale_version = '2')
        """,
        f"""
        update raw.workplace_assessment set scale_version = '2'
        where scale_id is not null and {_picked("record_key")}
        """,
    ),
    "an instrument becomes feedback of many": (
        f"""
        update raw.instrument set method_family
        = case when {_picked("instrument_id", 4)} then 'multisource' else 'case_discussion' end
        where instrument_id in ('mini_cex', 'cbd', 'msf')
        """,
    ),
    "rules for comments change": (
        """
        update raw.rule_set set threshold_value = {lot} % 4, rule_version = '{lot}'
        where rule_set_id = 'narratives'
        """,
    ),
    "other rules change": (
        """
        update raw.rule_set set threshold_value = threshold_value + 1
        where rule_set_id <> 'narratives' and rule_id = 'data_points'
        """,
    ),
    ANY_COLUMN: (
        """
        update raw.{table} set "{column}" = other.value
        from (
            select
                rowid as place,
                lead("{column}", 1, first) over (order by hash(rowid || '{lot}')) as value
            from (
                select
                    rowid,
                    "{column}",
                    first_value("{column}") over (order by hash(rowid || '{lot}')) as first
                from raw.{table}
            )
        ) as other
        where raw.{table}.rowid = other.place and hash(other.place || '{lot}') % 2 = 0
        """,
    ),
    "records of any kind are withdrawn or come back": (
        f"""
        update raw.{{kind}} set present_outcome
        = case when present_outcome = 'accepted' then 'superseded' else 'accepted' end
        where present_outcome in ('accepted', 'superseded') and {_picked("record_key")}
        """,
    ),
    "days pass": ("update raw.build_input set as_of = as_of + {lot} % 200",),
    "a past day is asked for": ("update raw.build_input set as_of = as_of - {lot} % 300",),
    "the programme moves to another zone": (
        "update raw.build_input set time_zone = "
        "case when {lot} % 2 = 0 then 'Pacific/Auckland' else 'America/Lima' end",
    ),
    "the code is another": ("update raw.build_input set code_version = 'code {lot}'",),
    "nothing happens": (),
}
"""What can happen, as SQL on `raw`; `{lot}` picks to whom."""
