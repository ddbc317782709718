"""dbt's parse of a project, kept beside it for every home.

It depends on the project's files, and on the name of the database, which stands in every relation.
dbt itself keeps a parse for each target folder and database path, so each new home would parse all
of the project again, which takes longer than to build a small cohort. And where files changed, dbt
parses those alone, and may keep what was taken out of them, such as a unit test: here a project of
which any file changed is parsed whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.home import WAREHOUSE, write_atomically
from pipelines.warehouse.dbt_project import dbt_versions, files_digest

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest
    from dbt_common.events.base_types import EventMsg

PARSED = "partial_parse.msgpack"
"""What dbt leaves of a parsed project in its target folder."""
WHOLE = "--no-partial-parse"
OF_DATABASE = "-of-"


def invoke_parsed(
    project: Path,
    target: Path,
    arguments: list[str],
    callbacks: Sequence[Callable[[EventMsg], None]] = (),
) -> dbtRunnerResult:
    """Run one dbt command without parsing the project where a parse of it is kept.

    Args:
        project: the folder of the project.
        target: the target folder that the arguments name.
        arguments: those of dbt's command line.
        callbacks: told every event of dbt.
    """
    from dbt.cli.main import dbtRunner

    kept = kept_parse(project)
    manifest = read_parse(kept) or read_parse(target / kept.name)
    parsing = [WHOLE] if manifest is None else []
    done = dbtRunner(manifest=manifest, callbacks=list(callbacks)).invoke([*arguments, *parsing])
    # Where dbt came to no result, the target folder may hold a parse of the files as they were.
    if manifest is None and done.exception is None:
        keep_parse(project, kept, target)
    return done


def is_parsed(project: Path, target: Path) -> bool:
    """Return whether a parse of the project is kept, as its files are now."""
    kept = kept_parse(project)
    return kept.exists() or (target / kept.name).exists()


def kept_parse(project: Path) -> Path:
    """Return where the parse of a project is kept, as its files are now.

    A warehouse of another name than that of a home (`TESSERA_WAREHOUSE`) has a parse of its own.
    Where nobody may write beside the project, it is kept under the same name in the target folder.
    """
    parsers = dbt_versions().replace(" ", "-")
    database = Path(os.environ.get("TESSERA_WAREHOUSE", WAREHOUSE)).stem
    files = files_digest(project)[:16]
    return project / "target" / f"parsed-{parsers}-{files}{OF_DATABASE}{database}.msgpack"


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

    Nothing is kept where the project was edited meanwhile.
    """
    made = target / PARSED
    if not made.exists() or kept_parse(project) != kept:
        return
    for place in (kept, target / kept.name):
        with suppress(OSError):
            write_atomically(place, made.read_bytes())
            of_database = place.name.rpartition(OF_DATABASE)[2]
            for other in place.parent.glob(f"parsed-*{OF_DATABASE}{of_database}"):
                if other != place:
                    other.unlink(missing_ok=True)
            return
