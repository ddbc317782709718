"""How processes of ours end: at once, and without words from libraries."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress


def end_at_once() -> None:
    """Let everything go as it is: searching a million objects for garbage would take a second."""
    gc.freeze()
    end_quietly()


def end_quietly() -> None:
    """Let nothing be printed after Python itself has ended.

    What keeps DuckDB's types alive to the very end, such as cycles between modules that Great
    Expectations imports, or that nothing is searched for garbage, makes DuckDB's binding (2.0) list
    them on standard error as leaks.
    """
    with suppress(OSError, ValueError):
        sys.stderr.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
