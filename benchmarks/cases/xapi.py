"""xAPI: a verdict on every statement of a file, beside plain JSON and Ralph's `validate`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks import environments, homes
from benchmarks.figures import Case
from benchmarks.machine import versions
from benchmarks.measure import Contestant, interleave
from benchmarks.registry import Measured, NotYetError, Options

SIZES = (100_000,)
LONG = (1_000_000,)
RIVAL_SIZE = 20_000
RIVAL = ["ralph-malph[cli]==5.1.0"]
UNKNOWN_KIND = 2


def measure(options: Options) -> Measured:
    """Measure every size.

    Raises:
        NotYetError: `tessera check` knows no xAPI statements yet.
    """
    data = options.cache / "data"
    _refuse_unknown(statements(data / "xapi-1.jsonl", 1))
    version, why_not, command = "", None, [""]
    try:
        made = environments.environment(options.cache, "ralph", RIVAL)
        version = made.versions["ralph-malph"]
        command = [str(made.script("ralph")), "-v", "ERROR", "validate", "-f", "xapi", "-I"]
    except environments.MissingRivalError as error:
        why_not = str(error)
    cases = []
    for size in options.chosen(SIZES, LONG):
        n_rival = min(size, RIVAL_SIZE)
        file = statements(data / f"xapi-{size}.jsonl", size)
        figures = interleave(
            {
                "ours": Contestant(
                    "Tessera",
                    size,
                    homes.tessera("check", "--kind", "xapi", file),
                    environment=homes.environment(),
                ),
                "floor": Contestant(
                    "json of Python",
                    size,
                    [sys.executable, "-m", "benchmarks.rivals.json_only", str(file)],
                    environment=homes.environment(),
                ),
                "rival": Contestant(
                    "Ralph",
                    n_rival,
                    command,
                    stdin=statements(data / f"xapi-{n_rival}.jsonl", n_rival),
                    version=version,
                    why_not=why_not,
                ),
            },
            options.runs,
            options.observer,
        )
        cases.append(Case(name="valid statements", size=size, unit="statement", **figures))
    return Measured(
        cases=tuple(cases),
        settings={
            "statements_of_the_rival": RIVAL_SIZE,
            "timed": "the whole process, from its start to its end",
        },
        versions=versions("pydantic") | ({"ralph-malph": version} if version else {}),
    )


def statements(path: Path, n: int) -> Path:
    """Write statements of a kind that Ralph knows too: a page was left."""
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    with temporary.open("w", encoding="utf-8") as file:
        for number in range(n):
            file.write(json.dumps(_statement(number)) + "\n")
    return temporary.replace(path)


def _statement(number: int) -> dict[str, object]:
    minute, hour, day = number % 60, number // 60 % 24, number // 1_440 % 28 + 1
    return {
        "id": f"7f6b2c1e-0d4a-4b5c-8e9f-{number:012x}",
        "actor": {
            "objectType": "Agent",
            "account": {"homePage": "https://lms.example.org", "name": f"s{number % 700:06d}"},
        },
        "verb": {
            "id": "http://adlnet.gov/expapi/verbs/terminated",
            "display": {"en-US": "terminated"},
        },
        "object": {
            "objectType": "Activity",
            "id": f"https://lms.example.org/courses/clinical/pages/{number % 4_000}",
            "definition": {
                "type": "http://activitystrea.ms/schema/1.0/page",
                "name": {"en-US": f"Ward round, part {number % 4_000}"},
            },
        },
        "context": {
            "contextActivities": {
                "parent": [{"id": "https://lms.example.org/courses/clinical"}],
            },
            "platform": "lms.example.org",
            "language": "en-US",
        },
        "timestamp": f"2025-03-{day:02d}T{hour:02d}:{minute:02d}:00.000Z",
        "version": "1.0.3",
    }


def _refuse_unknown(file: Path) -> None:
    command = homes.tessera("check", "--kind", "xapi", "--json", file)
    environment = os.environ | homes.environment()
    tried = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if tried.returncode == UNKNOWN_KIND:
        raise NotYetError("`tessera check --kind xapi` does not exist in this version")
