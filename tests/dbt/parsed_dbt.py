"""dbt's command line on the shipped project, without parsing it where a parse of it is kept."""

from __future__ import annotations

import sys
from pathlib import Path

from pipelines.warehouse.dbt_project import project_folder
from pipelines.warehouse.parsed_project import invoke_parsed


def main(arguments: list[str]) -> int:
    """Run one dbt command, which names its target folder, and return the exit code."""
    target = Path(arguments[arguments.index("--target-path") + 1])
    done = invoke_parsed(project_folder(), target, arguments)
    if done.exception is not None:
        sys.exit(str(done.exception))
    return 0 if done.success else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
