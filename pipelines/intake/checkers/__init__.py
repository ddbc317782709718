"""What `tessera check --kind` knows beside contracts and sources: checkers by name.

A checker is a module here, best of its own name, with a function under
`@register("name", "what it checks")`; it is found by itself. It takes the path of a file and the
options, and returns a `Check`: verdicts to be taken one by one, and facts for the summary.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from pipelines.intake.checkers.base import (
    CHECKERS,
    Check,
    Checker,
    CheckOptions,
    UnreadableError,
    Verdict,
    Written,
    register,
)

__all__ = [
    "Check",
    "CheckOptions",
    "Checker",
    "UnreadableError",
    "Verdict",
    "Written",
    "checker",
    "checkers",
    "register",
]


def checker(name: str) -> Checker | None:
    """Return a checker by its name, if there is one; the module of that name is looked at first."""
    if name not in CHECKERS and name in {info.name for info in pkgutil.iter_modules(__path__)}:
        importlib.import_module(f"{__name__}.{name}")
    return CHECKERS.get(name) or checkers().get(name)


@cache
def checkers() -> dict[str, Checker]:
    """Return every checker by its name."""
    for info in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{info.name}")
    return dict(sorted(CHECKERS.items()))
