"""What errors of other libraries say, as far as it is passed on to people."""

from __future__ import annotations


def first_line(error: object) -> str:
    """Return the first line of what an error says; nothing where it says nothing."""
    return (str(error).strip().splitlines() or [""])[0]
