"""The commands about roles say what they did, what comes next, and what was asked wrongly."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.committee import disputes
from pipelines.committee.people import Known
from pipelines.home import Home
from tests.committee.edition import EMPTY, FULL, HOSTILE

runner = CliRunner()


def _run(home: Home, *arguments: str) -> tuple[int, str]:
    done = runner.invoke(app, [*arguments, "--home", str(home.root)])
    return done.exit_code, done.output.replace("\n", " ")


@pytest.mark.parametrize(
    "command",
    [
        ("pack", "build"), ("pack", "binder"), ("credential", "key"), ("credential", "issue"),
        ("credential", "verify"), ("credential", "status"), ("dispute", "list"),
        ("dispute", "answer"), ("serve",), ("identity", "export"),
    ],
)  # fmt: skip
def test_help_has_an_example(command: tuple[str, ...]) -> None:
    assert "Example:" in runner.invoke(app, [*command, "--help"]).output


def test_views_are_built_by_role_and_wrong_use_is_said(fresh: Home) -> None:
    code, told = _run(fresh, "pack", "build", "--role", "learner", "--for", FULL)
    assert code == 0
    assert "1 view for learner" in told
    assert "without a name in the vault" in told
    assert "Next: tessera serve --role learner" in told
    assert (fresh.views / "learner").exists()
    assert _run(fresh, "pack", "build", "--role", "learner", "--for", "L-NOBODY")[0] == 2
    code, told = _run(fresh, "pack", "build", "--role", "dean")
    assert (code, "'dean' is none of them" in told) == (2, True)
    assert _run(fresh, "pack", "build", "--role", "programme", "--for", FULL)[0] == 2
    assert _run(fresh, "pack", "build", "--for", FULL)[0] == 2
    code, told = _run(fresh, "pack", "build", "--role", "programme", "--json")
    assert (code, json.loads(told)["views"]) == (0, 1)


def test_a_server_without_pages_or_with_the_wrong_role_does_not_start(fresh: Home) -> None:
    assert "tessera pack build --role committee" in _run(fresh, "serve")[1]
    assert _run(fresh, "serve")[0] == 2
    assert _run(fresh, "serve", "--role", "dean")[0] == 2


def test_a_record_is_issued_and_verified_by_the_published_key(
    fresh: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_ago = datetime(2026, 6, 1, tzinfo=UTC)
    monkeypatch.setattr("pipelines.committee.credentials._known_since", lambda _: long_ago)
    to = tmp_path / "record"
    assert (
        "tessera credential key" in _run(fresh, "credential", "issue", HOSTILE, "--out", str(to))[1]
    )
    named = ("--issuer", "School", "--url", "https://med.example.org/keys", "--by", "A. Muster")
    code, told = _run(fresh, "credential", "key", *named, "--json")
    assert code == 0
    public = tmp_path / "public.json"
    public.write_text(told)
    assert _run(fresh, "credential", "issue", HOSTILE, "--out", str(to))[0] == 0
    assert _run(fresh, "credential", "issue", HOSTILE, "--out", str(to))[0] == 2
    asked = ["credential", "verify", str(to / "clr.jwt"), "--key", str(public)]
    done = runner.invoke(app, [*asked, "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["issuer"] == "https://med.example.org/keys"
    listed = tmp_path / "status.jwt"
    code, told = _run(fresh, "credential", "status", "--out", str(listed))
    assert (code, "https://med.example.org/keys/status.jwt" in told) == (0, True)
    assert "badges that were issued, 0 are revoked" in told
    done = runner.invoke(app, [*asked, "--status", str(listed), "--json"])
    assert (done.exit_code, json.loads(done.stdout)["status_checked"]) == (0, True)
    assert runner.invoke(app, [*asked, "--status", str(public)]).exit_code == 3
    assert "was not looked up" in runner.invoke(app, asked).stdout.replace("\n", " ")
    (to / "clr.jwt").write_text((to / "badge-01.jwt").read_text()[:-8] + "AAAAAAAA")
    assert runner.invoke(app, asked).exit_code == 3
    assert _run(fresh, "credential", "issue", EMPTY, "--out", str(tmp_path / "none"))[0] == 2


def test_a_dispute_waits_and_is_answered(fresh: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    code, told = _run(fresh, "dispute", "list")
    assert code == 1
    assert "dispute-1 raised" in told
    assert "owner assessment_unit" in told
    asked = ("dispute", "answer", "dispute-1", "--by", "t2001", "--text", "It was corrected.")
    code, told = _run(fresh, *asked)
    assert code == 2
    assert "the vault has no id" in told
    people = {FULL: Known(None, {"example_person": "s-1"})}
    monkeypatch.setattr("pipelines.committee.people.everybody", lambda *_: people)
    assert disputes.SOURCE == "dispute_answers"
    code, told = _run(fresh, *asked)
    assert code == 0
    assert "Next: tessera run" in told


def test_a_binder_is_a_new_file(fresh: Home, tmp_path: Path) -> None:
    to = tmp_path / "binder.zip"
    assert _run(fresh, "pack", "binder", "--year", "2026", "--out", str(to))[0] == 0
    assert _run(fresh, "pack", "binder", "--year", "2026", "--out", str(to))[0] == 2
    code, told = _run(fresh, "pack", "binder", "--year", "1999", "--out", str(tmp_path / "b.zip"))
    assert (code, "there are years: 2026" in told) == (2, True)
