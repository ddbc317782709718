"""The client of Airflow's interface signs in, asks and says what went wrong."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pipelines.embedded_airflow.api import Api, ApiError


class Handler(BaseHTTPRequestHandler):
    asked: list[tuple[str, str, str | None]]
    health: dict[str, Any]

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_: Any) -> None: ...

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        self.asked.append((self.path, body, self.headers.get("Authorization")))
        if self.path == "/auth/token":
            self._send(201, {"access_token": "abc"})
        elif self.path.endswith("monitor/health"):
            self._send(200, self.health)
        elif "missing" in self.path:
            self._send(404, {"detail": "no such thing"})
        else:
            self._send(200, {"path": self.path})

    def _send(self, status: int, answer: dict[str, Any]) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    Handler.asked, Handler.health = [], {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def api(server: ThreadingHTTPServer) -> Api:
    return Api(server.server_port, "tessera", "secret")


def test_it_signs_in_once_and_carries_its_token(api: Api) -> None:
    api.get("pools")
    api.get("pools")
    first, *rest = Handler.asked
    assert json.loads(first[1]) == {"username": "tessera", "password": "secret"}
    assert [asked[2] for asked in rest] == ["Bearer abc"] * 2


def test_parts_of_a_path_are_quoted_and_queries_may_repeat(api: Api) -> None:
    run_id = "asset_triggered__2026-11-22T19:53:08+00:00"
    asked = api.get("dags", "portfolio", "dagRuns", run_id, state=["queued", "running"])
    assert asked["path"].endswith(
        "asset_triggered__2026-11-22T19%3A53%3A08%2B00%3A00?state=queued&state=running"
    )


def test_an_error_carries_its_status_and_words(api: Api) -> None:
    with pytest.raises(ApiError, match="no such thing") as caught:
        api.get("dags", "missing")
    assert caught.value.status == 404


def test_healthy_means_every_part_asked_for(api: Api) -> None:
    Handler.health = {"scheduler": {"status": "healthy"}, "triggerer": {"status": None}}
    assert api.is_healthy("scheduler")
    assert not api.is_healthy("scheduler", "triggerer")
    assert not api.is_healthy("dag_processor")


def test_an_airflow_that_does_not_answer_is_not_healthy(api: Api) -> None:
    api.port = 1
    assert not api.is_healthy("scheduler")
