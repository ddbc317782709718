"""A person gets everything that is held on them, and nothing that gives others away."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipelines import person_export
from pipelines.cli import app
from pipelines.identity.decisions import Identity
from pipelines.identity.pseudonyms import Folding
from pipelines.intake.records import INTAKE_RECORD
from pipelines.person_export import ExportError, export

ROSTER = "Student;Given;Family;Other\ncanary77;Zyxwanda;Qwvfamily;canary78\ns2;Ada;Muster;\n"
FORMS = (
    "Form;Student;EPA;Rating;Assessor;Observed;Comment\n"
    "F1;CANARY77;EPA1;3;t1;05.03.2026;fine\n"
    "F2;s2;EPA1;4;t1;05.03.2026;of another learner\n"
    "F3;canary78;EPA1;Lvl x;t1;05.03.2026;refused\n"
    "F4;s2;EPA2;Lvl y;canary77;05.03.2026;refused, of another learner whom she assessed\n"
    "F5;s2;EPA3;5;canary77;06.03.2026;one that she assessed\n"
)


@pytest.fixture
def school(clinic: Any, roster_spec: str) -> Any:
    folded = "person_ids: {fold_case: true}\n"
    clinic.spec("roster", roster_spec + folded)
    forms = (clinic.site / "sources" / "forms.yaml").read_text()
    clinic.spec("forms", forms + folded)
    clinic.drop("roster", "r.csv", ROSTER)
    clinic.drop("forms", "a.csv", FORMS)
    clinic.take_in()
    return clinic


def _export(school: Any, identity: str) -> dict[str, Any]:
    namespace, _, person = identity.partition(":")
    foldings = {namespace: [Folding(fold_case=True)]}
    held = export(
        school.home, school.settings, Identity(namespace=namespace, person_id=person), foldings
    )
    with zipfile.ZipFile(io.BytesIO(held.archive())) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def _namespace(school: Any) -> str:
    from pipelines.intake.feeds import load_feeds

    return str(load_feeds(school.settings)["forms"].namespace.name)


def test_records_names_and_refusals_of_the_person_are_there(school: Any) -> None:
    files = _export(school, f"{_namespace(school)}:canary77")
    vault = json.loads(files["vault.json"])
    assert vault["sent"][0]["family_name"] == "Qwvfamily"
    assert {i.partition(":")[2] for i in vault["ids"]} == {"canary77", "canary78"}
    forms = [json.loads(line) for line in files["records/workplace_assessment.jsonl"].splitlines()]
    assert {(f["record_id"], f["is_about_the_person"]) for f in forms} == {
        ("F1", True),
        ("F5", False),
    }
    refused = json.loads(files["refused.json"])
    assert [r["record"]["record_id"] for r in refused if "record" in r] == ["F3"]


def test_a_refused_answer_of_one_respondent_stays_behind_and_is_counted(
    school: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = person_export._instruments

    def as_multisource(settings: Any) -> tuple[list[str], list[str]]:
        multi, others = asked(settings)
        return [*multi, *others], []

    monkeypatch.setattr(person_export, "_instruments", as_multisource)
    files = _export(school, f"{_namespace(school)}:canary77")
    assert not [r for r in json.loads(files["refused.json"]) if "record" in r]
    assert "Lvl x" not in "".join(files.values())
    assert json.loads(files["withheld.json"])[person_export.SINGLE_ANSWER] == 2


def test_nobody_else_is_in_it(school: Any) -> None:
    text = "\n".join(_export(school, f"{_namespace(school)}:canary77").values())
    for never in ("s2", "Muster", "Ada", "of another learner", '"t1"', "pseudonym"):
        assert never not in text


def test_every_intake_record_is_read_once(school: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    read: Counter[Path] = Counter()
    read_bytes = Path.read_bytes

    def counted(path: Path) -> bytes:
        read[path] += path.name == INTAKE_RECORD
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", counted)
    _export(school, f"{_namespace(school)}:canary77")
    assert set((+read).values()) == {1}


def test_a_stranger_has_nothing(school: Any) -> None:
    with pytest.raises(ExportError, match="no record names"):
        _export(school, f"{_namespace(school)}:nobody99")


def test_the_command_writes_a_file_for_one_reader(
    school: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESSERA_SITE", str(school.site))
    to = tmp_path / "held.zip"
    asked = ["identity", "export", f"{_namespace(school)}:s2", "--out", str(to)]
    done = CliRunner().invoke(app, [*asked, "--home", str(school.home.root), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["records"]["workplace_assessment"] == 2
    assert to.stat().st_mode & 0o077 == 0
    again = CliRunner().invoke(app, [*asked, "--home", str(school.home.root)])
    assert again.exit_code == 2
