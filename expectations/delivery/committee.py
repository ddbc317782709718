"""What deliveries of committees, decisions and actions promise."""

from __future__ import annotations

from expectations.delivery.model import Delivery, for_kind
from expectations.delivery.promises import distinct_texts, filled, suite
from expectations.no_rows import ExpectNoRows
from expectations.registry import Suite, promise


@for_kind("committee")
def committees(delivery: Delivery) -> Suite:
    """Return the promises of committees, their members and meetings."""
    kind = "committee"
    return suite(
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
    return suite(
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
    return suite(
        delivery,
        kind,
        filled(kind, "due_on", "when they are due", delivery.owner),
        distinct_texts(kind, "description", delivery.owner),
    )
