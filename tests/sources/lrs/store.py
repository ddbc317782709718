"""A small Learning Record Store on a real socket: pages, watermark, moods."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


def statement(number: int, stored: str, **more: Any) -> dict[str, Any]:
    """Return a statement that the store got at a time."""
    return {
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "actor": {"mbox": "mailto:learner@example.org"},
        "verb": {"id": "https://example.org/verbs/saw"},
        "object": {"id": f"https://example.org/cases/{number}"},
        "timestamp": stored,
        "stored": stored,
    } | more


@dataclass
class Store:
    """What the store holds, what it tells, and what it was asked."""

    statements: list[dict[str, Any]] = field(default_factory=list)
    page_size: int = 3
    since_on: str = "stored"
    consistent_through: str | None = None
    moods: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Answers that come first, instead of statements: a status and headers."""
    bodies: list[bytes] = field(default_factory=list)
    """Answers that come instead of statements, after the moods."""
    asked: list[dict[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    more: str = "/deep/xapi/statements?"
    fail_at_page: int | None = None
    """From this page on, every request gets a status of its own: see `failing`."""
    failing: int = 404
    endpoint: str = ""

    def answer(self, query: dict[str, str], headers: dict[str, str]) -> tuple[int, dict, bytes]:
        self.asked.append(query)
        self.headers.append(headers)
        if self.moods:
            status, told = self.moods.pop(0)
            return status, told, b""
        if self.bodies:
            return 200, {}, self.bodies.pop(0)
        page = int(query.get("page", 0))
        if self.fail_at_page is not None and page >= self.fail_at_page:
            return self.failing, {}, b""
        found = sorted(self.statements, key=lambda item: item["stored"])
        if "since" in query:
            since = _moment(query["since"])
            found = [item for item in found if _moment(item[self.since_on]) > since]
        begin = page * self.page_size
        shown = found[begin : begin + self.page_size]
        is_last = begin + self.page_size >= len(found)
        asked = {key: value for key, value in query.items() if key != "page"}
        rest = "&".join(f"{key}={value.replace('+', '%2B')}" for key, value in asked.items())
        more = "" if is_last else f"{self.more}{rest}&page={page + 1}"
        told = {}
        if self.consistent_through is not None:
            told["X-Experience-API-Consistent-Through"] = self.consistent_through
        return 200, told, json.dumps({"statements": shown, "more": more}, indent=1).encode()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@contextmanager
def running(store: Store) -> Iterator[Store]:
    """Serve a store until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            if parts.path != "/deep/xapi/statements":
                status, told, body = 404, {}, b""
            else:
                status, told, body = store.answer(query, dict(self.headers.items()))
            self.send_response(status)
            for name, value in told.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    store.endpoint = f"http://127.0.0.1:{server.server_address[1]}/deep/xapi"
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
