"""What a site adds or replaces survives an upgrade of what is shipped, word for word."""

from __future__ import annotations

import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from pipelines.rules import RuleSet, load_catalogue, loader
from pipelines.settings import Settings
from pipelines.sources import catalogue, codes

OWN_ROLE = "assessor_role,title,role_group,source\npharmacist,Pharmacist,colleague,local choice\n"


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copies of the shipped folders, in force in their place."""
    folder = tmp_path / "shipped"
    for name, module in (("rules", loader), ("specs", catalogue), ("codes", codes)):
        shutil.copytree(module.SHIPPED, folder / name)
        if module is not loader:
            monkeypatch.setattr(module, "SHIPPED", folder / name)
    return folder


@pytest.fixture
def site(tmp_path: Path, shipped: Path) -> Path:
    """A site that is stricter, has one role more, and reads a source of its own."""
    folder = tmp_path / "site"
    for name in ("rules", "sources", "codes"):
        (folder / name).mkdir(parents=True)
    rules = of_version(shipped / "rules" / "programmatic_assessment.yaml", "ours")
    (folder / "rules" / "ours.yaml").write_text(rules.replace("value: 5\n", "value: 9\n"))
    (folder / "codes" / "assessor_roles.csv").write_text(OWN_ROLE)
    spec = (shipped / "specs" / "example_actions.yaml").read_text()
    (folder / "sources" / "ours.yaml").write_text(spec.replace("owner: ", "owner: our_", 1))
    return folder


def of_version(path: Path, version: str) -> str:
    """Return a rule file as another version of it."""
    text = path.read_text(encoding="utf-8")
    return re.sub('^version: ".*"', f'version: "{version}"', text, flags=re.MULTILINE)


def in_force(site: Path, shipped: Path, home: Path) -> tuple[str, set[str], str]:
    """Return what the site changed: a threshold, the roles, and the owner of a source."""
    rules = load_catalogue(site, shipped / "rules").default_on(date(2026, 1, 1))
    assert rules is not None
    loaded = catalogue.load(Settings(home=home, site=site))
    return (
        str(rules.threshold("data_points", "min")),
        set(loaded.codes["assessor_roles"]["assessor_role"]),
        loaded.sources["example_actions"].owner,
    )


def upgrade(shipped: Path) -> None:
    """Change what is shipped as a release does: thresholds, rows, titles, and new files."""
    path = shipped / "rules" / "programmatic_assessment.yaml"
    path.write_text(path.read_text().replace("value: 5\n", "value: 6\n"))
    newer = (shipped / "rules" / "privacy.yaml").read_text()
    newer = newer.replace("rule_set: privacy", "rule_set: something_new")
    (shipped / "rules" / "something_new.yaml").write_text(newer)
    roles = shipped / "codes" / "assessor_roles.csv"
    roles.write_text(roles.read_text() + "scribe,Scribe,colleague,local choice\n")
    spec = shipped / "specs" / "example_actions.yaml"
    spec.write_text(spec.read_text().replace("title: ", "title: New ", 1))


def test_an_upgrade_leaves_what_the_site_says_in_force(
    site: Path, shipped: Path, tmp_path: Path
) -> None:
    before = in_force(site, shipped, tmp_path / "home")
    files = {path: path.read_bytes() for path in site.rglob("*.*")}
    upgrade(shipped)
    after = in_force(site, shipped, tmp_path / "home")
    assert before[0] == after[0] == "9"
    assert "pharmacist" in before[1]
    assert after[1] == before[1] | {"scribe"}
    assert before[2] == after[2]
    assert after[2].startswith("our_")
    assert {path: path.read_bytes() for path in site.rglob("*.*")} == files


def test_what_the_site_leaves_alone_is_upgraded(site: Path, shipped: Path) -> None:
    upgrade(shipped)
    assert "something_new" in {
        rules.rule_set for rules in load_catalogue(site, shipped / "rules").rule_sets
    }
    without = {r.rule_set: r for r in load_catalogue(None, shipped / "rules").rule_sets}
    assert str(without["programmatic_assessment"].threshold("data_points", "min")) == "6"


def test_a_copy_of_an_older_version_stays_in_force_when_a_newer_one_is_shipped(
    site: Path, shipped: Path
) -> None:
    signals = shipped / "rules" / "signals.yaml"
    ours = of_version(signals, "ours").replace("value: 56\n", "value: 70\n")
    (site / "rules" / "signals.yaml").write_text(ours)
    signals.write_text(of_version(signals, "99"))
    found = load_catalogue(site, shipped / "rules")
    (in_force,) = [e for e in found.in_force(date(2026, 1, 1)) if e.name == "signals"]
    assert in_force in found.of_site
    assert isinstance(in_force, RuleSet)
    assert in_force.threshold("no_evidence", "grace_days") == 70
    assert {r.version for r in found.rule_sets if r.name == "signals"} == {"ours", "99"}
