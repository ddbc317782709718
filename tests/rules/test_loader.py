"""Rule files are read whole or refused with file, line and remedy."""

from __future__ import annotations

import re
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.rules import Catalogue, RuleFileError, load_catalogue
from pipelines.rules.loader import SHIPPED

FILES = Path(__file__).parent / "files"


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FILES, tmp_path / "shipped"))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    (folder / "rules").mkdir(parents=True)
    return folder


def change(path: Path, old: str, new: str) -> int:
    """Replace the first `old` in a file and return its line."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def refusal(shipped: Path, site: Path | None = None) -> str:
    with pytest.raises(RuleFileError) as caught:
        load_catalogue(site, shipped)
    return str(caught.value)


def test_the_shipped_files_are_sound() -> None:
    assert isinstance(load_catalogue(), Catalogue)
    assert SHIPPED.name == "rules"


def test_shipped_versions_are_whole_numbers_which_leaves_all_others_to_sites() -> None:
    assert all(entry.version.isdecimal() for entry in load_catalogue().entries)


def test_an_ai_policy_that_begins_before_it_was_known_is_refused(shipped: Path, site: Path) -> None:
    mine = site / "rules" / "mine.yaml"
    shutil.copy(shipped / "example_policy.yaml", mine)
    change(mine, 'version: "1"', 'version: "ours"')
    change(mine, "known_from: 2023-01-01", "known_from: 2023-02-01")
    line = change(mine, "effective_from", "effective_from")
    assert refusal(shipped, site) == (
        f"{mine}:{line}: example_scale version ours would hold for work handed in from 2023-01-01 "
        "on, and was not known before 2023-02-01. Let it begin on the day on which it was known; "
        "known_from is the day on which it was published."
    )
    change(mine, "effective_from: 2023-01-01", "effective_from: 2023-02-01")
    assert load_catalogue(site, shipped).of_site


def test_each_threshold_and_each_rule_without_one_is_a_row(shipped: Path) -> None:
    rows = load_catalogue(None, shipped).rule_rows()
    assert [(row["rule_id"], row["threshold_name"], row["threshold_value"]) for row in rows] == [
        ("data_points", "required_data_points", Decimal(8)),
        ("data_points", "required_assessors", Decimal(3)),
        ("flagged_comment", None, None),
    ]


def test_each_level_of_a_policy_is_a_row(shipped: Path) -> None:
    rows = load_catalogue(None, shipped).ai_policy_rows()
    assert [(row["level"], row["allows_use"], row["allowed_stages"]) for row in rows] == [
        (1, False, None),
        (2, True, ["planning"]),
    ]


def test_a_threshold_is_found_by_rule_and_name(shipped: Path) -> None:
    (rules,) = load_catalogue(None, shipped).rule_sets
    assert rules.threshold("data_points", "required_assessors") == 3
    with pytest.raises(KeyError, match="no threshold"):
        rules.threshold("data_points", "unheard_of")


def test_a_threshold_without_source_is_refused_with_line_and_remedy(shipped: Path) -> None:
    file = shipped / "example_rules.yaml"
    change(file, '        source: "local choice: one assessor of each kind"\n', "")
    message = refusal(shipped)
    line = 1 + file.read_text(encoding="utf-8").split("required_assessors")[0].count("\n")
    assert f"{file}:{line}: threshold 2 of rule 1 has no source" in message
    assert "local choice" in message


def test_a_source_without_words_is_none(shipped: Path) -> None:
    file = shipped / "example_rules.yaml"
    change(file, 'source: "local choice: one assessor of each kind"', 'source: " "')
    assert "threshold 2 of rule 1 has no source" in refusal(shipped)


def test_the_second_of_two_rules_of_one_name_is_told_by_its_line(shipped: Path) -> None:
    file = shipped / "example_rules.yaml"
    text = file.read_text(encoding="utf-8").rstrip() + "\n"
    file.write_text(f"{text}  - id: data_points\n    words: Once more.\n", encoding="utf-8")
    line = text.count("\n") + 1
    assert refusal(shipped).startswith(
        f"{file}:{line}: rule data_points is given twice. Keep one of the two, or rename one."
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("value: 8", "value: many", "value:"),
        ("value: 8", "value: .nan", "value:"),
        ("value: 8", "value: 1:30", "value:"),
        ("value: 8", "? [a, b]\n        : 8", "the key is no text"),
        ("unit: data points", "units: data points", "there is no key units"),
        ("required_assessors", "required_data_points", "required_data_points is given twice"),
        (
            "known_from: 2020-01-01",
            "known_from: 2020-13-01",
            "known_from: Input should be a valid date",
        ),
        (
            "is_default: true",
            "is_default: true\nis_default: true",
            "the key is_default stands here twice",
        ),
        ("is_default: true", "is_default: [", "expected"),
        ("is_default: true", "effective_to: 2019-01-01", "before effective_from"),
        ("rule_set: example_rules", "rules_set: example_rules", "neither a rule set nor"),
        ("title: Rules for tests\n", "", "title is missing"),
    ],
)
def test_a_fault_is_refused_in_words(shipped: Path, old: str, new: str, expected: str) -> None:
    file = shipped / "example_rules.yaml"
    change(file, old, new)
    message = refusal(shipped)
    assert message.startswith(f"{file}:")
    assert expected in message


def test_a_number_is_read_as_it_is_written(shipped: Path) -> None:
    change(shipped / "example_rules.yaml", "value: 8", "value: 010")
    (rules,) = load_catalogue(None, shipped).rule_sets
    assert rules.threshold("data_points", "required_data_points") == 10


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x: &x [*x]", "the anchor &x is not read"),
        ("x: &x [*x]", "the alias *x is not read"),
        ("x: *y", "the alias *y is not read"),
        ("<<: {title: Other}", "merges are not read. Write the keys out here."),
    ],
)
def test_a_file_that_refers_to_itself_is_refused(shipped: Path, line: str, expected: str) -> None:
    file = shipped / "example_rules.yaml"
    last = file.read_text(encoding="utf-8").count("\n") + 1
    file.write_text(file.read_text(encoding="utf-8") + f"{line}\n", encoding="utf-8")
    assert f"{file}:{last}: {expected}" in refusal(shipped)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"title: a\nrule_set: \xff\xfe", "the bytes are not UTF-8 text. Save the file as UTF-8."),
        ("title: é\nrule_set: \0".encode(), "holds the character U+0000. Take the character out."),
        (b"\n- a list", "the file holds no keys"),
    ],
)
def test_a_file_that_is_no_text_with_keys_is_refused(
    shipped: Path, content: bytes, expected: str
) -> None:
    (shipped / "broken.yaml").write_bytes(content)
    line = 1 if b"list" in content else 2
    assert f"broken.yaml:{line}: {expected}" in refusal(shipped)


def test_every_fault_is_listed_at_once(shipped: Path) -> None:
    change(shipped / "example_rules.yaml", "value: 8", "value: many")
    change(shipped / "example_policy.yaml", "label: No AI\n", "")
    assert refusal(shipped).count("\n") == 1


def test_the_same_version_twice_is_refused(shipped: Path) -> None:
    shutil.copy(shipped / "example_rules.yaml", shipped / "more_rules.yaml")
    assert "example_rules version 1 is also in example_rules.yaml" in refusal(shipped)


def test_two_versions_in_force_on_one_day_are_refused(shipped: Path) -> None:
    later = shipped / "later_rules.yaml"
    shutil.copy(shipped / "example_rules.yaml", later)
    change(later, 'version: "1"', 'version: "2"')
    assert "versions 1 and 2 are both in force on 2020-01-01" in refusal(shipped)
    change(later, "effective_from: 2020-01-01", "effective_from: 2021-01-01")
    assert len(load_catalogue(None, shipped).rule_sets) == 2
    change(shipped / "example_rules.yaml", "is_default", "effective_to: 2021-01-01\nis_default")
    line = change(later, "effective_from", "effective_from")
    assert f"{later}:{line}: " in refusal(shipped)


def test_a_version_known_later_may_restate_the_same_days(shipped: Path) -> None:
    later = shipped / "later_rules.yaml"
    shutil.copy(shipped / "example_rules.yaml", later)
    change(later, 'version: "1"', 'version: "2"')
    change(later, "known_from: 2020-01-01", "known_from: 2022-01-01")
    assert [rules.version for rules in load_catalogue(None, shipped).rule_sets] == ["1", "2"]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("example_rules", "value: 8", "value: 5"),
        ("example_policy", "allows_use: true", "allows_use: false"),
        ("example_policy", "effective_from: 2023", "effective_from: 2026"),
    ],
)
def test_a_version_that_is_shipped_says_one_thing_and_the_sites_needs_another(
    shipped: Path, site: Path, name: str, old: str, new: str
) -> None:
    mine = site / "rules" / "mine.yaml"
    shutil.copy(shipped / f"{name}.yaml", mine)
    assert load_catalogue(site, shipped).entries == load_catalogue(None, shipped).entries
    change(mine, old, new)
    line = change(mine, "version:", "version:")
    kind = {"example_rules": "example_rules", "example_policy": "example_scale"}[name]
    assert refusal(shipped, site) == (
        f"{mine}:{line}: {kind} version 1 is shipped, and says something else. "
        'Give this one a version that is not shipped, such as "1-local".'
    )
    change(mine, 'version: "1"', 'version: "1-local"')
    versions = {entry.version for entry in load_catalogue(site, shipped).entries}
    assert versions == {"1", "1-local"}


def test_the_default_of_the_site_takes_the_place_of_the_shipped_one_on_its_days(
    shipped: Path, site: Path
) -> None:
    mine = site / "rules" / "mine.yaml"
    shutil.copy(shipped / "example_rules.yaml", mine)
    change(mine, "rule_set: example_rules", "rule_set: own_rules")
    change(mine, "effective_from: 2020", "effective_from: 2021")
    found = load_catalogue(site, shipped)
    defaults = [found.default_on(date(year, 6, 1)) for year in (2019, 2020, 2021)]
    assert [rules and rules.name for rules in defaults] == [None, "example_rules", "own_rules"]


@pytest.mark.parametrize("name", ["example_rules", "example_policy"])
def test_a_version_of_the_site_takes_the_place_of_shipped_ones_on_its_days(
    shipped: Path, site: Path, name: str
) -> None:
    mine, newer = site / "rules" / "mine.yaml", shipped / "newer.yaml"
    for file, version in ((newer, "2"), (mine, "ours")):
        shutil.copy(shipped / f"{name}.yaml", file)
        change(file, 'version: "1"', f'version: "{version}"')
    change(shipped / f"{name}.yaml", "effective_from", "effective_to: 2023-12-31\neffective_from")
    text = newer.read_text(encoding="utf-8")
    newer.write_text(re.sub("effective_from: .*", "effective_from: 2024-01-01", text))
    change(mine, "effective_from", "effective_to: 2025-12-31\neffective_from")
    found = load_catalogue(site, shipped)
    kind = {entry.name for entry in found.of_site}
    in_force = {
        year: [e.version for e in found.in_force(date(year, 6, 1)) if e.name in kind]
        for year in (2023, 2025, 2026)
    }
    assert in_force == {2023: ["ours"], 2025: ["ours"], 2026: ["2"]}


def test_two_defaults_in_one_place_are_refused(shipped: Path) -> None:
    other = shipped / "other_rules.yaml"
    shutil.copy(shipped / "example_rules.yaml", other)
    change(other, "rule_set: example_rules", "rule_set: other_rules")
    assert "other_rules and example_rules both say that they are the default" in refusal(shipped)


def test_what_is_proposed_counts_as_if_it_lay_in_the_site_already(
    shipped: Path, site: Path, tmp_path: Path
) -> None:
    for folder, number in ((site / "rules", 9), (tmp_path / "proposed", 10)):
        folder.mkdir(exist_ok=True)
        shutil.copy(shipped / "example_rules.yaml", folder / "ours.yaml")
        change(folder / "ours.yaml", "value: 8", f"value: {number}")
        change(folder / "ours.yaml", 'version: "1"', 'version: "ours"')
    for proposed in (tmp_path / "proposed", tmp_path / "proposed" / "ours.yaml"):
        rules = load_catalogue(site, shipped, proposed=proposed).default_on(date(2026, 1, 1))
        assert rules is not None
        assert rules.threshold("data_points", "required_data_points") == 10
    standing = load_catalogue(site, shipped).default_on(date(2026, 1, 1))
    assert standing is not None
    assert standing.threshold("data_points", "required_data_points") == 9


def test_a_proposed_folder_without_rule_files_is_refused(shipped: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(RuleFileError, match="the folder holds no rule file"):
        load_catalogue(None, shipped, proposed=empty)
