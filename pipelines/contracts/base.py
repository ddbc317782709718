"""What every contract has in common."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from pipelines.contracts.fields import Identifier, Version
from pipelines.contracts.rules import Rule


class Record(BaseModel):
    """One record of evidence or of what evidence hangs on, as a source states it.

    Subclasses set `kind` (the name used in `raw.<kind>`, `--kind` and source specs),
    `contract_version` (raised by one whenever a stored segment would no longer read the same)
    and `rules` between fields.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    kind: ClassVar[str]
    contract_version: ClassVar[int]
    rules: ClassVar[tuple[Rule, ...]] = ()

    programme_id: Identifier
    site_id: Identifier | None = None
    record_id: Identifier
    """The source's own id of the record: the same id again is a repeat or a new version."""
    source_version: Version | None = None

    @model_validator(mode="after")
    def _keep_rules(self) -> Self:
        for rule in self.rules:
            broken = rule.broken_by(self)
            if broken is not None:
                raise PydanticCustomError(
                    "record_rule",
                    "{message}",
                    {
                        "code": broken.code,
                        "field": broken.field,
                        "message": broken.message,
                        "suggestion": broken.suggestion,
                    },
                )
        return self
