"""What a site decides, and what follows from it."""

from __future__ import annotations

import pytest

from pipelines.settings import Settings


@pytest.mark.parametrize(
    ("given", "taken"),
    [("4GB", 1_000_000_000), ("1.5 GiB", 1_000_000_000), ("512MB", 512_000_000), ("64KiB", 65_536)],
)
def test_intake_takes_a_gigabyte_of_what_duckdb_may_take_and_no_more_than_that(
    given: str, taken: int
) -> None:
    assert Settings(memory_limit=given).intake_memory_limit == f"{taken}B"
