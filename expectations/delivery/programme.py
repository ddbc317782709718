"""What deliveries of tasks, frameworks, assessment plans and requirements promise."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from expectations.delivery.model import Delivery, for_kind
from expectations.delivery.promises import Levels, in_code_list, on_a_scale, suite
from expectations.delivery.told import ROWS_TOLD, day_or, find, first_few, in_words
from expectations.no_rows import ExpectNoRows
from expectations.registry import Suite, promise


@for_kind("task")
def tasks(delivery: Delivery) -> Suite:
    """Return the promises of a list of tasks."""
    kind = "task"
    return suite(
        delivery,
        kind,
        in_code_list(kind, "instrument_id", "instrument", delivery.instruments, delivery.owner),
        promise(
            ExpectNoRows,
            rule=f"{kind}.policies_apart",
            severity="critical",
            owner=delivery.owner,
            words="On any day, one AI policy is in force for a task.",
            broken="{observed:pair|pairs} of AI policies of the same task "
            "{observed:|overlaps|overlap} in time "
            f"({_policies_that_overlap(delivery.accepted[kind])}): give each policy days of its "
            "own.",
            unexpected_rows_query=OVERLAP,
        ),
    )


OVERLAP = """
    with policies as (
        select
            *,
            coalesce(policy_from, date '0001-01-01') as from_on,
            coalesce(policy_to, date '9999-12-31') as to_on
        from (select * from {batch})
        where ai_policy_level is not null
    )
    select
        one.task_id,
        least(one.source_row, other.source_row) as first_row,
        greatest(one.source_row, other.source_row) as second_row,
        greatest(one.from_on, other.from_on) as from_on,
        least(one.to_on, other.to_on) as to_on
    from policies as one join policies as other
    on one.programme_id = other.programme_id and one.task_id = other.task_id
    and one.record_id < other.record_id
    and (one.ai_policy_scale, one.ai_policy_scale_version, one.ai_policy_level)
    is distinct from (other.ai_policy_scale, other.ai_policy_scale_version, other.ai_policy_level)
    and one.from_on <= other.to_on and other.from_on <= one.to_on
"""
"""Pairs of AI policies of one task that are in force on one day: their rows and days."""


def _policies_that_overlap(accepted: tuple[Path, ...]) -> str:
    """Return which AI policies of a delivered file overlap, as words for `str.format`."""

    def say(task_id: str, first: int, second: int, from_on: date, to_on: date) -> str:
        days = f"{day_or(from_on, 'the beginning')} to {day_or(to_on, 'the end')}"
        return f"task {task_id}, rows {first} and {second}, {days}"

    return in_words(first_few(find(OVERLAP + "order by all", accepted), say))


@for_kind("framework")
def frameworks(delivery: Delivery) -> Suite:
    """Return the promises of a competency framework."""
    kind = "framework"
    return suite(
        delivery,
        kind,
        promise(
            ExpectNoRows,
            rule=f"{kind}.links_known",
            severity="warning",
            owner=delivery.owner,
            words="Links within a framework lead to competencies of the delivery.",
            broken="{observed:link leads|links lead} to competencies that the delivery does not "
            "have.",
            unexpected_rows_query="""
                select link.competency_id from (select * from {batch}) as link
                where link.entry_type = 'link'
                and coalesce(link.target_framework_id, link.framework_id) = link.framework_id
                and not exists (
                    select 1 from (select * from {batch}) as item
                    where item.entry_type = 'item' and item.framework_id = link.framework_id
                    and item.competency_id = link.target_competency_id
                )
            """,
        ),
        promise(
            ExpectNoRows,
            rule=f"{kind}.no_circle",
            severity="critical",
            owner=delivery.owner,
            words="No competency lies under itself, by whatever many steps.",
            broken="{observed:link leads|links lead} in a circle, so that a competency lies under "
            "itself "
            f"({_rows_of_circles(delivery.accepted[kind])}): take out the link that goes from a "
            "parent to what lies below it.",
            unexpected_rows_query=CIRCLE,
        ),
    )


CIRCLE = """
    with recursive
    links as (
        select
            source_row, programme_id, framework_id, framework_version,
            competency_id as child, target_competency_id as parent
        from (select * from {batch})
        where entry_type = 'link' and link_type in ('is_child_of', 'is_part_of')
        and coalesce(target_framework_id, framework_id) = framework_id
        and coalesce(target_framework_version, framework_version) = framework_version
    ),
    above as (
        select programme_id, framework_id, framework_version, child, parent from links
        union
        select
            above.programme_id, above.framework_id, above.framework_version,
            above.child, links.parent
        from above join links
        on above.programme_id = links.programme_id
        and above.framework_id = links.framework_id
        and above.framework_version = links.framework_version
        and above.parent = links.child
    )
    select links.source_row from links join above
    on links.programme_id = above.programme_id
    and links.framework_id = above.framework_id
    and links.framework_version = above.framework_version
    and links.parent = above.child and links.child = above.parent
"""
"""The links of a framework that lie on a circle, by their rows."""


def _rows_of_circles(accepted: tuple[Path, ...]) -> str:
    """Return in which rows of the delivered file links lie on a circle, as words."""
    rows = sorted({row for (row,) in find(CIRCLE, accepted)})
    told = ", ".join(str(row) for row in rows[:ROWS_TOLD])
    return f"rows {told}{' and more' if len(rows) > ROWS_TOLD else ''} of the file"


@for_kind("assessment_plan")
def assessment_plans(delivery: Delivery) -> Suite:
    """Return the promises of an assessment plan."""
    kind = "assessment_plan"
    levels = Levels("target_scale_id", "target_scale_version", "target_level")
    return suite(
        delivery,
        kind,
        in_code_list(kind, "instrument_id", "instrument", delivery.instruments, delivery.owner),
        on_a_scale(kind, levels, delivery),
    )


@for_kind("requirement")
def requirements(delivery: Delivery) -> Suite:
    """Return the promises of mandatory requirements."""
    kind = "requirement"
    return suite(
        delivery,
        kind,
        promise(
            ExpectNoRows,
            rule=f"{kind}.met_as_counted",
            severity="warning",
            owner=delivery.owner,
            words="What counts as met has as many as are required.",
            broken="{observed:requirement counts|requirements count} as met with fewer than are "
            "required: the columns "
            "of done and required may be swapped.",
            unexpected_rows_query="""
                select record_key from {batch} where status = 'met' and n_done < required_n
            """,
        ),
        promise(
            ExpectNoRows,
            rule=f"{kind}.one_a_learner",
            severity="info",
            owner=delivery.owner,
            words="A learner has one state of a counted requirement in a stage.",
            broken="{observed:learner has|learners have} several states of the same requirement: "
            "give them one "
            "record id, so that the newer replaces the older.",
            unexpected_rows_query="""
                select 1 from {batch} where requirement_type <> 'certificate' and n_done is not null
                group by programme_id, learner_pseudonym, requirement_id, stage_id
                having count(distinct record_key) > 1
            """,
        ),
    )
