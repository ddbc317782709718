"""The real parts of Airflow, from a file to a released pack, with a task killed on the way.

All of it happens to one Airflow, which takes half a minute to start and to end; the last test
cleans its database.
"""

from __future__ import annotations

import csv
import json
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipelines.committee import freeze
from pipelines.committee.edition import find
from pipelines.committee.picture import FLAGS, chromium
from pipelines.committee.queries import read
from pipelines.committee.release import Release, releases
from pipelines.embedded_airflow.api import Api, ApiError
from pipelines.embedded_airflow.environment import environment, passwords, working_folder
from pipelines.embedded_airflow.parts import Parts, running
from pipelines.home import Home
from pipelines.synth.cohort import make
from pipelines.synth.request import Request
from tests.chromium import playwright_or_skip

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 420
TASK_PROCESS = re.compile(r"airflow worker -- [0-9a-f-]{36}$")
"""What Airflow calls the process that runs one task."""


MADE = "made"
FEW_LEARNERS = 12
WAITS_SECONDS = 15
"""How long a pack waits for an answer here."""
ANSWERED_AGAIN = 2
ASKED = ("awaiting_input", "success")
WORDS = {
    "rationale": "Canary of the rationale.",
    "dissent": "Canary of the dissent.",
    "action_1": "Canary of an action.",
}
CLEAN = (
    "db", "clean", "--dag-ids", "decision", "--tables", "dag_run,task_instance_history,log",
    "--skip-archive", "--yes",
)  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home.open(tmp_path_factory.mktemp("embedded") / "home")
    make(Request(learners=FEW_LEARNERS), home.root / MADE, tmp_path_factory.mktemp("truth"))
    return home


@pytest.fixture(scope="module")
def site(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site that says whose account the chair's is."""
    (path,) = (home.root / MADE / "example_committee").glob("*.csv")
    with path.open(encoding="utf-8", newline="") as file:
        chair = next(row["Staff ID"] for row in csv.DictReader(file) if row["Role"] == "chair")
    folder = tmp_path_factory.mktemp("site")
    (folder / "codes").mkdir()
    (folder / "codes" / "airflow_user.csv").write_text(
        f"airflow_user,identity,source\na.muster,example_person:{chair},committee office\n",
        encoding="utf-8",
    )
    return folder


@pytest.fixture(scope="module")
def parts(home: Home, site: Path) -> Iterator[Parts]:
    quickly = {"AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "1"}
    quickly["TESSERA_RELEASE_DAYS"] = str(WAITS_SECONDS / 86_400)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TESSERA_SITE", str(site))
        with running(home, port=0, overrides=quickly) as parts:
            yield parts
    assert at_work(home) == []


def test_a_dropped_file_becomes_an_edition_although_its_build_was_killed(
    home: Home, parts: Parts
) -> None:
    drop_at_once(home)

    wait(parts, lambda: state_of(parts, "portfolio", "build") == "running")
    kill_running_task(parts)
    wait(parts, lambda: ended(parts, "portfolio"))

    (intake, *_), (portfolio, *_) = runs(parts, "intake"), runs(parts, "portfolio")
    assert intake["run_type"] == "asset_triggered"
    assert intake["state"] == "success"
    assert portfolio["run_type"] == "asset_triggered"
    assert portfolio["state"] == "success"
    tries = {task["task_id"]: task["try_number"] for task in tasks(parts, "portfolio")}
    assert tries["build"] == 2
    assert tries["load"] == tries["audit"] == tries["publish"] == tries["pack"] == 1
    assert (home.editions / "current" / "edition.json").exists()
    assert (home.packs / "current" / "index.html").exists()


def test_the_portfolio_reports_under_the_run_that_intake_began(home: Home, parts: Parts) -> None:
    (run,) = home.runs.iterdir()
    stages = {file.stem.split("-")[0] for file in run.glob("*.json")}
    assert {"receive", "read", "validate", "check", "segment"} <= stages
    assert {"load", "calibrate", "build", "audit", "publish", "pack"} <= stages


def test_a_second_run_finds_nothing_new_and_publishes_nothing(home: Home, parts: Parts) -> None:
    before = sorted(home.editions.iterdir())
    body = {"dag_run_id": "again", "logical_date": None}
    parts.api.post("dags", "intake", "dagRuns", body=body)
    wait(parts, lambda: len(runs(parts, "portfolio")) == 2 and ended(parts, "portfolio"))
    assert state_of(parts, "portfolio", "has_news") == "success"
    assert state_of(parts, "portfolio", "build") == "skipped"
    assert sorted(home.editions.iterdir()) == before


def test_a_pack_is_released_by_a_member_who_votes_and_by_nobody_else(
    home: Home, parts: Parts
) -> None:
    learners = read(find(home, None), sections=("learners",)).learners
    meeting = next(str(row["meeting_id"]) for row in learners if row["meeting_id"])
    shared = answered(home, parts, meeting, "tessera", "Approve")
    assert not shared.is_released
    assert "stands for no single person" in shared.because
    silent = answered(home, parts, meeting, None, "")
    assert (silent.is_released, silent.answer.account) == (False, None)
    assert "silence is a refusal" in silent.because
    released = answered(home, parts, meeting, "a.muster", "Approve")
    assert released.is_released
    assert (released.answer.account, released.member_role) == ("a.muster", "chair")
    frozen = freeze.frozen_pack(home, meeting)
    assert releases(home, frozen)[-1] == released
    assert freeze.reprint(home, frozen)


def test_the_menu_has_a_link_to_the_pages_that_are_served(parts: Parts) -> None:
    (plugin,) = (p for p in parts.api.get("plugins")["plugins"] if p["name"] == "tessera")
    (view,) = plugin["external_views"]
    assert (view["name"], view["href"], view["category"]) == (
        "Committee pack", "http://127.0.0.1:8765/", "browse",
    )  # fmt: skip
    with signed_in(parts, "a.muster") as page:
        page.get_by_text("Browse").first.click()
        link = page.get_by_role("menuitem", name="Committee pack")
        assert link.get_attribute("href") == view["href"]
        page.goto(f"http://127.0.0.1:{parts.port}/dags/decision")
        page.get_by_role("button", name="Trigger").first.click()
        page.get_by_role("dialog").get_by_role("combobox").first.click()
        assert page.get_by_text("local_1: targeted support", exact=False).count()


def test_a_decision_is_sent_with_a_form_by_one_person_and_lies_in_the_inbox(
    home: Home, parts: Parts
) -> None:
    source = find(home, None)
    learner = next(r for r in read(source, sections=("learners",)).learners if r["meeting_id"])
    form = {
        "learner": learner["learner_key"],
        "outcome": "local_1: targeted support",
        "rationale": "Sent with a form.",
        "decided_at": f"{source.edition.as_of}T12:00:00+00:00",
        "action_1": "Three observed handovers",
        "owner_1": "mentor",
    }
    assert sent(parts, "tessera", form) == ("failed", 1)
    assert not list((home.inbox / "committee_decisions").glob("FORM-*"))
    assert sent(parts, "a.muster", form) == ("success", 1)
    (delivered,) = (home.inbox / "committee_decisions").glob("FORM-*.jsonl")
    assert form["rationale"] in delivered.read_text(encoding="utf-8")


def test_words_of_a_decision_stand_in_the_run_alone_and_go_with_it(parts: Parts) -> None:
    form = {
        "learner": "L-4F7K2QXA3M",
        "outcome": "local_1: targeted support",
        "decided_at": "2026-11-28T15:00:00+01:00",
    }
    body = {"dag_run_id": "canary", "logical_date": None, "conf": form | WORDS}
    parts.api.post("dags", "decision", "dagRuns", body=body)
    wait(parts, lambda: parts.api.get("dags", "decision", "dagRuns", "canary")["state"] == "failed")
    for words in WORDS.values():
        assert tables_that_hold(parts.home, words) == {"dag_run"}
    assert "log" in tables_that_hold(parts.home, form["learner"])
    logs = [path for path in parts.home.airflow.rglob("*.log") if b"Canary" in path.read_bytes()]
    assert logs == []

    done = subprocess.run(
        [sys.executable, "-m", "airflow", *CLEAN, "--clean-before-timestamp", "2100-01-01"],
        env=environment(parts.home, parts.port),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for told in (*WORDS.values(), form["learner"]):
        assert tables_that_hold(parts.home, told) == set()


def tables_that_hold(home: Home, text: str) -> set[str]:
    """Return the tables of Airflow's database in which a text stands, in whatever column."""
    with sqlite3.connect(f"file:{home.airflow / 'airflow.db'}?mode=ro", uri=True) as con:
        tables = con.execute("select name from sqlite_master where type = 'table'").fetchall()
        return {
            table
            for (table,) in tables
            for row in con.execute(f'select * from "{table}"')
            if any(text in _text(value) for value in row)
        }


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def sent(parts: Parts, account: str, form: dict[str, str]) -> tuple[str, int]:
    """Send the form as somebody; return how its run ended, and after how many tries."""
    run_id = f"decision-{account}"
    body = {"dag_run_id": run_id, "logical_date": None, "conf": form}
    interface(parts, account).post("dags", "decision", "dagRuns", body=body)
    wait(parts, lambda: ended(parts, "decision"))
    (task,) = tasks(parts, "decision")
    return runs(parts, "decision")[0]["state"], task["try_number"]


def interface(parts: Parts, account: str) -> Api:
    """Return Airflow as somebody reaches it."""
    password = json.loads(passwords(parts.home).read_text(encoding="utf-8"))[account]
    return Api(parts.port, account, password)


@contextmanager
def signed_in(parts: Parts, account: str) -> Iterator[Any]:
    """Open Airflow's pages in Chromium as somebody; without one this skips and says why."""
    playwright = playwright_or_skip()
    password = json.loads(passwords(parts.home).read_text(encoding="utf-8"))[account]
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        page = opened.new_page(viewport={"width": 1400, "height": 1000})
        page.goto(f"http://127.0.0.1:{parts.port}/")
        page.fill("input[name=username]", account)
        page.fill("input[name=password]", password)
        page.keyboard.press("Enter")
        page.get_by_text("Browse").first.wait_for()
        yield page
        opened.close()


def answered(home: Home, parts: Parts, meeting: str, account: str | None, chosen: str) -> Release:
    """Start the committee's DAG, answer as somebody or wait, and return what went on record.

    On a busy machine an answer may come after the short wait of this test: it is given again.
    """
    for number in range(ANSWERED_AGAIN + 1):
        run_id = f"{account or 'silence'}-{chosen}-{number}"
        conf = {"meeting_id": meeting, "refit": False}
        body = {"dag_run_id": run_id, "logical_date": None, "conf": conf}
        parts.api.post("dags", "committee", "dagRuns", body=body)
        wait(parts, lambda: state_of(parts, "committee", "approval") in ASKED)
        if account is not None:
            answer(parts, run_id, account, chosen)
        wait(parts, lambda: ended(parts, "committee"))
        assert runs(parts, "committee")[0]["state"] == "success"
        told = releases(home, freeze.frozen_pack(home, meeting))
        if account is None or told[-1].answer.account is not None:
            break
    return told[-1]


def answer(parts: Parts, run_id: str, account: str, chosen: str) -> None:
    """Answer as somebody; who comes too late is told so, and nothing is changed."""
    with suppress(ApiError):
        interface(parts, account).patch(
            *("dags", "committee", "dagRuns", run_id, "taskInstances", "approval", "-1"),
            "hitlDetails",
            body={"chosen_options": [chosen], "params_input": {"reason": ""}},
        )


def drop_at_once(home: Home) -> None:
    """Put the cohort into the inbox in one move, so that all of it arrives in one intake."""
    home.inbox.rmdir()
    (home.root / MADE).rename(home.inbox)


def wait(parts: Parts, condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        parts.check()
        for dag_id in ("intake", "portfolio"):
            assert all(run["state"] != "failed" for run in runs(parts, dag_id))
        assert time.monotonic() < until
        time.sleep(0.2)


def runs(parts: Parts, dag_id: str) -> list[dict[str, Any]]:
    """Return the runs of a DAG, the newest first."""
    answer = parts.api.get("dags", "~", "dagRuns", order_by="-run_after")
    return [run for run in answer["dag_runs"] if run["dag_id"] == dag_id]


def ended(parts: Parts, dag_id: str) -> bool:
    found = runs(parts, dag_id)
    return bool(found) and all(run["state"] in ("success", "failed") for run in found)


def tasks(parts: Parts, dag_id: str) -> list[dict[str, Any]]:
    """Return the tasks of the newest run of a DAG."""
    newest = runs(parts, dag_id)[0]["dag_run_id"]
    where = ("dags", dag_id, "dagRuns", newest, "taskInstances")
    found: list[dict[str, Any]] = parts.api.get(*where)["task_instances"]
    return found


def state_of(parts: Parts, dag_id: str, task_id: str) -> str | None:
    if not runs(parts, dag_id):
        return None
    return next(task["state"] for task in tasks(parts, dag_id) if task["task_id"] == task_id)


def kill_running_task(parts: Parts) -> None:
    """Kill the one task that runs, which takes its name a moment after it is said to run."""
    wait(parts, lambda: len(task_processes(parts.home)) == 1)
    (process,) = task_processes(parts.home)
    process.kill()


def task_processes(home: Home) -> list[psutil.Process]:
    return [process for process in at_work(home) if TASK_PROCESS.search(told_name(process))]


def told_name(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(process.cmdline()).strip()
    return ""


def at_work(home: Home) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()) == working_folder(home):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found
