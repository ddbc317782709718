"""The image and the compose file keep what docker/README.md says; no engine runs here."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
PARTS = ["api-server", "scheduler", "dag-processor", "triggerer"]
NEEDED = re.compile(r"\$\{(\w+):\?")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def instructions() -> list[tuple[str, str]]:
    text = (DOCKER / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def test_hadolint_finds_nothing() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if hadolint is None:
        pytest.skip("hadolint is not installed in this environment")
    done = subprocess.run(
        [hadolint, str(DOCKER / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
    assert done.returncode == 0


def test_the_image_runs_as_an_ordinary_user_under_an_init_and_tells_its_health(
    instructions: list[tuple[str, str]],
) -> None:
    last = dict(instructions)
    assert last["USER"] == "50000:0"
    assert last["ENTRYPOINT"].startswith('["tini", "-g"')
    assert "healthy" in last["HEALTHCHECK"]


def test_the_image_installs_what_is_locked(instructions: list[tuple[str, str]]) -> None:
    (install,) = [text for name, text in instructions if name == "RUN" and "pip install" in text]
    assert "--constraint constraints.txt" in install


def test_what_the_image_copies_reaches_the_build(instructions: list[tuple[str, str]]) -> None:
    sent = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [
        source
        for name, text in instructions
        if name == "COPY" and not text.startswith("--from")
        for source in text.split()[:-1]
    ]
    assert copied
    for source in copied:
        assert f"!{source}" in sent
        assert (ROOT / source).exists()


def test_each_part_of_airflow_has_a_container_of_the_one_image(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {*PARTS, "init", "postgres"}
    for name in PARTS:
        assert services[name]["command"] == [name]
        assert services[name]["image"] == services["init"]["image"]


def test_parts_wait_for_the_database_to_be_ready(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert services["init"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    for name in PARTS:
        after = services[name]["depends_on"]["init"]["condition"]
        assert after == "service_completed_successfully"


def test_the_home_is_a_volume_that_every_part_shares(compose: dict[str, Any]) -> None:
    for name in [*PARTS, "init"]:
        assert "home:/home/tessera/var" in compose["services"][name]["volumes"]
    assert {"home", "airflow", "postgres"} == set(compose["volumes"])


def test_the_database_and_the_page_are_not_reached_from_outside(compose: dict[str, Any]) -> None:
    ports = {name: service.get("ports") for name, service in compose["services"].items()}
    assert [name for name, opened in ports.items() if opened] == ["api-server"]
    assert all(port.startswith("127.0.0.1:") for port in ports["api-server"])


def test_every_secret_comes_from_the_environment_file_and_must_be_given(
    compose: dict[str, Any],
) -> None:
    named = [
        line.split("=")[0]
        for line in (DOCKER / "example.env").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    text = (DOCKER / "compose.yaml").read_text(encoding="utf-8")
    assert set(NEEDED.findall(text)) == set(named)
    for service in compose["services"].values():
        for name, value in service["environment"].items():
            if re.search(r"PASSWORD$|SECRET|KEY$", name):
                assert NEEDED.search(value), f"{name} is written into the compose file"


def test_parts_may_gain_no_rights(compose: dict[str, Any]) -> None:
    for name in PARTS:
        assert compose["services"][name]["cap_drop"] == ["ALL"]
        assert compose["services"][name]["security_opt"] == ["no-new-privileges:true"]


def test_image_and_embedded_airflow_agree_on_how_tasks_are_retried_and_found_dead(
    instructions: list[tuple[str, str]], tmp_path: Path
) -> None:
    from pipelines.embedded_airflow.environment import environment
    from pipelines.home import Home

    text = " ".join(text for name, text in instructions if name == "ENV")
    image = dict(pair.split("=", 1) for pair in text.split() if "=" in pair)
    embedded = environment(Home.open(tmp_path), 8080)
    for name in (
        "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION",
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED",
    ):
        assert image[name] == embedded[name]


@pytest.mark.parametrize("part", [*PARTS, "init", "healthy"])
def test_the_entrypoint_knows_every_command_that_is_given_to_it(part: str) -> None:
    script = (DOCKER / "entrypoint.sh").read_text(encoding="utf-8")
    assert re.search(rf"^(.*\| )?{part}(\)| \|)", script, re.MULTILINE)


def test_the_entrypoint_is_a_shell_script_that_parses() -> None:
    entrypoint = DOCKER / "entrypoint.sh"
    assert entrypoint.stat().st_mode & 0o111
    subprocess.run(["sh", "-n", str(entrypoint)], check=True)
