"""The habits of the project: what is locked, what may run, and where a trap was found."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.longest import LONGEST, TESTS

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OPTIONAL = PROJECT["optional-dependencies"]
REQUIRED = [Requirement(text) for text in sum(OPTIONAL.values(), list(PROJECT["dependencies"]))]
TARGETS = ["run", "airflow", "test", "quick", "real", "lint", "help", "picture", "lock", "clean"]


def locked() -> dict[str, Version]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if not line.startswith("#")]
    pins = {canonicalize_name(name): Version(version) for name, version in pairs}
    assert len(pins) == len(pairs)
    return pins


@pytest.mark.parametrize("required", REQUIRED, ids=lambda required: required.name)
def test_every_dependency_is_locked_at_a_version_it_allows(required: Requirement) -> None:
    assert locked()[canonicalize_name(required.name)] in required.specifier


def test_the_lock_names_versions_and_no_place_to_get_them_from() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert all(re.fullmatch(r"#.*|[a-z0-9.-]+==[\w.]+", line) for line in text.splitlines())


def test_dbt_stays_below_the_version_that_downloads_while_it_is_built() -> None:
    assert locked()["dbt-core"] < Version("1.12")


def test_every_dependency_says_why_it_is_here() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for required in REQUIRED:
        assert re.search(rf'^    "{re.escape(required.name)}.*#\s*\w', text, re.MULTILINE)


def test_dbt_the_folder_does_not_hide_dbt_the_package() -> None:
    assert not (ROOT / "dbt" / "__init__.py").exists()


def test_hooks_are_local_and_fetch_nothing() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    assert all(hook["language"] == "system" for hook in config["repos"][0]["hooks"])


def test_ci_runs_the_command_that_the_readme_names() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert script.splitlines()[-1] == "make test"
    assert "make test" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_files_of_tests_that_begin_first_are_there() -> None:
    assert [name for name in LONGEST if not (TESTS / name).is_file()] == []
    assert len(set(LONGEST)) == len(LONGEST)


def test_tests_begin_with_what_takes_longest(request: pytest.FixtureRequest) -> None:
    places = {TESTS / name: place for place, name in enumerate(LONGEST)}
    order = [places.get(item.path, len(places)) for item in request.session.items]
    assert order == sorted(order)


def test_help_tells_every_target() -> None:
    told = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for target in TARGETS:
        assert re.search(rf"make {target} +\w", told)


def test_a_machine_without_a_fitting_python_is_told_so(tmp_path: Path) -> None:
    for name in ("Makefile", "constraints.txt", "pyproject.toml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    done = subprocess.run(
        ["make", "--no-print-directory", "venv", "PYTHONS=python-of-old"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "needs Python 3.11, 3.12 or 3.13" in done.stderr
