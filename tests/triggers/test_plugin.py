"""The link in Airflow's menu is one that the installed Airflow takes."""

from __future__ import annotations

import tomllib
from importlib import import_module
from pathlib import Path

import pytest

pytest.importorskip("airflow")


def test_airflow_takes_the_link_as_an_external_view() -> None:
    from airflow.api_fastapi.core_api.datamodels.plugins import ExternalViewResponse

    from pipelines.triggers.plugin import TesseraPlugin

    (view,) = TesseraPlugin.external_views
    taken = ExternalViewResponse.model_validate(view)
    assert taken.href == "http://127.0.0.1:8765/"
    assert taken.destination == "nav"
    assert taken.url_route is None


def test_a_site_says_where_its_pages_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.triggers import plugin

    monkeypatch.setenv("TESSERA_SERVE_URL", "https://packs.example.org/")
    assert plugin.link()["href"] == "https://packs.example.org/"


def test_airflow_finds_the_plugin_by_the_entry_point_of_the_package() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    module, _, name = project["project"]["entry-points"]["airflow.plugins"]["tessera"].partition(
        ":"
    )
    assert getattr(import_module(module), name).name == "tessera"
