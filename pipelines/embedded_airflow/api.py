"""Ask the embedded Airflow by its public REST interface."""

from __future__ import annotations

import json
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import quote, urlencode

PATIENCE_SECONDS = 30


class ApiError(Exception):
    """Airflow answered with an error; `status` says which."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"Airflow answered {status}: {message}")
        self.status = status


class Api:
    """The interface of one running Airflow, signed in at first use."""

    def __init__(self, port: int, user: str, password: str) -> None:
        self.port = port
        self._sign_in = {"username": user, "password": password}
        self._token: str | None = None

    def get(self, *path: str, **query: Any) -> dict[str, Any]:
        """Read one resource; parts of the path are quoted."""
        return self._ask("GET", path, query)

    def post(self, *path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Make one resource."""
        return self._ask("POST", path, {}, body)

    def patch(self, *path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Change one resource."""
        return self._ask("PATCH", path, {}, body)

    def is_healthy(self, *parts: str) -> bool:
        """Tell whether the named parts report themselves well, and tasks would be answered.

        The interface for tasks is made when it is first asked, which takes seconds: ask it here, so
        that the first task does not wait for it.
        """
        try:
            self._send("GET", "/execution/health", None)
            health = self.get("monitor", "health")
        except (OSError, HTTPException, ApiError):
            return False
        return all((health.get(part) or {}).get("status") == "healthy" for part in parts)

    def _ask(
        self,
        method: str,
        path: tuple[str, ...],
        query: dict[str, Any],
        body: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        if self._token is None:
            answer = self._send("POST", "/auth/token", self._sign_in)
            self._token = str(answer["access_token"])
        where = "/api/v2/" + "/".join(quote(part, safe="") for part in path)
        if query:
            where += "?" + urlencode(query, doseq=True)
        return self._send(method, where, body)

    def _send(self, method: str, where: str, body: dict[str, Any] | None) -> dict[str, Any]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            connection.request(method, where, json.dumps(body) if body else None, headers)
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
        finally:
            connection.close()
        if response.status >= 400:
            raise ApiError(response.status, text[:500])
        answer: dict[str, Any] = json.loads(text)
        return answer
