"""What measurement says when the data cannot carry a number."""

from __future__ import annotations


class UnmeasurableError(ValueError):
    """The data cannot carry the estimate; the message says why, in words for people."""
