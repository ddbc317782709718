"""From the columns of a source to the fields of contracts, as a spec declares."""

VERSION = 1
"""Raised whenever the same rows and the same spec would give other records."""
