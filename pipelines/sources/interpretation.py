"""Under which version of spec, contracts and code lists a delivery is read."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import polars as pl

from pipelines.contracts import CONTRACTS
from pipelines.sources import mapping
from pipelines.sources.catalogue import Catalogue
from pipelines.sources.readers import READERS
from pipelines.sources.spec import SourceSpec

ID_LENGTH = 12
SNAPSHOTS_VERSION = 1
"""Raised whenever intake notes other things about a snapshot."""
RECORD_IDS_VERSION = 1
"""Raised whenever ids of records are stored otherwise."""
LOOKED_OVER_VERSION = 2
"""Raised whenever other fields are looked over for what points to a person."""
CONTENT_VERSION = 2
"""Raised whenever the same record would get another content hash: all must be hashed alike."""


def spec_version(spec: SourceSpec) -> str:
    """Return a short hash of what a spec says; comments and layout do not count."""
    return _hash(_content(spec))


def contract_versions(spec: SourceSpec) -> dict[str, int]:
    """Return the version of each contract that the spec's records are held to."""
    return {kind: CONTRACTS[kind].contract_version for kind in sorted(spec.kinds)}


def interpretation_id(spec: SourceSpec, catalogue: Catalogue) -> str:
    """Return the id of reading deliveries of a source under the present declarations and code."""
    return _hash(
        {
            "spec": _content(spec),
            "contracts": contract_versions(spec),
            "reader": [spec.reader.name, READERS[spec.reader.name].version],
            "mapping": mapping.VERSION,
            "snapshots": SNAPSHOTS_VERSION if spec.snapshot == "full" else None,
            "content": CONTENT_VERSION,
            "record_ids": RECORD_IDS_VERSION,
            "waits_for_roster": catalogue.waits_for_roster(spec),
            "identifiers": catalogue.codes["identifiers"].rows(),
            "looked_over": LOOKED_OVER_VERSION,
            "scales": _scales(spec, catalogue),
            "lookups": catalogue.lookups[spec.source],
            "refused_columns": catalogue.codes["refused_columns"].rows(),
            **_vocabularies(spec, catalogue),
        }
    )


def _content(spec: SourceSpec) -> Any:
    """Return what a spec says of its files; how they are pulled changes no reading."""
    return spec.model_dump(mode="json", exclude_defaults=True, exclude={"pull"})


def _scales(spec: SourceSpec, catalogue: Catalogue) -> list[Any]:
    used = sorted(
        {field.scale for record in spec.records for _, field in record.field_maps() if field.scale}
    )
    crosswalk = {
        "scales": ["scale_id", "scale_version", "level", "level_label"],
        "scale_labels": ["scale_id", "scale_version", "raw_label", "level"],
    }
    return [
        catalogue.codes[name].filter(pl.col("scale_id").is_in(used)).select(keep).rows()
        for name, keep in crosswalk.items()
    ]


def _vocabularies(spec: SourceSpec, catalogue: Catalogue) -> dict[str, Any]:
    """Return the outcomes that decisions may have, where the source sends decisions."""
    if "decision" not in spec.kinds:
        return {}
    outcomes = catalogue.codes["decision_outcomes"]
    return {"outcomes": outcomes.select("vocabulary_id", "outcome").rows()}


def _hash(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:ID_LENGTH]
