"""`tessera edition` and `tessera rules` say what stands, for people and for machines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.commands import edition as edition_command
from pipelines.home import Home
from pipelines.rules.loader import SHIPPED
from pipelines.warehouse.editions import DATABASE, current_id, folder_of

EXAMPLES = Path(__file__).parents[1] / "rules" / "files"


def invoke(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def at(home: Home) -> tuple[str, str]:
    return "--home", str(home.root)


def test_a_home_without_editions_is_told_plainly(at: tuple[str, str]) -> None:
    assert invoke("edition", "list", *at)[1].startswith("No edition yet")
    assert invoke("edition", "list", *at, "--json")[1] == ""
    code, _, err = invoke("edition", "show", *at)
    assert code == 2
    assert "tessera run" in err


def test_list_prints_one_object_an_edition(home: Home, at: tuple[str, str], edition: Any) -> None:
    first = edition(1)
    second = edition(2)
    code, out, _ = invoke("edition", "list", *at, "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [line["edition_id"] for line in lines] == [first, second]
    assert [line["current"] for line in lines] == [False, True]
    assert lines[0]["path"] == str(home.editions / first)
    assert lines[0]["counts"] == {"fct_evidence": 100, "portfolio_status": 1}
    assert first in invoke("edition", "list", *at)[1]


def test_show_tells_inputs_and_tables(home: Home, at: tuple[str, str], edition: Any) -> None:
    made = edition(1)
    assert json.loads(invoke("edition", "show", *at, "--json")[1])["edition_id"] == made
    out = invoke("edition", "show", made, *at)[1]
    assert "fct_evidence" in out
    assert "2026-02-21" in out
    assert current_id(home) == made


def test_verify_ends_with_3_when_an_edition_was_changed(
    home: Home, at: tuple[str, str], edition: Any
) -> None:
    edition(1)
    assert invoke("edition", "verify", *at)[0] == 0
    (folder_of(home) / DATABASE).unlink()
    code, out, err = invoke("edition", "verify", *at, "--json")
    assert code == 3
    assert json.loads(out)["ok"] is False
    assert "is missing" in err


def test_diff_names_tables_and_inputs(at: tuple[str, str], edition: Any) -> None:
    first, second = edition(1), edition(2)
    code, out, _ = invoke("edition", "diff", first, second, *at, "--json")
    assert code == 1
    inputs, table = [json.loads(line) for line in out.splitlines()]
    assert inputs == {"inputs": {"receipts": {"added": ["r2"], "removed": ["r1"]}}}
    assert (table["table"], table["changed"]) == ("fct_evidence", 100)
    code, out, _ = invoke("edition", "diff", first, first, *at)
    assert (code, out.strip()) == (0, "The tables are equal.")


def test_lineage_leads_back_to_the_row(at: tuple[str, str], edition: Any) -> None:
    edition(1)
    code, out, _ = invoke("edition", "lineage", "E-7", *at)
    assert code == 0
    assert "delivery d, row 7" in out
    code, _, err = invoke("edition", "lineage", "E-none", *at)
    assert code == 2
    assert "no record 'E-none'" in err


def test_lineage_counts_rows_tells_rule_sets_apart_and_says_what_it_leaves_out() -> None:
    status = {"learner_key": "L-1", "competency_id": "C", "status": "on_track"}
    by = [status | {"rule_set_id": "a", "rule_version": "1"}, status | {"rule_set_id": "b"}]
    assert edition_command.told("portfolio_x", by) == (
        "used by 2 rows of portfolio_x: L-1 C a 1 on_track; L-1 C b on_track"
    )
    assert edition_command.told("portfolio_x", by[:1]).startswith("used by 1 row of")
    assert edition_command.told("portfolio_x", [status] * 7).endswith("; and 2 more")


def test_rules_show_prints_thresholds_with_their_sources(
    at: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tmp_path / "site" / "rules"
    rules.mkdir(parents=True)
    for source in (SHIPPED / "programmatic_assessment.yaml", EXAMPLES / "example_policy.yaml"):
        text = source.read_text(encoding="utf-8")
        text = text.replace("rule_set: programmatic_assessment", "rule_set: example_rules")
        (rules / source.name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("TESSERA_SITE", str(rules.parent))
    code, out, _ = invoke("rules", "show", "example_rules", *at, "--json")
    (shown,) = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert shown["rules"][0]["thresholds"][0]["source"].startswith("Moonen")
    assert "Moonen" in invoke("rules", "show", "example_rules", *at)[1]
    assert "AI for planning" in invoke("rules", "show", "example_scale", *at)[1]
    code, _, err = invoke("rules", "show", "unheard_of", *at)
    assert code == 2
    assert "example_rules" in err
    (rules / "broken.yaml").write_text("rule_set: x\n", encoding="utf-8")
    code, _, err = invoke("rules", "show", *at)
    assert code == 2
    assert "broken.yaml:1" in err
