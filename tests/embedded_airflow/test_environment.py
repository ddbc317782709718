"""The embedded Airflow is set up by its environment alone, and keeps to this machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.embedded_airflow.environment import USER, Secrets, environment, passwords
from pipelines.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.open(tmp_path / "home")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_secrets_are_made_once_and_only_their_owner_reads_them(home: Home) -> None:
    first = Secrets.of(home)
    assert Secrets.of(home) == first
    assert mode(home.airflow / "secrets.json") == 0o600
    assert mode(passwords(home)) == 0o600
    assert json.loads(passwords(home).read_text()) == {USER: first.password}


def test_two_homes_have_different_secrets(tmp_path: Path) -> None:
    one, two = (Secrets.of(Home.open(tmp_path / name)) for name in "ab")
    assert not set(vars(one).values()) & set(vars(two).values())


def test_everything_listens_on_this_machine_only(home: Home) -> None:
    environ = environment(home, 8081)
    assert environ["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert environ["AIRFLOW__API__BASE_URL"] == "http://127.0.0.1:8081"
    assert environ["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"].startswith("http://127.0.0.1:8081/")
    assert environ["NO_PROXY"].split(",")[0] == "127.0.0.1"


def test_people_who_may_release_packs_have_accounts_of_their_own(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"
    monkeypatch.delenv("TESSERA_SITE", raising=False)
    assert environment(home, 8080)[users] == f"{USER}:admin"
    lists = tmp_path / "site" / "codes"
    lists.mkdir(parents=True)
    rows = "a.muster,staff:1,office\nx:admin,staff:2,office\ntessera,staff:3,office\n"
    (lists / "airflow_user.csv").write_text("airflow_user,identity,source\n" + rows)
    monkeypatch.setenv("TESSERA_SITE", str(lists.parent))
    assert environment(home, 8080)[users] == f"{USER}:admin,a.muster:user"


def test_nothing_phones_home(home: Home) -> None:
    environ = environment(home, 8080)
    assert environ["AIRFLOW__USAGE_DATA_COLLECTION__ENABLED"] == "False"
    assert environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] == "false"
    assert environ["GX_ANALYTICS_ENABLED"] == "false"
    assert environ["DO_NOT_TRACK"] == "1"


def test_settings_of_another_airflow_of_the_user_have_no_effect(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    monkeypatch.setenv("AIRFLOW__SMTP__SMTP_HOST", "mail.example.org")
    monkeypatch.setenv("AIRFLOW_HOME", "/srv/airflow")
    environ = environment(home, 8080)
    assert environ["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert "AIRFLOW__SMTP__SMTP_HOST" not in environ
    assert environ["AIRFLOW_HOME"] == str(home.airflow)


def test_the_site_is_found_from_any_working_folder(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "site").mkdir()
    monkeypatch.setenv("TESSERA_SITE", "site")
    assert environment(home, 8080)["TESSERA_SITE"] == str(tmp_path / "site")
