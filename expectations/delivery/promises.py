"""Promises that several kinds of record make, and what every kind promises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import great_expectations.expectations as gxe
from great_expectations.expectations.expectation import Expectation

from expectations.delivery.model import Delivery
from expectations.delivery.told import ROWS_TOLD, find, first_few, in_words
from expectations.no_rows import ExpectNoRows
from expectations.registry import Suite, promise
from pipelines.contracts.times import EVENT_TIMES
from pipelines.sql import literal, literal_list

ENOUGH = 30
"""Fewest records from which a distribution says something. Source: local choice."""
CLOCK_SLACK = timedelta(days=1)
"""How far clocks and time zones of a source may be off. Source: local choice."""
MAX_FUTURE_SHARE = 0.1
MAX_UNNAMED_SHARE = 0.5


def suite(delivery: Delivery, kind: str, *own: Expectation) -> Suite:
    """Return a suite over the accepted events of a kind, with what every kind promises."""
    files = literal_list(delivery.accepted[kind])
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


def in_code_list(
    kind: str, column: str, noun: str, known: tuple[str, ...], owner: str
) -> Expectation:
    """Promise that a column names only what the code list has."""
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
            f"({literal(scale_id)}, {literal(scale_version)}, {number})"
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


def on_a_scale(kind: str, levels: Levels, delivery: Delivery) -> Expectation:
    """Promise that every level stands on a scale of the code list."""
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


def _levels_unknown(kind: str, levels: Levels, delivery: Delivery) -> str:
    """Return the first levels that no scale has, and what their scales have, as words."""
    query = f"{levels.unknown(delivery)} order by all limit {ROWS_TOLD + 1}"
    unknown = find(query, delivery.accepted[kind])
    names = ("row", levels.scale, levels.version, levels.level)

    def say(*row: Any) -> str:
        given = zip(names, row, strict=True)
        return ", ".join(f"{name} {value}" for name, value in given if value is not None)

    scales = sorted({scale for _, scale, _, _ in unknown[:ROWS_TOLD]})
    known = [f"known of {scale}: {_levels_of(scale, delivery)}" for scale in scales]
    return f" ({in_words(first_few(unknown, say) + known)})"


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


def rare(
    kind: str,
    condition: str,
    limit: float,
    found: str,
    remedy: str,
    owner: str,
    rule: str | None = None,
) -> Expectation:
    """Promise that a condition holds for few of many records.

    Args:
        kind: the kind of record.
        condition: an SQL condition on one record.
        limit: the largest share for which it may hold.
        found: what is said of records for which it holds.
        remedy: what may be wrong where too many do.
        owner: who sees to it.
        rule: the name of the rule; the condition by default.
    """
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


def spread(kind: str, column: str, owner: str) -> Expectation:
    """Promise that those who took the same task do not all have one value."""
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


def distinct_texts(kind: str, column: str, owner: str) -> Expectation:
    """Promise that no single text fills most of the records."""
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


def one_record_each(kind: str, column: str, noun: str, owner: str) -> Expectation:
    """Promise that nobody has several records in one programme."""
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


def kept_close(kind: str, owner: str) -> Expectation:
    """Promise that not every record is for the widest circle to see."""
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


def filled(kind: str, column: str, what: str, owner: str) -> Expectation:
    """Promise that most records fill a column."""
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
