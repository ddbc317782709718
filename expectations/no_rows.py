"""The expectation that a query finds no rows, judged by one look at the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import great_expectations.expectations as gxe


class ExpectNoRows(gxe.UnexpectedRowsExpectation):
    """A query finds no rows: they are counted, and none is fetched.

    Great Expectations' own expectation runs its query twice, to count rows and to show some of
    them. Findings hold counts only, so the second run is left out.
    """

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.row_count",)

    def _validate(self, metrics: Mapping[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
        n_found = metrics["unexpected_rows_query.row_count"]
        return {"success": n_found == 0, "result": {"observed_value": n_found}}
