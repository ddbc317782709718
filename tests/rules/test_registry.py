"""A rule set of a site names what the models read, all of it and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.rules import RuleFileError, RuleSet, load_catalogue
from pipelines.rules.loader import SHIPPED

MODELS = Path(__file__).parents[2] / "dbt"
BY_NAME = re.compile(r"rule_threshold\(\s*'(\w+)',\s*'(\w+)',\s*'(\w+)'\s*\)")
BY_RULE = re.compile(r"pivoted_threshold\(\s*'(\w+)',\s*'(\w+)'\s*\)")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site" / "rules").mkdir(parents=True)
    return tmp_path / "site"


def own(site: Path, name: str, old: str, new: str) -> Path:
    """Put a shipped rule file with one change into the site's folder, as a version of its own."""
    text = (SHIPPED / f"{name}.yaml").read_text(encoding="utf-8")
    text = text.replace('version: "', 'version: "ours-', 1)
    assert old in text
    path = site / "rules" / f"{name}.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def refusal(site: Path) -> str:
    with pytest.raises(RuleFileError) as caught:
        load_catalogue(site)
    return str(caught.value)


def without(name: str, rule: str, threshold: str) -> str:
    """Return the lines of one threshold of a shipped rule."""
    text = (SHIPPED / f"{name}.yaml").read_text(encoding="utf-8")
    of_rule = text[text.index(f"- id: {rule}\n") :]
    start = of_rule.index(f"      - name: {threshold}\n")
    found = re.match(r"      - name: .*\n(?:        .*\n)+", of_rule[start:])
    assert found
    return found.group()


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        (
            "signals",
            "id: stale_evidence",
            "id: stale_evidnce",
            "nothing reads a rule stale_evidnce of signals. Did you mean stale_evidence?",
        ),
        (
            "signals",
            "name: stale_after_days",
            "name: stale_after_day",
            "nothing reads a threshold stale_after_day of rule stale_evidence. "
            "Did you mean stale_after_days?",
        ),
        (
            "privacy",
            "name: learners_min",
            "name: learner_min",
            "nothing reads a threshold learner_min of rule small_cells. Did you mean learners_min?",
        ),
        (
            "programmatic_assessment",
            "name: latest_k",
            "name: latest_kk",
            "nothing reads a threshold latest_kk of rule status. Did you mean latest_k?",
        ),
        (
            "privacy",
            "rule_set: privacy",
            "rule_set: privaci",
            "nothing reads a rule set privaci. Did you mean privacy?",
        ),
        (
            "signals",
            "id: stale_evidence",
            "id: stale_evidence\n    stage_id: Year 3",
            "rule stale_evidence of signals holds for every stage. Remove `stage_id`.",
        ),
        (
            "privacy",
            "rules:",
            "programme_id: MED\nrules:",
            "privacy holds for every programme. Remove `programme_id`.",
        ),
        (
            "decision_embargo",
            "rule_set: decision_embargo",
            "rule_set: embargo_of_ours",
            "embargo_of_ours names no programme that its embargo is for. Add `programme_id:`",
        ),
        (
            "signals",
            "rules:",
            "is_default: true\nrules:",
            "signals does not judge cells, and cannot be the default. Remove `is_default`.",
        ),
    ],
)
def test_what_nothing_reads_is_refused_with_line_and_the_nearest_name(
    site: Path, name: str, old: str, new: str, told: str
) -> None:
    path = own(site, name, old, new)
    changed = new.splitlines()[-1] if new.startswith(old) else new.splitlines()[0]
    lines = path.read_text(encoding="utf-8").splitlines()
    line = next(n for n, text in enumerate(lines, 1) if changed.strip() in text)
    message = refusal(site)
    assert message.startswith(f"{path}:{line}: {told}")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("name", "rule", "threshold"),
    [
        ("signals", "stale_evidence", "stale_after_days"),
        ("programmatic_assessment", "status", "above_low_min"),
        ("pa_gov_1_0", "status", "discussion_gap_min"),
    ],
)
def test_a_threshold_that_is_left_out_is_refused(
    site: Path, name: str, rule: str, threshold: str
) -> None:
    path = own(site, name, without(name, rule, threshold), "")
    text = path.read_text(encoding="utf-8")
    line = text[: text.index(f"- id: {rule}\n")].count("\n") + 1
    told = (
        f"{path}:{line}: rule {rule} lacks the thresholds {threshold}. "
        f"Copy what is shipped: `tessera rules show {name}`."
    )
    assert told in refusal(site)


def test_a_rule_that_is_left_out_is_refused(site: Path) -> None:
    start = "  - id: feedback"
    text = (SHIPPED / "programme.yaml").read_text(encoding="utf-8")
    path = own(site, "programme", text[text.index(start) : text.index("  - id: drift")], "")
    assert f"{path}:7: programme lacks the rules feedback" in refusal(site)


@pytest.mark.parametrize(
    ("name", "rule", "threshold"),
    [
        ("signals", "expected_evidence", "chance_max"),
        ("programmatic_assessment", "status", "flags_window_days"),
    ],
)
def test_an_optional_threshold_may_be_left_out(
    site: Path, name: str, rule: str, threshold: str
) -> None:
    own(site, name, without(name, rule, threshold), "")
    assert load_catalogue(site).of_site


def test_a_site_may_judge_cells_and_hold_back_decisions_by_rule_sets_of_its_own(
    site: Path,
) -> None:
    own(site, "pa_gov_1_0", "rule_set: pa_gov_1_0", "rule_set: ours")
    own(
        site,
        "decision_embargo",
        "rule_set: decision_embargo",
        "rule_set: embargo_of_ours\nprogramme_id: MED",
    )
    assert {entry.name for entry in load_catalogue(site).of_site} == {"ours", "embargo_of_ours"}


def test_a_stage_may_be_judged_by_another_summary_than_the_rest(site: Path) -> None:
    status = (SHIPPED / "pa_gov_1_0.yaml").read_text(encoding="utf-8")
    status = status[status.index("  - id: status") :]
    own(
        site,
        "programmatic_assessment",
        "rules:\n",
        "rules:\n" + status.replace("id: status", "id: status\n    stage_id: Year 3", 1),
    )
    assert load_catalogue(site).of_site


def test_the_shipped_rule_sets_hold_every_threshold_that_the_models_name() -> None:
    sql = "\n".join(path.read_text(encoding="utf-8") for path in MODELS.rglob("*.sql"))
    rule_sets = load_catalogue().rule_sets
    by_name = {
        (rules.name, rule.id, threshold.name)
        for rules in rule_sets
        for rule in rules.rules
        for threshold in rule.thresholds
    }
    assert set(BY_NAME.findall(sql)) <= by_name
    judging = [rules.name for rules in rule_sets if _judges_cells(rules)]
    by_rule = {(rule, name) for rules, rule, name in by_name if rules in judging}
    assert set(BY_RULE.findall(sql)) == by_rule


def _judges_cells(rules: RuleSet) -> bool:
    return any(rule.id == "data_points" for rule in rules.rules)
