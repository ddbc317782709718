"""dbt's command line on the shipped project, without parsing it where a parse of it is kept."""

from __future__ import annotations

import sys
from pathlib import Path

from dbt.cli.main import dbtRunner

from pipelines.warehouse.dbt_project import project_folder
from pipelines.warehouse.parsed_project import keep_parse, kept_parse, read_parse


def main(arguments: list[str]) -> int:
    """Run one dbt command, which names its target folder, and return the exit code."""
    project = project_folder()
    target = Path(arguments[arguments.index("--target-path") + 1])
    kept = kept_parse(project)
    manifest = read_parse(kept)
    done = dbtRunner(manifest=manifest).invoke(arguments)
    if manifest is None:
        keep_parse(project, kept, target)
    if done.exception is not None:
        sys.exit(str(done.exception))
    return 0 if done.success else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
