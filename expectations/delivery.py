"""What a delivery promises: one suite on the delivery as a whole, and one for each kind of record.

Rules of single records stand in the contracts and are not repeated here; these are promises that
only show when records are seen together. Limits that a source spec declares come with the
`Delivery`; the others are local choices, written beside the rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import great_expectations.expectations as gxe
from great_expectations.expectations.expectation import Expectation

from expectations.no_rows import ExpectNoRows
from expectations.registry import Suite, promise
from pipelines.contracts.times import EVENT_TIMES

ENOUGH = 30
"""Fewest records from which a distribution says something. Source: local choice."""
CLOCK_SLACK = timedelta(days=1)
"""How far clocks and time zones of a source may be off. Source: local choice."""
MAX_FUTURE_SHARE = 0.1
MAX_UNKNOWN_SHARE = 0.5
MAX_REPEATED_SHARE = 0.2
MAX_NOTED_SHARE = 0.5
MAX_FLAGGED_SHARE = 0.5
MAX_BLANK_SHARE = 0.9
MAX_UNNAMED_SHARE = 0.5
ROWS_TOLD = 5
"""So many rows of a file are told; the rest are found from there."""


@dataclass(frozen=True)
class Delivery:
    """What is known of a delivery before its records are looked at.

    Attributes:
        owner: who works the exceptions of its source.
        known_at: when it arrived.
        source_rows: rows in the file.
        rows_read: records that reading made of them.
        accepted: the staged files of accepted events of each kind.
        refused: the staged file of refused records.
        notes: the staged file of oddities.
        scale_levels: the known levels as (scale, version, level).
        instruments: the known instruments.
        assessor_roles: the known roles.
        min_rows: the fewest rows that the source promises.
        max_rows: the most.
        max_refused_share: the largest share of records that may be refused.
        max_age_days: how old the newest event may be on arrival; None where not promised.
        manifest_rows: rows that the sender announced; None where nothing was.
    """

    owner: str
    known_at: datetime
    source_rows: int
    rows_read: int
    accepted: dict[str, tuple[Path, ...]]
    refused: Path
    notes: Path
    scale_levels: tuple[tuple[str, str, int], ...] = ()
    instruments: tuple[str, ...] = ()
    assessor_roles: tuple[str, ...] = ()
    min_rows: int | None = None
    max_rows: int | None = None
    max_refused_share: float | None = None
    max_age_days: int | None = None
    manifest_rows: int | None = None


DEFAULT_MIN_ROWS = 1
DEFAULT_MAX_REFUSED_SHARE = 0.5

SUITES: dict[str, Callable[[Delivery], Suite]] = {}
"""The suite of each kind of record, by its kind."""


def for_kind(kind: str) -> Callable[[Callable[[Delivery], Suite]], Callable[[Delivery], Suite]]:
    """Register the suite of a kind."""

    def register(maker: Callable[[Delivery], Suite]) -> Callable[[Delivery], Suite]:
        SUITES[kind] = maker
        return maker

    return register


def suites(delivery: Delivery) -> list[Suite]:
    """Return every suite that a delivery is held to."""
    return [whole(delivery), *(SUITES[kind](delivery) for kind in sorted(delivery.accepted))]


def whole(delivery: Delivery) -> Suite:
    """Return the promises of a delivery as a whole, over one row that sums it up."""
    share = delivery.max_refused_share
    limit = DEFAULT_MAX_REFUSED_SHARE if share is None else share
    least = DEFAULT_MIN_ROWS if delivery.min_rows is None else delivery.min_rows
    most = f" and at most {delivery.max_rows:,}" if delivery.max_rows is not None else ""
    expectations = [
        promise(
            gxe.ExpectColumnMaxToBeBetween,
            rule="delivery.volume",
            severity="critical",
            owner=delivery.owner,
            words=f"The delivery has at least {least:,}{most} rows.",
            broken=f"The delivery has {{observed:row|rows}}; at least {least:,}{most} are "
            f"expected.",
            column="source_rows",
            min_value=least,
            max_value=delivery.max_rows,
        ),
        promise(
            gxe.ExpectColumnMaxToBeBetween,
            rule="delivery.refused_share",
            severity="critical",
            owner=delivery.owner,
            words=f"At most {limit:.0%} of the records are refused.",
            broken=f"A share of {{observed}} of the records is refused; at most {limit} is "
            "expected: the layout of the file may have changed.",
            column="refused_share",
            max_value=limit,
        ),
        promise(
            gxe.ExpectColumnMaxToBeBetween,
            rule="delivery.balance",
            severity="critical",
            owner=delivery.owner,
            words="Accepted and refused records sum to the records read.",
            broken="Accepted and refused records differ from the records read by {observed}.",
            column="unaccounted",
            min_value=0,
            max_value=0,
        ),
        promise(
            gxe.ExpectColumnMaxToBeBetween,
            rule="delivery.repeated_share",
            severity="warning",
            owner=delivery.owner,
            words=f"At most {MAX_REPEATED_SHARE:.0%} of the records repeat another one of the "
            "same delivery.",
            broken="A share of {observed} of the records repeats another one of this delivery.",
            column="repeated_share",
            max_value=MAX_REPEATED_SHARE,
        ),
        promise(
            gxe.ExpectColumnMaxToBeBetween,
            rule="delivery.noted_share",
            severity="info",
            owner=delivery.owner,
            words=f"At most {MAX_NOTED_SHARE:.0%} of the records have an oddity that was noted.",
            broken="A share of {observed} of the records has an oddity that was noted.",
            column="noted_share",
            max_value=MAX_NOTED_SHARE,
        ),
    ]
    if delivery.max_age_days is not None:
        expectations.append(
            promise(
                gxe.ExpectColumnMaxToBeBetween,
                rule="delivery.freshness",
                severity="critical",
                owner=delivery.owner,
                words="The newest event is at most "
                f"{delivery.max_age_days:,} days older than the delivery.",
                broken="The newest event is {observed:day|days} older than the delivery; at most "
                f"{delivery.max_age_days:,} are expected: an old export may have been sent again.",
                column="age_days",
                max_value=delivery.max_age_days,
            )
        )
    if delivery.manifest_rows is not None:
        expectations.append(
            promise(
                gxe.ExpectColumnMaxToBeBetween,
                rule="delivery.manifest_rows",
                severity="critical",
                owner=delivery.owner,
                words=f"The file has the {delivery.manifest_rows:,} rows that its manifest "
                "announces.",
                broken=f"The manifest announces {delivery.manifest_rows:,} rows, the file has "
                "{observed}: it may be cut off, or a quote may swallow lines.",
                column="source_rows",
                min_value=delivery.manifest_rows,
                max_value=delivery.manifest_rows,
            )
        )
    return Suite("delivery", _summary(delivery), tuple(expectations), is_summed_up=True)


@for_kind("workplace_assessment")
def workplace_assessments(delivery: Delivery) -> Suite:
    """Return the promises of workplace assessments."""
    kind, owner = "workplace_assessment", delivery.owner
    return _suite(
        delivery,
        kind,
        _known(kind, "instrument_id", "instrument", delivery.instruments, owner),
        _known_levels(kind, Levels("scale_id", "scale_version", "level"), delivery),
        promise(
            gxe.ExpectColumnValuesToNotBeNull,
            rule=f"{kind}.assessor_named",
            severity="info",
            owner=owner,
            words="Most ratings say who gave them.",
            broken="{unexpected} of {n:rating|ratings} {unexpected:|does|do} not say who gave "
            "{unexpected:|it, so it|them, so they} cannot count towards the number of assessors.",
            column="assessor_pseudonym",
            mostly=1 - MAX_UNNAMED_SHARE,
        ),
        _known(kind, "assessor_role", "assessor role", delivery.assessor_roles, owner),
        promise(
            ExpectNoRows,
            rule=f"{kind}.levels_spread",
            severity="warning",
            owner=owner,
            words=f"Where a scale is used {ENOUGH} times or more, more than one level occurs.",
            broken="{observed:scale has|scales have} the same level on every form: a column may "
            "be mapped "
            "wrongly.",
            unexpected_rows_query=f"""
                select scale_id from {{batch}} where level is not null
                group by scale_id having count(*) >= {ENOUGH} and count(distinct level) = 1
            """,
        ),
        _rare(
            kind, "is_flagged", MAX_FLAGGED_SHARE, "are flagged as a concern",
            "yes and no may be swapped", owner,
        ),
    )  # fmt: skip


@for_kind("exam_result")
def exam_results(delivery: Delivery) -> Suite:
    """Return the promises of exam results."""
    kind, owner = "exam_result", delivery.owner
    return _suite(
        delivery,
        kind,
        _known(kind, "instrument_id", "instrument", delivery.instruments, owner),
        _spread(kind, "score", owner),
        _rare(
            kind, "result_status <> 'scored'", MAX_BLANK_SHARE, "have no score",
            "the column of scores may be empty", owner, rule="scored",
        ),
    )  # fmt: skip


@for_kind("exam_response")
def exam_responses(delivery: Delivery) -> Suite:
    """Return the promises of answers to exam items."""
    kind, owner = "exam_response", delivery.owner
    return _suite(
        delivery,
        kind,
        _rare(
            kind, "response_status in ('omitted', 'not_presented')", MAX_BLANK_SHARE, "are blank",
            "the columns of answers may be empty", owner, rule="answered",
        ),
        promise(
            ExpectNoRows,
            rule=f"{kind}.answers_spread",
            severity="warning",
            owner=owner,
            words=f"Where an item was answered {ENOUGH} times or more, answers differ.",
            broken="{observed:item was|items were} answered alike by everybody.",
            unexpected_rows_query=f"""
                select item_id from {{batch}} group by task_id, sitting_id, item_id
                having count(*) >= {ENOUGH}
                and count(distinct (response, response_status, score)) = 1
            """,
        ),
    )  # fmt: skip


@for_kind("ai_use_declaration")
def ai_use_declarations(delivery: Delivery) -> Suite:
    """Return the promises of declarations of AI use."""
    kind, owner = "ai_use_declaration", delivery.owner
    return _suite(
        delivery,
        kind,
        _rare(
            kind, "status = 'not_declared'", MAX_BLANK_SHARE, "declare nothing",
            "the export may have been made before the form closed", owner, rule="declared",
        ),
        promise(
            ExpectNoRows,
            rule=f"{kind}.one_a_submission",
            severity="info",
            owner=owner,
            words="A learner declares once for a submission, unless the declaration is amended.",
            broken="{observed:submission has|submissions have} several declarations that amend "
            "none.",
            unexpected_rows_query="""
                select 1 from {batch}
                where submission_id is not null and amends_record_id is null
                group by learner_pseudonym, task_id, submission_id
                having count(distinct record_id) > 1
            """,
        ),
    )  # fmt: skip


@for_kind("reflection")
def reflections(delivery: Delivery) -> Suite:
    """Return the promises of reflections, goals and disputes."""
    return _suite(delivery, "reflection", _distinct_texts("reflection", "text", delivery.owner))


@for_kind("meeting_note")
def meeting_notes(delivery: Delivery) -> Suite:
    """Return the promises of notes of meetings."""
    return _suite(delivery, "meeting_note", _distinct_texts("meeting_note", "text", delivery.owner))


@for_kind("learner")
def learners(delivery: Delivery) -> Suite:
    """Return the promises of a roster of learners."""
    kind = "learner"
    return _suite(
        delivery,
        kind,
        _one_record_each(kind, "learner_pseudonym", "learners", delivery.owner),
        _filled(kind, "cohort_id", "which cohort they belong to", delivery.owner),
    )


@for_kind("learner_stage")
def learner_stages(delivery: Delivery) -> Suite:
    """Return the promises of enrolments, stages, rotations and leave."""
    kind = "learner_stage"
    return _suite(delivery, kind, _filled(kind, "starts_on", "when they start", delivery.owner))


@for_kind("demographics")
def demographics(delivery: Delivery) -> Suite:
    """Return the promises of demographic attributes."""
    kind = "demographics"
    return _suite(
        delivery,
        kind,
        promise(
            ExpectNoRows,
            rule=f"{kind}.groups",
            severity="warning",
            owner=delivery.owner,
            words=f"Where an attribute is stated {ENOUGH} times or more, its values form groups.",
            broken="{observed:attribute has|attributes have} a value of its own for nearly "
            "everybody: "
            "{observed:|it may be an identifier|they may be identifiers}.",
            unexpected_rows_query=f"""
                select attribute from {{batch}} group by attribute
                having count(*) >= {ENOUGH} and count(distinct value) > 0.9 * count(*)
            """,
        ),
    )


@for_kind("consent")
def consents(delivery: Delivery) -> Suite:
    """Return the promises of consents."""
    kind = "consent"
    return _suite(
        delivery,
        kind,
        promise(
            ExpectNoRows,
            rule=f"{kind}.one_at_a_time",
            severity="critical",
            owner=delivery.owner,
            words="At one instant, a learner's consent to a purpose is given or withdrawn.",
            broken="{observed:consent is|consents are} given and withdrawn at the same instant.",
            unexpected_rows_query="""
                select purpose from {batch} group by learner_pseudonym, purpose, effective_at
                having count(distinct status) > 1
            """,
        ),
    )


@for_kind("assessor")
def assessors(delivery: Delivery) -> Suite:
    """Return the promises of a list of assessors."""
    kind = "assessor"
    return _suite(
        delivery,
        kind,
        _one_record_each(kind, "assessor_pseudonym", "assessors", delivery.owner),
        _known(kind, "assessor_role", "assessor role", delivery.assessor_roles, delivery.owner),
    )


@for_kind("task")
def tasks(delivery: Delivery) -> Suite:
    """Return the promises of a list of tasks."""
    kind = "task"
    return _suite(
        delivery,
        kind,
        _known(kind, "instrument_id", "instrument", delivery.instruments, delivery.owner),
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
        days = f"{_day(from_on, 'the beginning')} to {_day(to_on, 'the end')}"
        return f"task {task_id}, rows {first} and {second}, {days}"

    return _in_words(_few(_found(OVERLAP + "order by all", accepted), say))


def _found(query: str, accepted: tuple[Path, ...]) -> list[tuple[Any, ...]]:
    """Return what a promise finds in a delivered file, to tell of it in words."""
    with duckdb.connect() as con:
        return con.execute(
            query.format(batch="read_parquet($paths)"),
            {"paths": [str(path) for path in accepted]},
        ).fetchall()


def _few(found: Sequence[tuple[Any, ...]], say: Callable[..., str]) -> list[str]:
    """Return the first few that were found in words, and that there are more."""
    more = ["and more"] if len(found) > ROWS_TOLD else []
    return [say(*row) for row in found[:ROWS_TOLD]] + more


def _in_words(told: Iterable[str]) -> str:
    """Return what was found as words for `str.format`."""
    return "; ".join(told).replace("{", "{{").replace("}", "}}")


def _day(day: date, unbounded: str) -> str:
    return unbounded if day in (date.min, date.max) else day.isoformat()


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
    rows = sorted({row for (row,) in _found(CIRCLE, accepted)})
    told = ", ".join(str(row) for row in rows[:ROWS_TOLD])
    return f"rows {told}{' and more' if len(rows) > ROWS_TOLD else ''} of the file"


@for_kind("framework")
def frameworks(delivery: Delivery) -> Suite:
    """Return the promises of a competency framework."""
    kind = "framework"
    return _suite(
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


@for_kind("assessment_plan")
def assessment_plans(delivery: Delivery) -> Suite:
    """Return the promises of an assessment plan."""
    kind = "assessment_plan"
    levels = Levels("target_scale_id", "target_scale_version", "target_level")
    return _suite(
        delivery,
        kind,
        _known(kind, "instrument_id", "instrument", delivery.instruments, delivery.owner),
        _known_levels(kind, levels, delivery),
    )


@for_kind("committee")
def committees(delivery: Delivery) -> Suite:
    """Return the promises of committees, their members and meetings."""
    kind = "committee"
    return _suite(
        delivery,
        kind,
        promise(
            ExpectNoRows,
            rule=f"{kind}.quorum_reachable",
            severity="warning",
            owner=delivery.owner,
            words="No meeting needs more members than its committee lists.",
            broken="{observed:meeting needs|meetings need} more members than the committee lists.",
            unexpected_rows_query="""
                select meeting.meeting_id from (select * from {batch}) as meeting
                where meeting.entry_type = 'meeting' and meeting.quorum > (
                    select count(distinct member.member_pseudonym)
                    from (select * from {batch}) as member
                    where member.entry_type = 'member'
                    and member.committee_id = meeting.committee_id
                )
                and exists (
                    select 1 from (select * from {batch}) as member
                    where member.entry_type = 'member'
                    and member.committee_id = meeting.committee_id
                )
            """,
        ),
        promise(
            ExpectNoRows,
            rule=f"{kind}.attendance_of_members",
            severity="warning",
            owner=delivery.owner,
            words="Only listed members come to a meeting of a committee whose members are listed.",
            broken="{observed:person|people} came to meetings of a committee that does not list "
            "them.",
            unexpected_rows_query="""
                select came.record_key from (select * from {batch}) as came
                where came.entry_type = 'attendance'
                and exists (
                    select 1 from (select * from {batch}) as member
                    where member.entry_type = 'member'
                    and member.committee_id = came.committee_id
                )
                and not exists (
                    select 1 from (select * from {batch}) as member
                    where member.entry_type = 'member'
                    and member.committee_id = came.committee_id
                    and member.member_pseudonym = came.member_pseudonym
                )
            """,
        ),
    )


@for_kind("decision")
def decisions(delivery: Delivery) -> Suite:
    """Return the promises of decisions."""
    kind = "decision"
    return _suite(
        delivery,
        kind,
        promise(
            ExpectNoRows,
            rule=f"{kind}.made_by_people",
            severity="critical",
            owner=delivery.owner,
            words="Every decision names at least one person who made it and was not recused.",
            broken="{observed:decision names|decisions name} nobody who made them and was not "
            "recused.",
            unexpected_rows_query="""
                select record_id from {batch}
                where len(list_filter(
                    coalesce(decided_by_pseudonyms, []),
                    lambda person: not list_contains(coalesce(recused_pseudonyms, []), person)
                )) = 0
            """,
        ),
    )


@for_kind("action")
def actions(delivery: Delivery) -> Suite:
    """Return the promises of agreed actions."""
    kind = "action"
    return _suite(
        delivery,
        kind,
        _filled(kind, "due_on", "when they are due", delivery.owner),
        _distinct_texts(kind, "description", delivery.owner),
    )


@for_kind("circumstance")
def circumstances(delivery: Delivery) -> Suite:
    """Return the promises of circumstances and adjustments."""
    kind = "circumstance"
    return _suite(delivery, kind, _kept_close(kind, delivery.owner))


@for_kind("requirement")
def requirements(delivery: Delivery) -> Suite:
    """Return the promises of mandatory requirements."""
    kind = "requirement"
    return _suite(
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


@for_kind("professionalism_report")
def professionalism_reports(delivery: Delivery) -> Suite:
    """Return the promises of reports on conduct and incidents."""
    kind = "professionalism_report"
    return _suite(
        delivery,
        kind,
        _kept_close(kind, delivery.owner),
        _distinct_texts(kind, "description", delivery.owner),
    )


@for_kind("void")
def voids(delivery: Delivery) -> Suite:
    """Return the promises of withdrawals."""
    kind = "void"
    return _suite(
        delivery,
        kind,
        promise(
            gxe.ExpectColumnValuesToBeInSet,
            rule=f"{kind}.kinds_known",
            severity="critical",
            owner=delivery.owner,
            words="Only records of known kinds are withdrawn.",
            broken="{unexpected} of {n:withdrawal|withdrawals} {unexpected:|names|name} a kind of "
            "record that does not exist.",
            column="target_kind",
            value_set=sorted(SUITES),
        ),
    )


def _suite(delivery: Delivery, kind: str, *own: Expectation) -> Suite:
    """Return a suite over the accepted events of a kind, with what every kind promises."""
    files = _listed(delivery.accepted[kind])
    time = EVENT_TIMES.get(kind)
    if time is None:
        return Suite(kind, f"select * from read_parquet({files})", own)
    limit = (delivery.known_at + CLOCK_SLACK).isoformat()
    after = f"coalesce(cast({time} as timestamptz) > timestamptz '{limit}', false)"
    query = f"select *, {after} as is_after_arrival from read_parquet({files})"
    common = (
        promise(
            ExpectNoRows,
            rule=f"{kind}.not_in_future",
            severity="warning",
            owner=delivery.owner,
            words="Nothing took place after the delivery arrived.",
            broken="{observed:record tells|records tell} of something that took place after "
            "{observed:|it|they} arrived.",
            unexpected_rows_query="select record_key from {batch} where is_after_arrival",
        ),
        promise(
            gxe.ExpectColumnValuesToBeInSet,
            rule=f"{kind}.dates_plausible",
            severity="critical",
            owner=delivery.owner,
            words=f"At most {MAX_FUTURE_SHARE:.0%} of the records lie after the delivery.",
            broken="{unexpected} of {n:record|records} {unexpected:|tells|tell} of something "
            "that took place after {unexpected:|it|they} arrived: day and month may be swapped.",
            column="is_after_arrival",
            value_set=[False],
            mostly=1 - MAX_FUTURE_SHARE,
        ),
    )
    return Suite(kind, query, common + own)


def _known(kind: str, column: str, noun: str, known: tuple[str, ...], owner: str) -> Expectation:
    return promise(
        gxe.ExpectColumnValuesToBeInSet,
        rule=f"{kind}.{column.removesuffix('_id')}_known",
        severity="warning",
        owner=owner,
        words=f"Every {noun} stands in the code list.",
        broken=f"{{unexpected}} of {{n:record|records}} {{unexpected:|names|name}} an {noun} "
        "that the code list does not have.",
        column=column,
        value_set=list(known),
    )


@dataclass(frozen=True)
class Levels:
    """The columns of a kind that hold a level, its scale and the version of it."""

    scale: str
    version: str
    level: str

    def unknown(self, delivery: Delivery) -> str:
        """Return a query for the records whose level no scale of the code list has."""
        known = ", ".join(
            f"({_literal(scale_id)}, {_literal(scale_version)}, {number})"
            for scale_id, scale_version, number in delivery.scale_levels
        )
        return f"""
            with
            used as (
                select distinct {self.scale} as s, {self.version} as v, {self.level} as n
                from {{batch}}
                where {self.level} is not null
            ),
            unknown as (
                select * from used where not exists (
                    select 1 from (values {known or "(null, null, null)"}) as known (s, v, n)
                    where
                        known.s = used.s
                        and known.n = used.n
                        and coalesce(used.v, known.v) = known.v
                )
            )
            select
                record.source_row, record.{self.scale}, record.{self.version}, record.{self.level}
            from (select * from {{batch}}) as record
            where exists (
                select 1 from unknown
                where
                    unknown.s is not distinct from record.{self.scale}
                    and unknown.v is not distinct from record.{self.version}
                    and unknown.n = record.{self.level}
            )
        """


def _levels_unknown(kind: str, levels: Levels, delivery: Delivery) -> str:
    """Return the first levels that no scale has, and what their scales have, as words."""
    query = f"{levels.unknown(delivery)} order by all limit {ROWS_TOLD + 1}"
    found = _found(query, delivery.accepted[kind])
    names = ("row", levels.scale, levels.version, levels.level)

    def say(*row: Any) -> str:
        given = zip(names, row, strict=True)
        return ", ".join(f"{name} {value}" for name, value in given if value is not None)

    scales = sorted({scale for _, scale, _, _ in found[:ROWS_TOLD]})
    known = [f"known of {scale}: {_levels_of(scale, delivery)}" for scale in scales]
    return f" ({_in_words(_few(found, say) + known)})"


def _levels_of(scale_id: str, delivery: Delivery) -> str:
    versions: dict[str, list[int]] = {}
    for known, version, level in delivery.scale_levels:
        if known == scale_id:
            versions.setdefault(version, []).append(level)
    told = [
        f"version {version} with levels {', '.join(map(str, sorted(levels)))}"
        for version, levels in sorted(versions.items())
    ]
    return " and ".join(told) or "nothing"


def _known_levels(kind: str, levels: Levels, delivery: Delivery) -> Expectation:
    return promise(
        ExpectNoRows,
        rule=f"{kind}.level_known",
        severity="critical",
        owner=delivery.owner,
        words="Every level stands on a scale of the code list.",
        broken="{observed:record has|records have} a level that no scale of the code list has"
        f"{_levels_unknown(kind, levels, delivery)}: add the scale to codes/scales.csv, or "
        "correct the mapping.",
        unexpected_rows_query=levels.unknown(delivery),
    )


def _rare(
    kind: str,
    condition: str,
    limit: float,
    found: str,
    remedy: str,
    owner: str,
    rule: str | None = None,
) -> Expectation:
    return promise(
        ExpectNoRows,
        rule=f"{kind}.{rule or condition}",
        severity="warning",
        owner=owner,
        words=f"Of {ENOUGH} records or more, at most {limit:.0%} {found}.",
        broken=f"More than {limit:.0%} of the records {found}: {remedy}.",
        unexpected_rows_query=f"""
            select 1 from {{batch}} having count(*) >= {ENOUGH}
            and count(*) filter (where {condition}) > {limit} * count(*)
        """,
    )


def _spread(kind: str, column: str, owner: str) -> Expectation:
    return promise(
        ExpectNoRows,
        rule=f"{kind}.{column}s_spread",
        severity="warning",
        owner=owner,
        words=f"Where {ENOUGH} took the same task or more, {column}s differ.",
        broken=f"{{observed:task has|tasks have}} the same {column} for everybody.",
        unexpected_rows_query=f"""
            select task_id from {{batch}} where {column} is not null
            group by task_id, sitting_id, instrument_id
            having count(*) >= {ENOUGH} and count(distinct {column}) = 1
        """,
    )


def _distinct_texts(kind: str, column: str, owner: str) -> Expectation:
    return promise(
        ExpectNoRows,
        rule=f"{kind}.texts_differ",
        severity="info",
        owner=owner,
        words=f"Of {ENOUGH} records or more, at most half hold the same text.",
        broken="One text stands in more than half of the records: it may be a template.",
        unexpected_rows_query=f"""
            select 1 from (
                select count(*) as n, sum(count(*)) over () as total
                from {{batch}} where {column} is not null group by {column}
            ) where total >= {ENOUGH} and n > total / 2
        """,
    )


def _one_record_each(kind: str, column: str, noun: str, owner: str) -> Expectation:
    return promise(
        ExpectNoRows,
        rule=f"{kind}.one_record_each",
        severity="warning",
        owner=owner,
        words=f"Each of the {noun} has one record a programme.",
        broken=f"{{observed:{noun[:-1]} has|{noun} have}} several records: the same id may stand "
        f"for "
        "two people.",
        unexpected_rows_query=f"""
            select 1 from {{batch}} group by programme_id, {column}
            having count(distinct record_key) > 1
        """,
    )


def _kept_close(kind: str, owner: str) -> Expectation:
    return promise(
        ExpectNoRows,
        rule=f"{kind}.kept_close",
        severity="warning",
        owner=owner,
        words=f"Of {ENOUGH} records or more, not all are for the widest circle to see.",
        broken="Every record may be seen by the widest circle: need_to_know may be mapped wrongly.",
        unexpected_rows_query=f"""
            select 1 from {{batch}} having count(*) >= {ENOUGH}
            and count(*) filter (where need_to_know <> 'mentor') = 0
        """,
    )


def _filled(kind: str, column: str, what: str, owner: str) -> Expectation:
    return promise(
        gxe.ExpectColumnValuesToNotBeNull,
        rule=f"{kind}.{column}_filled",
        severity="info",
        owner=owner,
        words=f"Most records say {what}.",
        broken=f"{{unexpected}} of {{n:record|records}} {{unexpected:|does|do}} not say {what}.",
        column=column,
        mostly=1 - MAX_UNNAMED_SHARE,
    )


def _summary(delivery: Delivery) -> str:
    """Return a query of one row: what the staged files hold, beside what was read."""
    events = " union all by name ".join(
        f"select record_key, content_hash, {_event_time(kind)} as event_at "
        f"from read_parquet({_listed(paths)})"
        for kind, paths in sorted(delivery.accepted.items())
    )
    nothing = (
        "select null::varchar as record_key, null::varchar as content_hash, "
        "null::timestamptz as event_at where false"
    )
    known_at = f"timestamptz '{delivery.known_at.isoformat()}'"
    return f"""
        with
        events as ({events or nothing}),
        accepted as (
            select
                count(*) as n,
                count(distinct hash(record_key, content_hash)) as n_distinct,
                max(event_at) as newest
            from events
        ),
        refused as (
            select count(*) as n from read_parquet({_literal(str(delivery.refused))}) where is_first
        ),
        noted as (
            select count(distinct (kind, source_row, source_cell)) as n
            from read_parquet({_literal(str(delivery.notes))})
        )
        select
            {delivery.source_rows} as source_rows,
            abs({delivery.rows_read} - accepted.n - refused.n) as unaccounted,
            refused.n / greatest({delivery.rows_read}, 1) as refused_share,
            (accepted.n - accepted.n_distinct) / greatest(accepted.n, 1) as repeated_share,
            noted.n / greatest({delivery.rows_read}, 1) as noted_share,
            coalesce(epoch({known_at} - newest) / 86400, 0) as age_days
        from accepted, refused, noted
    """


def _event_time(kind: str) -> str:
    time = EVENT_TIMES.get(kind)
    return f"cast({time} as timestamptz)" if time else "null::timestamptz"


def _listed(paths: tuple[Path, ...]) -> str:
    return f"[{', '.join(_literal(str(path)) for path in paths)}]"


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
