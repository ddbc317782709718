"""What a delivery promises as a whole, whatever kinds of record it holds."""

from __future__ import annotations

import great_expectations.expectations as gxe
from great_expectations.expectations.expectation import Expectation

from expectations.delivery.model import Delivery
from expectations.registry import Suite, promise
from pipelines.contracts.times import EVENT_TIMES
from pipelines.sql import literal, literal_list

MAX_REPEATED_SHARE = 0.2
MAX_NOTED_SHARE = 0.5
DEFAULT_MIN_ROWS = 1
DEFAULT_MAX_REFUSED_SHARE = 0.5


def whole(delivery: Delivery) -> Suite:
    """Return the promises of a delivery as a whole, over one row that sums it up.

    What its sender announced comes first: where a file is cut off, that is why it is held.
    """
    promises = _of_its_sender(delivery) + _of_every_delivery(delivery)
    return Suite("delivery", _summary(delivery), tuple(promises), is_summed_up=True)


def _of_its_sender(delivery: Delivery) -> list[Expectation]:
    """Return what only some promise: by a manifest, or by the spec of their source."""
    promises: list[Expectation] = []
    if delivery.manifest_rows is not None:
        promises.append(
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
    if delivery.max_age_days is not None:
        promises.append(
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
    return promises


def _of_every_delivery(delivery: Delivery) -> list[Expectation]:
    share = delivery.max_refused_share
    limit = DEFAULT_MAX_REFUSED_SHARE if share is None else share
    least = DEFAULT_MIN_ROWS if delivery.min_rows is None else delivery.min_rows
    most = f" and at most {delivery.max_rows:,}" if delivery.max_rows is not None else ""
    return [
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


def _summary(delivery: Delivery) -> str:
    """Return a query of one row: what the staged files hold, beside what was read."""
    events = " union all by name ".join(
        f"select record_key, content_hash, {_event_time(kind)} as event_at "
        f"from read_parquet({literal_list(paths)})"
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
            select count(*) as n from read_parquet({literal(delivery.refused)}) where is_first
        ),
        noted as (
            select count(distinct (kind, source_row, source_cell)) as n
            from read_parquet({literal(delivery.notes)})
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
