"""What is wrong with a file that people write: where, what, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path


@dataclass(frozen=True)
class Fault:
    """One mistake in a spec or a code list."""

    file: Path
    line: int | None
    field: str
    message: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{place}: {self.field}: {self.message}. {self.remedy}"


class SourceError(Exception):
    """Specs or code lists cannot be used; `faults` lists every reason."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(
            set(faults), key=lambda f: (str(f.file), f.line or 0, f.field, f.message)
        )
        super().__init__("\n".join(map(str, self.faults)))


def known(names: Iterable[str], wanted: str = "") -> str:
    """Return a remedy that lists what exists, the nearest names first."""
    listed = sorted(names)
    near = get_close_matches(wanted, listed, n=3, cutoff=0.6)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return f"Known: {', '.join(listed) or 'none'}."
