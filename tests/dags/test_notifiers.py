"""Nobody is told what waits or is late, unless the site names who tells them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines.settings import Settings

SITE = """
from airflow.sdk.bases.notifier import BaseNotifier

TOLD = []

class Teller(BaseNotifier):
    def notify(self, context):
        TOLD.append(context["dag_run"]["dag_run_id"])

def nothing():
    return None
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site_of_the_test.py").write_text(SITE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))


def test_nobody_is_told_by_default(dags: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.triggers.notifiers import notifiers

    monkeypatch.delenv("TESSERA_NOTIFIER", raising=False)
    assert notifiers() == []
    assert dags["committee"].get_task("approval").notifiers == []


@pytest.mark.usefixtures("site")
def test_a_site_names_its_own_notifier() -> None:
    from pipelines.triggers.notifiers import notifiers

    (made,) = notifiers(Settings(notifier="site_of_the_test:Teller"))
    assert type(made).__name__ == "Teller"


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("site_of_the_test:nobody", "has no attribute"),
        ("no_such_module:Teller", "No module named"),
        ("site_of_the_test:nothing", "gives NoneType, which is no Airflow notifier"),
    ],
)
def test_a_notifier_that_cannot_be_used_is_said(named: str, said: str) -> None:
    from pipelines.triggers.notifiers import NotifierError, notifiers

    with pytest.raises(NotifierError, match=said):
        notifiers(Settings(notifier=named))


@pytest.mark.usefixtures("site")
def test_a_late_run_is_told_in_the_log_and_to_the_sites_notifier(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from pipelines.triggers.notifiers import tell_of_a_late_run

    late: Any = {"dag_run": {"dag_id": "portfolio", "dag_run_id": "night-1"}, "deadline": {}}
    monkeypatch.delenv("TESSERA_NOTIFIER", raising=False)
    tell_of_a_late_run(late)
    assert "run night-1 of portfolio has not ended in time" in caplog.text

    monkeypatch.setenv("TESSERA_NOTIFIER", "site_of_the_test:Teller")
    tell_of_a_late_run(late)
    assert sys.modules["site_of_the_test"].TOLD == ["night-1"]
