"""dbt's parse of a project, kept beside it for every home: it depends on the project's files alone.

dbt itself keeps a parse for each target folder and database path, so each new home would parse all
of the project again, which takes longer than to build a small cohort.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.home import write_atomically

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

PARSED = "partial_parse.msgpack"
"""What dbt leaves of a parsed project in its target folder."""
MADE_BY_DBT = frozenset({"target", "logs", ".user.yml"})
PARSERS = ("dbt-core", "dbt-duckdb")


def kept_parse(project: Path) -> Path:
    """Return where the parse of a project is kept, as its files are now."""
    digest = hashlib.sha256()
    for parser in PARSERS:
        digest.update(f"{parser} {version(parser)}\n".encode())
    for path in sorted(project.rglob("*")):
        inside = path.relative_to(project)
        if inside.parts[0] not in MADE_BY_DBT and path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{inside.as_posix()} {content}\n".encode())
    return project / "target" / f"parsed-{digest.hexdigest()[:16]}.msgpack"


def read_parse(kept: Path) -> Manifest | None:
    """Return the parse that is kept, or nothing where there is none that can be read."""
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    if not kept.exists():
        return None
    try:
        manifest = Manifest.from_msgpack(kept.read_bytes(), decoder=extended_mashumuro_decoder)
    except Exception:  # whatever a damaged file raises, parsing anew mends it
        kept.unlink(missing_ok=True)
        return None
    manifest.metadata.generated_at = datetime.now(UTC).replace(tzinfo=None)
    manifest.build_flat_graph()  # type: ignore[no-untyped-call]
    return manifest


def keep_parse(project: Path, kept: Path, target: Path) -> None:
    """Keep what dbt has just parsed in a target folder, in place of earlier parses.

    Nothing is kept where the project was edited meanwhile or its folder may not be written.
    """
    made = target / PARSED
    if not made.exists() or kept_parse(project) != kept:
        return
    with suppress(OSError):
        write_atomically(kept, made.read_bytes())
        for other in kept.parent.glob("parsed-*.msgpack"):
            if other != kept:
                other.unlink(missing_ok=True)
