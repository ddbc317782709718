"""The withdrawal of a record by its own source."""

from __future__ import annotations

from typing import ClassVar

from pipelines.contracts.base import Record
from pipelines.contracts.fields import Identifier, Label, UtcTime


class Void(Record):
    """Says that the source withdraws the record `record_id` of kind `target_kind`.

    It may come before its target, and it names nobody.
    """

    kind: ClassVar[str] = "void"
    contract_version: ClassVar[int] = 1

    target_kind: Identifier
    reason: Label | None = None
    voided_at: UtcTime | None = None
