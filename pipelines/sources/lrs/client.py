"""GET /statements, page by page, tried again when a store is busy."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpx
import msgspec
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from pipelines.sources.lrs.access import Access

CONSISTENT_THROUGH = "X-Experience-API-Consistent-Through"
VERSION = "X-Experience-API-Version"
BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
TRIES = 6
LONGEST_WAIT = 60.0
TIMEOUT = httpx.Timeout(60.0, connect=10.0)
HEADER_OF = {"1.0.3": "1.0.3", "2.0": "2.0.0"}


class PullError(Exception):
    """The store cannot be pulled from; the message says why and what to do."""


class ExpiredError(PullError):
    """The store no longer knows where the last page ended: the pull begins again."""


class _BusyError(Exception):
    def __init__(self, what: str, wait: float | None) -> None:
        super().__init__(what)
        self.wait = wait


class _Result(msgspec.Struct):
    statements: list[msgspec.Raw]
    more: str | None = None


@dataclass(frozen=True)
class Page:
    """Some statements, as the store wrote them, and where there are more."""

    statements: list[bytes]
    more: str | None
    consistent_through: str | None


class Client:
    """Asks one store, with what it may be asked with."""

    def __init__(
        self,
        access: Access,
        xapi_version: str,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {VERSION: HEADER_OF[xapi_version], "Accept": "application/json"}
        if access.token is not None:
            headers["Authorization"] = f"Bearer {access.token}"
        auth = (access.key, access.secret or "") if access.key is not None else None
        self._endpoint = access.endpoint
        self._http = httpx.Client(
            headers=headers,
            auth=auth if access.token is None else None,
            timeout=TIMEOUT,
            transport=transport,
            follow_redirects=False,
        )
        self._retrying = Retrying(
            retry=retry_if_exception_type((_BusyError, httpx.TransportError)),
            stop=stop_after_attempt(TRIES),
            wait=_wait,
            reraise=True,
            sleep=sleep,
        )

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close its connections."""
        self._http.close()

    def first(self, parameters: dict[str, str]) -> Page:
        """Return the first page of a query.

        Raises:
            PullError: the store refuses, cannot be reached, or answers something else.
        """
        return self._page(f"{self._endpoint}/statements", parameters)

    def next(self, more: str) -> Page:
        """Return the page that `more` names, relative to the store's address.

        Raises:
            PullError: as for the first page, or it leads away from the store.
            ExpiredError: the store has forgotten the query.
        """
        url = urljoin(self._endpoint, more)
        here, there = urlsplit(self._endpoint), urlsplit(url)
        if (here.scheme, here.netloc) != (there.scheme, there.netloc):
            raise PullError("the store's `more` leads to another server: nothing is sent there")
        return self._page(url, None)

    def _page(self, url: str, parameters: dict[str, str] | None) -> Page:
        try:
            response = self._retrying(self._get, url, parameters)
        except _BusyError as error:
            raise PullError(f"the store is busy: it answered {error} {TRIES} times") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise PullError(
                f"the store cannot be reached ({type(error).__name__}): see the endpoint, and "
                "whether the store is up"
            ) from None
        self._refuse(response, is_first=parameters is not None)
        try:
            result = msgspec.json.decode(response.content, type=_Result)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise PullError(
                "the store's answer is no StatementResult: see whether the endpoint is that of xAPI"
            ) from None
        return Page(
            [_one_line(bytes(statement)) for statement in result.statements],
            result.more or None,
            response.headers.get(CONSISTENT_THROUGH),
        )

    def _get(self, url: str, parameters: dict[str, str] | None) -> httpx.Response:
        response = self._http.get(url, params=parameters)
        if response.status_code in BUSY:
            raise _BusyError(str(response.status_code), _asked_to_wait(response))
        return response

    @staticmethod
    def _refuse(response: httpx.Response, *, is_first: bool) -> None:
        status = response.status_code
        if status == 200:
            return
        if status in (401, 403):
            raise PullError(
                f"the store refuses ({status}): see the key and secret, and whether they may read "
                "all statements"
            )
        if not is_first:
            raise ExpiredError(f"the store no longer knows its page ({status})")
        raise PullError(
            f"the store answered {status}: see the endpoint and the filters of the source"
        )


def _one_line(statement: bytes) -> bytes:
    """Return JSON without line ends: within texts JSON has none."""
    return statement.replace(b"\r", b" ").replace(b"\n", b" ")


_by_itself = wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    asked = error.wait if isinstance(error, _BusyError) else None
    return _by_itself(state) if asked is None else min(asked, LONGEST_WAIT)


def _asked_to_wait(response: httpx.Response) -> float | None:
    text = response.headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds: float = (moment - datetime.now(UTC)).total_seconds()
    return max(0.0, seconds)
