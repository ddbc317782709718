"""`tessera identity` on real deliveries: what is decided counts at the next load."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pipelines.cli import app
from pipelines.warehouse.connection import open_warehouse
from pipelines.warehouse.load import load

FORMS = (
    "Form;Student;EPA;Rating;Assessor;Observed;Comment\n"
    "F1;s1;EPA1;3;t1;05.03.2026;fine\n"
    "F2;007;EPA1;4;t1;05.03.2026;fine\n"
)
BY = ("--by", "A. Muster", "--reason", "seen in the register")


def run(clinic: Any, *arguments: str) -> Result:
    runner = CliRunner(env={"TESSERA_SITE": str(clinic.site)})
    return runner.invoke(app, ["identity", *arguments, "--home", str(clinic.home.root)])


def learners(clinic: Any) -> dict[str, str]:
    """Return whose each accepted form is."""
    load(clinic.home, clinic.settings)
    with open_warehouse(clinic.home, clinic.settings) as con:
        rows = con.execute(
            "select record_id, person_key from raw.workplace_assessment as form "
            "join raw.identity as person on learner_pseudonym = pseudonym and role = 'learner' "
            "where present_outcome = 'accepted'"
        ).fetchall()
    return dict(rows)


@pytest.fixture
def school(clinic: Any) -> Any:
    folded = "person_ids: {strip_leading_zeros: true}\n"
    clinic.spec("forms", (clinic.site / "sources" / "forms.yaml").read_text() + folded)
    clinic.drop("forms", "a.csv", FORMS)
    clinic.take_in()
    return clinic


def test_a_merge_and_a_split_count_at_the_next_load_and_are_on_record(school: Any) -> None:
    before = learners(school)
    assert before["F1"] != before["F2"]
    merged = run(school, "merge", "numbers:s1", "numbers:007", *BY, "--json")
    assert merged.exit_code == 0, merged.output
    told = json.loads(merged.stdout)
    assert told["identities"] == ["numbers:•••1", "numbers:•••7"]
    assert told["not_met_yet"] == []
    one = learners(school)
    assert one["F1"] == one["F2"]
    assert run(school, "split", "numbers:s1", *BY).exit_code == 0
    assert learners(school) == before
    log = [json.loads(line) for line in run(school, "log", "--json").stdout.splitlines()]
    assert [(entry["action"], entry["by"]) for entry in log] == [
        ("merge", "A. Muster"),
        ("split", "A. Muster"),
    ]


def test_people_are_listed_with_masked_ids_unless_ids_are_asked_for(school: Any) -> None:
    run(school, "merge", "numbers:s1", "numbers:7", *BY)
    shown = run(school, "list", "--json").stdout.splitlines()
    (person,) = [json.loads(line) for line in shown]
    assert person["role"] == "learner"
    assert not person["is_known"]
    assert person["identities"] == ["numbers:•••7", "numbers:•••1"]
    ids = json.loads(run(school, "list", "numbers:007", "--show-ids", "--json").stdout)
    assert set(ids["identities"]) == {"numbers:7", "numbers:s1"}
    assert len(run(school, "list", "--all", "--json").stdout.splitlines()) == 2


def test_a_rotation_makes_no_record_new(school: Any) -> None:
    before = learners(school)
    assert run(school, "rotate", *BY).exit_code == 0
    school.drop("forms", "again.csv", FORMS + "F3;s1;EPA2;3;t1;05.03.2026;fine\n")
    school.take_in()
    assert school.totals() == {"accepted": 3, "duplicate": 2}
    after = learners(school)
    assert after == before | {"F3": before["F1"]}
    with open_warehouse(school.home, school.settings) as con:
        n = con.execute("select count(distinct learner_pseudonym) from raw.workplace_assessment")
        assert n.fetchall() == [(4,)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("merge", "numbers:s1", "s2", *BY), "no identity"),
        (("merge", "numbers:s1", "numbers:s1", *BY), "two different"),
        (("merge", "nunbers:s1", "numbers:s2", *BY), "there are: case_framework, example"),
        (("split", "numbers:s1", *BY), "nothing to split"),
        (("release", "numbers:s1", *BY), "no legal hold"),
        (("merge", "numbers:s1", "numbers:7", "--by", "root", "--reason", "why"), "names nobody"),
        (("merge", "numbers:s1", "numbers:7", "--by", "A. Muster", "--reason", "-"), "--reason"),
        (("list", "numbers:unmet"), "no record names"),
    ],
)
def test_what_cannot_be_decided_is_refused_in_words(
    school: Any, arguments: tuple[str, ...], said: str
) -> None:
    result = run(school, *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert list((school.home.vault).glob("decisions/*")) == []


def test_a_reused_id_is_two_people_in_the_list(school: Any) -> None:
    result = run(school, "reuse", "numbers:007", "--from", "2026-03-01", *BY)
    assert result.exit_code == 0, result.output
    people = [json.loads(line) for line in run(school, "list", "--json").stdout.splitlines()]
    assert len({person["person_key"] for person in people}) == 2
    run(school, "hold", "numbers:s1", *BY)
    held = [json.loads(line) for line in run(school, "list", "--json").stdout.splitlines()]
    assert [person["is_held"] for person in held].count(True) == 1
