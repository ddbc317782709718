"""OneRoster CSV 1.1 and 1.2: a ZIP archive of tables with a manifest.

`pipelines.sources.standards.oneroster_rows` says which columns each table has.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

from pipelines.sources.readers.base import (
    Opener,
    ReaderOptions,
    Reading,
    Unreadable,
    Wanted,
    register,
)
from pipelines.sources.readers.parts import read_parts


class OneRosterOptions(ReaderOptions):
    """What is expected of a set."""

    mode: Literal["bulk", "delta"] | None = None
    """How its tables must be sent: a set of changes must not be taken for a full one.

    A set that sends some tables in full and others as changes is one of changes: what a full
    table of it lacks is not withdrawn.
    """
    manifest: Literal["required", "optional"] = "required"


@register("oneroster")
class OneRoster:
    """Reads sets of tables; a row that breaks the standard is refused alone."""

    name: ClassVar[str] = "oneroster"
    version: ClassVar[int] = 2
    options: ClassVar[type[ReaderOptions]] = OneRosterOptions
    suffixes: ClassVar[tuple[str, ...]] = ()
    has_parts: ClassVar[bool] = True

    @staticmethod
    def open(path: Path, options: OneRosterOptions, wanted: Wanted) -> Reading:
        """Read and judge a set."""
        facts, openers = _opened(path, options)
        return read_parts(facts, openers, wanted)

    @staticmethod
    def parts(path: Path, options: OneRosterOptions) -> dict[str, Opener]:
        """Return how each table is opened."""
        return _opened(path, options)[1]


def _opened(path: Path, options: OneRosterOptions) -> tuple[dict[str, Any], dict[str, Opener]]:
    from pipelines.sources.standards import oneroster_check, oneroster_package, oneroster_rows

    package = oneroster_package.read(path)
    judged = oneroster_check.judge(package)
    remarks = [
        remark
        for remark in judged.remarks
        if package.manifest is not None or options.manifest == "required" or not remark.is_error
    ]
    refusal = oneroster_rows.refusal(remarks)
    if refusal is not None:
        raise refusal
    other = [
        name
        for name in package.tables
        if options.mode is not None and (package.mode(name) or "bulk") != options.mode
    ]
    if other and (options.mode == "bulk" or len(other) == len(package.tables)):
        raise Unreadable(
            f"not_{options.mode}",
            f"The manifest does not send these tables as {options.mode}: {', '.join(other)}.",
            "Put sets of changes, and sets of which some tables are changes, into the folder of "
            "changes, and full sets into their own.",
        )
    facts = {
        "reader": OneRoster.name,
        "oneroster_version": package.version,
        "remarks": [remark.words for remark in judged.remarks],
    }
    return facts, oneroster_rows.openers(judged)
