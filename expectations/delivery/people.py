"""What deliveries about people promise: rosters, stages, consent and circumstances."""

from __future__ import annotations

from expectations.delivery.model import Delivery, for_kind
from expectations.delivery.promises import (
    ENOUGH,
    filled,
    in_code_list,
    kept_close,
    one_record_each,
    suite,
)
from expectations.no_rows import ExpectNoRows
from expectations.registry import Suite, promise

MAX_DISTINCT_SHARE = 0.9


@for_kind("learner")
def learners(delivery: Delivery) -> Suite:
    """Return the promises of a roster of learners."""
    kind = "learner"
    return suite(
        delivery,
        kind,
        one_record_each(kind, "learner_pseudonym", "learners", delivery.owner),
        filled(kind, "cohort_id", "which cohort they belong to", delivery.owner),
    )


@for_kind("learner_stage")
def learner_stages(delivery: Delivery) -> Suite:
    """Return the promises of enrolments, stages, rotations and leave."""
    kind = "learner_stage"
    return suite(delivery, kind, filled(kind, "starts_on", "when they start", delivery.owner))


@for_kind("demographics")
def demographics(delivery: Delivery) -> Suite:
    """Return the promises of demographic attributes."""
    kind = "demographics"
    return suite(
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
                having count(*) >= {ENOUGH}
                and count(distinct value) > {MAX_DISTINCT_SHARE} * count(*)
            """,
        ),
    )


@for_kind("consent")
def consents(delivery: Delivery) -> Suite:
    """Return the promises of consents."""
    kind = "consent"
    return suite(
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


@for_kind("circumstance")
def circumstances(delivery: Delivery) -> Suite:
    """Return the promises of circumstances and adjustments."""
    kind = "circumstance"
    return suite(delivery, kind, kept_close(kind, delivery.owner))


@for_kind("assessor")
def assessors(delivery: Delivery) -> Suite:
    """Return the promises of a list of assessors."""
    kind = "assessor"
    return suite(
        delivery,
        kind,
        one_record_each(kind, "assessor_pseudonym", "assessors", delivery.owner),
        in_code_list(
            kind, "assessor_role", "assessor role", delivery.assessor_roles, delivery.owner
        ),
    )
