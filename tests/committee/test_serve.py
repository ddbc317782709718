"""`tessera serve`: what was built, to this machine alone, and no way to anything else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import anyio
import pytest
from starlette.applications import Starlette

from pipelines.committee import pack, serve
from pipelines.committee.pack import PackError
from pipelines.home import Home
from pipelines.settings import Settings
from tests.committee.edition import FULL


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    content: bytes


class Client:
    """Asks as a server hands it on: no path is made tidy on the way."""

    def __init__(self, app: Starlette, host: str = "127.0.0.1") -> None:
        self._app, self._host = app, host

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def ask(self, method: str, path: str) -> Answer:
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "path": unquote(path), "raw_path": path.encode(), "query_string": b"",
            "root_path": "", "scheme": "http", "server": ("127.0.0.1", 8765),
            "client": ("127.0.0.1", 1), "headers": [(b"host", self._host.encode())],
        }  # fmt: skip
        answer = Answer(0, {}, b"")

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {k.decode(): v.decode() for k, v in message["headers"]}
            else:
                answer.content += message.get("body", b"")

        async def asked() -> None:
            await self._app(scope, receive, send)

        anyio.run(asked)
        return answer


@pytest.fixture
def client(home: Home, built: Path) -> Client:
    return Client(serve.application(home, "committee"))


def test_every_file_of_the_pack_is_served_as_it_was_built(client: Client, built: Path) -> None:
    for name in ("index.html", "assets/pack.css", f"learners/{FULL}.html", "workbook.xlsx"):
        answer = client.get(f"/{built.name}/{name}")
        assert answer.status == 200, name
        assert answer.content == (built / name).read_bytes()
    assert client.get("/").headers["location"] == f"/{built.name}/index.html"


@pytest.mark.parametrize(
    "path",
    [
        "../../restricted/vault/keys.json",
        "..%2f..%2frestricted%2fvault%2fkeys.json",
        "%2e%2e/%2e%2e/VERSION",
        "learners/../../../VERSION",
        "/etc/passwd",
        "..\\..\\VERSION",
        "manifest.json%00.html",
        "learners/",
    ],
)
def test_no_path_leads_out_of_the_manifest(client: Client, built: Path, path: str) -> None:
    assert client.get(f"/{built.name}/{path}").status == 404
    assert client.get(f"/../{path}").status == 404


def test_nothing_can_be_written(client: Client, built: Path) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert client.ask(method, f"/{built.name}/index.html").status == 405


def test_every_answer_carries_the_headers_that_keep_it_to_itself(
    client: Client, built: Path
) -> None:
    for path in ("/", f"/{built.name}/index.html", f"/{built.name}/nothing.html"):
        answer = client.get(path)
        for name in map(str.lower, serve.HEADERS):
            assert name in answer.headers, (path, name)
        assert "access-control-allow-origin" not in answer.headers


def test_another_name_of_the_host_is_refused(home: Home, built: Path) -> None:
    rebound = Client(serve.application(home, "committee"), "evil.example")
    assert rebound.get(f"/{built.name}/index.html").status == 400


def test_bytes_that_were_changed_are_not_shown(fresh: Home) -> None:
    folder = pack.build(fresh, Settings(home=fresh.root))
    client = Client(serve.application(fresh, "committee"))
    (folder / "index.html").write_text("something else")
    assert client.get(f"/{folder.name}/index.html").status == 409


def test_a_link_out_of_the_pack_is_not_followed(fresh: Home) -> None:
    folder = pack.build(fresh, Settings(home=fresh.root))
    client = Client(serve.application(fresh, "committee"))
    (folder / "index.html").unlink()
    (folder / "index.html").symlink_to(fresh.root / "VERSION")
    assert client.get(f"/{folder.name}/index.html").status == 409


def test_what_was_not_built_for_a_role_says_how_to_build_it(fresh: Home) -> None:
    with pytest.raises(PackError, match="tessera pack build --role committee"):
        serve.application(fresh, "committee")
    with pytest.raises(PackError, match="a person: --for KEY"):
        serve.application(fresh, "learner")
    with pytest.raises(PackError, match="goes with no person"):
        serve.application(fresh, "committee", "L-1")


def test_a_learners_server_has_no_other_learners_pages(home: Home, built: Path) -> None:
    from pipelines.committee import views

    view = views.build(home, Settings(home=home.root), "learner")
    client = Client(serve.application(home, "learner", FULL))
    assert client.get(f"/{view.edition_id}/learners/{FULL}.html").status == 200
    others = [p.name for p in view.folder.iterdir() if p.name != FULL]
    assert others
    for other in others:
        assert client.get(f"/{view.edition_id}/learners/{other}.html").status == 404
        assert client.get(f"/{view.edition_id}/../{other}/index.html").status == 404
    told = json.loads(client.get(f"/{view.edition_id}/data/learners/{FULL}.json").content)
    assert told["learner_key"] == FULL
