"""What deliveries of evidence promise."""

from __future__ import annotations

import great_expectations.expectations as gxe

from expectations.delivery.model import SUITES, Delivery, for_kind
from expectations.delivery.promises import (
    ENOUGH,
    MAX_UNNAMED_SHARE,
    Levels,
    distinct_texts,
    in_code_list,
    kept_close,
    on_a_scale,
    rare,
    spread,
    suite,
)
from expectations.no_rows import ExpectNoRows
from expectations.registry import Suite, promise

MAX_FLAGGED_SHARE = 0.5
MAX_BLANK_SHARE = 0.9


@for_kind("workplace_assessment")
def workplace_assessments(delivery: Delivery) -> Suite:
    """Return the promises of workplace assessments."""
    kind, owner = "workplace_assessment", delivery.owner
    return suite(
        delivery,
        kind,
        in_code_list(kind, "instrument_id", "instrument", delivery.instruments, owner),
        on_a_scale(kind, Levels("scale_id", "scale_version", "level"), delivery),
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
        in_code_list(kind, "assessor_role", "assessor role", delivery.assessor_roles, owner),
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
        rare(
            kind, "is_flagged", MAX_FLAGGED_SHARE, "are flagged as a concern",
            "yes and no may be swapped", owner,
        ),
    )  # fmt: skip


@for_kind("exam_result")
def exam_results(delivery: Delivery) -> Suite:
    """Return the promises of exam results."""
    kind, owner = "exam_result", delivery.owner
    return suite(
        delivery,
        kind,
        in_code_list(kind, "instrument_id", "instrument", delivery.instruments, owner),
        spread(kind, "score", owner),
        rare(
            kind, "result_status <> 'scored'", MAX_BLANK_SHARE, "have no score",
            "the column of scores may be empty", owner, rule="scored",
        ),
    )  # fmt: skip


@for_kind("exam_response")
def exam_responses(delivery: Delivery) -> Suite:
    """Return the promises of answers to exam items."""
    kind, owner = "exam_response", delivery.owner
    return suite(
        delivery,
        kind,
        rare(
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
    return suite(
        delivery,
        kind,
        rare(
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
    return suite(delivery, "reflection", distinct_texts("reflection", "text", delivery.owner))


@for_kind("meeting_note")
def meeting_notes(delivery: Delivery) -> Suite:
    """Return the promises of notes of meetings."""
    return suite(delivery, "meeting_note", distinct_texts("meeting_note", "text", delivery.owner))


@for_kind("professionalism_report")
def professionalism_reports(delivery: Delivery) -> Suite:
    """Return the promises of reports on conduct and incidents."""
    kind = "professionalism_report"
    return suite(
        delivery,
        kind,
        kept_close(kind, delivery.owner),
        distinct_texts(kind, "description", delivery.owner),
    )


@for_kind("void")
def voids(delivery: Delivery) -> Suite:
    """Return the promises of withdrawals."""
    kind = "void"
    return suite(
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
