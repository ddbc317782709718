"""Named feeds: how a school's own files become records, by declaration."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.settings import Settings
    from pipelines.sources.spec import SourceSpec


def load_specs(settings: Settings) -> dict[str, SourceSpec]:
    """Return every source spec by its source id.

    Raises:
        SourceError: a spec or code list has faults; all of them are listed.
    """
    from pipelines.sources import catalogue

    return catalogue.load(settings).sources


def interpretation_id(spec: SourceSpec, settings: Settings) -> str:
    """Return the id of reading deliveries of a source under the present declarations and code."""
    from pipelines.sources import catalogue, interpretation

    return interpretation.interpretation_id(spec, catalogue.load(settings))
