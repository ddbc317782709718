"""Lets the embedded Airflow find the link also where the package was installed before it had one.

Airflow looks a plugin up by the entry points that were written at installation, and in a folder. It
takes each plugin once, by its name.
"""

from __future__ import annotations

from pipelines.triggers.plugin import TesseraPlugin

__all__ = ["TesseraPlugin"]
