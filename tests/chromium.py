"""The browser of tests, which not every machine has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.committee.picture import chromium


def playwright_or_skip() -> Any:
    """Return Playwright's module; where it or Chromium is missing, the test skips and says why."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not Path(chromium()).exists():
        pytest.skip(f"no Chromium at {chromium()}: install the Debian package chromium")
    return playwright
