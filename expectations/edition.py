"""What a candidate edition promises before anybody may read it: one function a suite.

Tests of single models stand in the dbt project; these promises are about the edition as a whole,
and the gate that publication goes through.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import great_expectations.expectations as gxe

from expectations.no_rows import ExpectNoRows
from expectations.registry import Suite, promise

UNIT = "assessment_unit"
ENGINEER = "data_engineer"

STATUSES = ("not_enough_evidence", "needs_discussion", "developing", "on_track",
            "at_or_above_target")  # fmt: skip
NAME_COLUMNS = (
    "(.*_)?((given|family|first|middle|last|maiden|full|sur)_?name|e_?mail|phone|address|birth.*"
    "|(learner|assessor|mentor|examiner|member|person)_(name|id|pseudonym))s?|names?"
)
"""What a column that names a person is called."""
SMALLEST_CELL = 5
"""Fewest people that a count may show. Source: local choice."""
MAX_LOST_SHARE = 0.1
"""How much of what was delivered may vanish from one edition to the next. Source: local choice."""
MAX_LOST_ROWS = 10
"""So many rows may vanish from any mart: a small one loses much by little. Source: local choice."""
DELIVERED = "(starts_with(mart, 'fct_') or mart = 'dim_learner')"
"""Marts that hold what was delivered; what is judged of it, such as signals, comes and goes."""


@dataclass(frozen=True)
class Candidate:
    """What is known of a candidate edition.

    Attributes:
        marts: the schema that holds its marts, as it is written in SQL.
        database: the name that its database is attached under.
        schema: the name of that schema alone.
        counts: rows of each mart of the last edition; empty where there is none to compare with.
    """

    marts: str = "candidate.main"
    database: str = "candidate"
    schema: str = "main"
    counts: dict[str, int] = field(default_factory=dict)


SUITES: list[Callable[[Candidate], Suite]] = []
"""Every suite of an edition."""


def suite(maker: Callable[[Candidate], Suite]) -> Callable[[Candidate], Suite]:
    """Register a suite."""
    SUITES.append(maker)
    return maker


def suites(candidate: Candidate) -> list[Suite]:
    """Return the suites that a candidate is held to."""
    made = (maker(candidate) for maker in SUITES)
    return [item for item in made if item.expectations]


@suite
def ledger(candidate: Candidate) -> Suite:
    """Return the promises of the ledger."""
    return Suite(
        "ledger",
        f"""
            select
                *,
                rows_read - (accepted + duplicate + superseded + voided + quarantined) as missing
            from {candidate.marts}.programme_delivery
        """,
        (
            promise(
                gxe.ExpectColumnValuesToBeInSet,
                rule="edition.ledger_balances",
                severity="critical",
                owner=ENGINEER,
                words="In every delivery the outcomes of its records sum to the records read.",
                broken="In {unexpected} of {n:delivery|deliveries} the outcomes do not sum to "
                "the records read: something was lost or counted twice.",
                column="missing",
                value_set=[0],
            ),
            promise(
                gxe.ExpectColumnValuesToNotBeInSet,
                rule="edition.nothing_held",
                severity="info",
                owner=UNIT,
                words="No delivery is held or unreadable.",
                broken="{unexpected} of {n:delivery|deliveries} {unexpected:|is|are} held or "
                "unreadable, so "
                "{unexpected:|its|their} records are not in this edition.",
                column="status",
                value_set=["held", "unreadable"],
            ),
        ),
    )


@suite
def privacy(candidate: Candidate) -> Suite:
    """Return the promises about what an edition must not show."""
    return Suite(
        "privacy",
        f"""
            select table_name, column_name from duckdb_columns()
            where database_name = '{candidate.database}' and schema_name = '{candidate.schema}'
        """,
        (
            promise(
                ExpectNoRows,
                rule="edition.no_names",
                severity="critical",
                owner=ENGINEER,
                words="No mart has a column for names, addresses or a source's own ids of people.",
                broken="{observed:column|columns} of the marts {observed:|is|are} called like a "
                "person's name, address "
                "or id: persons are keys outside the vault.",
                unexpected_rows_query=f"""
                    select 1 from {{batch}}
                    where regexp_full_match(lower(column_name), '{NAME_COLUMNS}')
                """,
            ),
        ),
    )


@suite
def small_cells(candidate: Candidate) -> Suite:
    """Return the promises about counts of few people."""
    return Suite(
        "small cells",
        f"select * from {candidate.marts}.programme_demographic_count",
        (
            promise(
                gxe.ExpectColumnValuesToBeBetween,
                rule="edition.small_cells_hidden",
                severity="critical",
                owner=ENGINEER,
                words=f"No count of fewer than {SMALLEST_CELL} people is shown.",
                broken="{unexpected} of {n:count|counts} of a demographic group "
                "{unexpected:|is|are} of too "
                "few people.",
                column="n_learners_at_least",
                min_value=SMALLEST_CELL,
            ),
        ),
    )


@suite
def learners(candidate: Candidate) -> Suite:
    """Return the promises of the list of learners."""
    return Suite(
        "learners",
        f"select * from {candidate.marts}.dim_learner",
        (
            promise(
                gxe.ExpectTableRowCountToBeBetween,
                rule="edition.has_learners",
                severity="critical",
                owner=ENGINEER,
                words="The edition has learners.",
                broken="The edition has {observed:learner|learners}.",
                min_value=1,
            ),
            promise(
                ExpectNoRows,
                rule="edition.learner_once",
                severity="critical",
                owner=ENGINEER,
                words="A learner stands once in each programme.",
                broken="{observed:learner stands|learners stand} several times in a programme.",
                unexpected_rows_query="""
                    select 1 from {batch} group by learner_key, programme_id having count(*) > 1
                """,
            ),
        ),
    )


@suite
def evidence(candidate: Candidate) -> Suite:
    """Return the promises of the evidence."""
    return Suite(
        "evidence",
        f"""
            select evidence.*, learner.learner_key is not null as has_learner
            from {candidate.marts}.fct_evidence as evidence
            left join (select distinct learner_key from {candidate.marts}.dim_learner) as learner
            on evidence.learner_key = learner.learner_key
        """,
        (
            promise(
                gxe.ExpectColumnValuesToBeInSet,
                rule="edition.evidence_has_learner",
                severity="critical",
                owner=ENGINEER,
                words="Every data point belongs to a learner of the edition.",
                broken="{unexpected} of {n:data point|data points} {unexpected:|belongs|belong} "
                "to no learner of the edition.",
                column="has_learner",
                value_set=[True],
            ),
            promise(
                ExpectNoRows,
                rule="edition.evidence_once",
                severity="critical",
                owner=ENGINEER,
                words="A record stands once for each competency.",
                broken="{observed:record stands|records stand} several times for the same "
                "competency.",
                unexpected_rows_query="""
                    select 1 from {batch} group by record_key, competency_id having count(*) > 1
                """,
            ),
        ),
    )


@suite
def statuses(candidate: Candidate) -> Suite:
    """Return the promises of the statuses."""
    return Suite(
        "statuses",
        f"select * from {candidate.marts}.portfolio_competency_status",
        (
            promise(
                gxe.ExpectColumnValuesToBeInSet,
                rule="edition.status_vocabulary",
                severity="critical",
                owner=ENGINEER,
                words=f"A status is one of {', '.join(STATUSES)}.",
                broken="{unexpected} of {n:status|statuses} {unexpected:|is|are} none of those "
                "that people know.",
                column="status",
                value_set=list(STATUSES),
            ),
            promise(
                ExpectNoRows,
                rule="edition.status_needs_evidence",
                severity="critical",
                owner=ENGINEER,
                words="No status above `not_enough_evidence` rests on fewer data points, assessors "
                "or methods than its rule set demands.",
                broken="{observed:status rests|statuses rest} on less evidence than "
                "{observed:|its|their} rule set demands.",
                unexpected_rows_query="""
                    select 1 from {batch}
                    where status <> 'not_enough_evidence' and (
                        n_data_points < required_data_points
                        or n_assessors < required_assessors
                        or n_methods < required_methods
                    )
                """,
            ),
            promise(
                ExpectNoRows,
                rule="edition.status_explained",
                severity="critical",
                owner=ENGINEER,
                words="Every status gives its reason and the version of its rules.",
                broken="{observed:status gives|statuses give} no reason, or not the version of "
                "{observed:|its|their} rules.",
                unexpected_rows_query="""
                    select 1 from {batch}
                    where coalesce(trim(status_reason), '') = '' or rule_version is null
                """,
            ),
            promise(
                ExpectNoRows,
                rule="edition.status_once",
                severity="critical",
                owner=ENGINEER,
                words="A learner has one status for each stage, competency and rule set.",
                broken="{observed:time|times} a learner has several statuses for the same "
                "competency.",
                unexpected_rows_query="""
                    select 1 from {batch}
                    group by learner_key, programme_id, stage_id, competency_id, rule_set_id
                    having count(*) > 1
                """,
            ),
            promise(
                ExpectNoRows,
                rule="edition.status_evidence_exists",
                severity="critical",
                owner=ENGINEER,
                words="Every data point that a status names is in the edition.",
                broken="{observed:data point|data points} that statuses name {observed:|is|are} "
                "not in the edition.",
                unexpected_rows_query=f"""
                    select distinct named.evidence_id from (
                        select unnest(evidence_ids) as evidence_id
                        from (select distinct evidence_ids from {{batch}})
                    ) as named
                    where not exists (
                        select 1 from {candidate.marts}.fct_evidence as evidence
                        where evidence.evidence_id = named.evidence_id
                    )
                """,
            ),
        ),
    )  # fmt: skip


@suite
def signals(candidate: Candidate) -> Suite:
    """Return the promises of the signals."""
    return Suite(
        "signals",
        f"select * from {candidate.marts}.portfolio_signal",
        (
            promise(
                ExpectNoRows,
                rule="edition.signal_explained",
                severity="critical",
                owner=ENGINEER,
                words="Every signal has a sentence, the version of its rule and an owner.",
                broken="{observed:signal lacks|signals lack} a sentence, the version of "
                "{observed:|its|their} rule or an owner.",
                unexpected_rows_query="""
                    select 1 from {batch}
                    where coalesce(trim(sentence), '') = ''
                    or rule_version is null or owner_role is null
                """,
            ),
            promise(
                ExpectNoRows,
                rule="edition.signal_evidence_exists",
                severity="critical",
                owner=ENGINEER,
                words="Every data point that a signal names is in the edition.",
                broken="{observed:data point|data points} that signals name {observed:|is|are} "
                "not in the edition.",
                unexpected_rows_query=f"""
                    select 1 from (
                        select distinct unnest(evidence_ids) as evidence_id from {{batch}}
                    ) as named
                    where not exists (
                        select 1 from (
                            select evidence_id from {candidate.marts}.fct_evidence
                            union all
                            select 'E-' || upper(left(record_key, 12)) as evidence_id
                            from {candidate.marts}.fct_ai_declaration
                        ) as evidence
                        where evidence.evidence_id = named.evidence_id
                    )
                """,
            ),
        ),
    )  # fmt: skip


@suite
def agenda(candidate: Candidate) -> Suite:
    """Return the promises of the committee's agenda."""
    return Suite(
        "agenda",
        f"""
            select learner.learner_key, agenda.n_entries
            from {candidate.marts}.dim_learner as learner
            full join (
                select learner_key, programme_id, count(*) as n_entries
                from {candidate.marts}.committee_agenda group by all
            ) as agenda
            on learner.learner_key = agenda.learner_key
            and learner.programme_id = agenda.programme_id
            where coalesce(learner.enrolment_status, 'active') = 'active' or agenda.n_entries > 1
        """,
        (
            promise(
                gxe.ExpectColumnValuesToNotBeNull,
                rule="edition.agenda_covers_active",
                severity="critical",
                owner=ENGINEER,
                words="Every active learner is on the agenda.",
                broken="{unexpected} of {n:active learner|active learners} {unexpected:|is|are} "
                "not on the agenda.",
                column="n_entries",
            ),
            promise(
                gxe.ExpectColumnValuesToBeInSet,
                rule="edition.agenda_once",
                severity="critical",
                owner=ENGINEER,
                words="No learner is on the agenda twice.",
                broken="{unexpected} of {n:learner|learners} {unexpected:|is|are} on the agenda "
                "several times.",
                column="n_entries",
                value_set=[1],
            ),
            promise(
                gxe.ExpectColumnValuesToNotBeNull,
                rule="edition.agenda_knows_learners",
                severity="critical",
                owner=ENGINEER,
                words="Everybody on the agenda is a learner of the edition.",
                broken="{unexpected} of {n:entry|entries} of the agenda "
                "{unexpected:|is of an unknown learner|are of unknown learners}.",
                column="learner_key",
            ),
        ),
    )  # fmt: skip


@suite
def history(candidate: Candidate) -> Suite:
    """Return the promises against the last edition."""
    counts = " union all ".join(
        f"select '{mart}' as mart, {before} as before, "
        f"(select count(*) from {candidate.marts}.{mart}) as now"
        for mart, before in sorted(candidate.counts.items())
    )
    limit = f"{MAX_LOST_SHARE:.0%}"
    return Suite(
        "history",
        counts,
        (
            promise(
                ExpectNoRows,
                rule="edition.no_great_loss",
                severity="critical",
                owner=ENGINEER,
                words=f"No mart of what was delivered lost more than {limit} of its rows since "
                "the last edition.",
                broken=f"{{observed:mart|marts}} of what was delivered lost more than {limit} of "
                "{observed:|its|their} rows since the last edition.",
                unexpected_rows_query=f"""
                    select mart from {{batch}}
                    where {DELIVERED}
                    and now < (1 - {MAX_LOST_SHARE}) * before and now < before - {MAX_LOST_ROWS}
                """,
            ),
            promise(
                ExpectNoRows,
                rule="edition.no_small_loss",
                severity="info",
                owner=UNIT,
                words="No mart lost rows since the last edition.",
                broken="{observed:mart has|marts have} fewer rows than in the last edition.",
                unexpected_rows_query="select mart from {batch} where now < before",
            ),
        )
        if counts
        else (),
    )
