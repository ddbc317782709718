"""Files of tests that take long begin first, so that at the end no process waits for another.

The order counts where two files use one thing that is made once (`tests/once.py`): the first of
them makes it, and the others come when it is there.
"""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
LONGEST = (
    "dags/test_embedded.py",
    "dbt/test_breakers.py",  # makes the example school of dbt's tests
    "synth/test_pipeline.py",  # makes the school that went through the whole pipeline
    "warehouse/test_histories.py",
    "integration/test_roles_end_to_end.py",
    "real/test_real_data.py",
    "dbt/test_kept.py",
    "warehouse/test_dry_run.py",
    "intake/test_erasure.py",
    "browser/test_accessibility.py",
    "browser/test_pack_in_a_browser.py",
    "integration/test_add_an_instrument.py",
    "warehouse/test_workbench.py",
    "warehouse/test_build.py",
    "real/test_fun_mooc.py",
    "integration/test_kills.py",
    "integration/test_standards.py",
    "intake/test_any_order.py",
    "sources/lrs/test_ralph.py",
    "measurement/test_components.py",
    "integration/test_explained.py",
)
"""Those that take more than twenty seconds, by how long."""


def first(items: list[pytest.Item]) -> None:
    """Put what takes long in front; all else keeps its order."""
    places = {TESTS / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))
