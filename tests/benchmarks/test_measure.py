from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks.measure import Contestant, RunFailedError, interleave, run


def program(code: str, label: str = "it", **options: object) -> Contestant:
    return Contestant(label, 1, [sys.executable, "-c", code], **options)  # type: ignore[arg-type]


def test_a_run_tells_its_memory_and_what_the_program_said_last() -> None:
    code = (
        "import json, time; held = b'x' * 120_000_000; time.sleep(1.5); "
        "print('first'); print(json.dumps({'stage_seconds': 0.25, 'name': 'x', 'ok': True}))"
    )
    found = run(program(code))
    assert found.told == {"stage_seconds": 0.25}
    assert found.peak_bytes > 100_000_000
    assert found.seconds > 0.3


def test_memory_of_children_counts() -> None:
    child = "held = b'x' * 120_000_000; import time; time.sleep(1.5)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    assert run(program(code)).peak_bytes > 100_000_000


def test_a_program_may_time_itself() -> None:
    found = run(program('print(\'{"fit": 7.5, "rows": 3}\')', timer="fit"))
    assert found.seconds == 7.5
    assert found.told == {"rows": 3.0}


def test_a_program_reads_its_file_from_standard_input(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("abc", encoding="utf-8")
    code = "import json, sys; print(json.dumps({'n': len(sys.stdin.read())}))"
    assert run(program(code, stdin=tmp_path / "in")).told == {"n": 3.0}


def test_a_program_that_fails_says_why() -> None:
    with pytest.raises(RunFailedError, match="ended with 3: too bad"):
        run(program("import sys; sys.stderr.write('too bad'); sys.exit(3)"))


def test_a_program_that_is_not_there_says_so() -> None:
    with pytest.raises(RunFailedError, match="No such file"):
        run(Contestant("it", 1, ["/nowhere/at/all"]))


def test_a_program_that_does_not_end_is_ended() -> None:
    with pytest.raises(RunFailedError, match="not done after"):
        run(program("import time; time.sleep(60)"), patience=0.3)


def test_contestants_take_turns_and_each_round_begins_with_another(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = f"open({str(log)!r}, 'a').write"
    figures = interleave({name: program(f"{code}({name!r})") for name in "abc"}, rounds=3)
    assert log.read_text(encoding="utf-8") == "abcbcacab"
    assert all(len(figure.seconds) == 3 for figure in figures.values())


def test_what_a_run_needs_is_made_ready_before_each(tmp_path: Path) -> None:
    made = tmp_path / "made"
    code = f"import os; os.remove({str(made)!r})"
    figures = interleave({"a": program(code, prepare=made.touch)}, rounds=2)
    assert figures["a"].is_measured


def test_a_rival_that_fails_has_no_figure_and_the_rest_is_measured() -> None:
    figures = interleave(
        {"ours": program("pass"), "rival": program("raise SystemExit(5)")}, rounds=2
    )
    assert figures["ours"].is_measured
    assert figures["rival"].seconds == ()
    assert figures["rival"].why_not == "ended with 5: "


def test_a_rival_that_is_missing_is_never_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    rival = program(f"open({str(ran)!r}, 'w')", why_not="it cannot be installed here")
    told: list[tuple[str, int]] = []
    figures = interleave(
        {"rival": rival, "ours": program("pass", "ours")}, 1, lambda *seen: told.append(seen)
    )
    assert not ran.exists()
    assert told == [("ours", 1)]
    assert figures["rival"].why_not == "it cannot be installed here"
    assert figures["rival"].rate is None


def test_details_are_medians_of_the_runs(tmp_path: Path) -> None:
    seen = tmp_path / "n"
    seen.write_text("0", encoding="utf-8")
    code = (
        "import json, pathlib; p = pathlib.Path(" + repr(str(seen)) + "); n = int(p.read_text()); "
        "p.write_text(str(n + 1)); print(json.dumps({'read_seconds': [5, 1, 3][n]}))"
    )
    figures = interleave({"a": program(code)}, rounds=3)
    assert json.loads(figures["a"].model_dump_json())["details"] == {"read_seconds": 3.0}
