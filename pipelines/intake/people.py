"""The people of a home, by the records that stand."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.home import Home
from pipelines.identity.people import Foldings, Registry
from pipelines.intake.present import present_links
from pipelines.intake.records import IntakeRecord, active_records


def known_people(
    home: Home, foldings: Foldings, records: Sequence[IntakeRecord] | None = None
) -> Registry:
    """Return the people whom committed deliveries name, linked by the rosters accepted at present.

    Args:
        home: whose log and vault.
        foldings: how the sources of each name space write ids.
        records: the intake records in force, where they were read already.
    """
    records = list(active_records(home)) if records is None else records
    committed = [record for record in records if record.status == "committed"]
    pairs = [(record.delivery_id, record.interpretation_id) for record in committed]
    return Registry(home, pairs, foldings, present_links(home, records))
