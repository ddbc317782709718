"""Where a store is and who asks: from the environment, a URI, or the source's spec."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit, urlunsplit

PREFIX = "TESSERA_LRS_"


class AccessError(Exception):
    """It is not known where the store is, or how to ask it; the message says what to set."""


@dataclass(frozen=True)
class Access:
    """The address of a store and what it is asked with. Secrets are never shown."""

    endpoint: str
    key: str | None = None
    secret: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)


def variable(source: str, name: str) -> str:
    """Return the environment variable of a source: `TESSERA_LRS_XAPI_WBA_KEY`."""
    return f"{PREFIX}{source.upper()}_{name}"


def access_of(
    source: str,
    endpoint: str | None,
    uri: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Access:
    """Return how the store of a source is asked.

    A URI with name and password (an Airflow connection) comes first, then the environment, then
    the endpoint of the spec.

    Raises:
        AccessError: there is no endpoint, or it is no web address.
    """
    env = os.environ if environment is None else environment
    given = {name: env.get(variable(source, name)) for name in ("KEY", "SECRET", "TOKEN")}
    if uri := uri or env.get(variable(source, "URI")):
        found = _of_uri(uri)
        key, secret = found.key or given["KEY"], found.secret or given["SECRET"]
        return Access(_checked(found.endpoint), key, secret, given["TOKEN"])
    address = env.get(variable(source, "ENDPOINT")) or endpoint
    if not address:
        raise AccessError(
            f"the source {source} names no endpoint: set {variable(source, 'ENDPOINT')}, or write "
            "pull: {endpoint: …} in its spec"
        )
    return Access(_checked(address), given["KEY"], given["SECRET"], given["TOKEN"])


def _of_uri(uri: str) -> Access:
    parts = urlsplit(uri)
    scheme, host, path = parts.scheme, parts.netloc.rpartition("@")[2], parts.path
    if path.startswith("/http"):  # an Airflow connection of type http keeps the scheme behind
        scheme, path = path[1:].partition("/")[0], ""
    scheme = {"http": "http", "https": "https"}.get(scheme, "https")
    key = unquote(parts.username) if parts.username else None
    secret = unquote(parts.password) if parts.password else None
    return Access(urlunsplit((scheme, host, path, "", "")), key, secret)


def _checked(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise AccessError(
            "the endpoint must be a web address, such as https://lrs.example.edu/xapi"
        )
    if parts.username or parts.password:
        raise AccessError("the endpoint must not hold a password: set KEY and SECRET beside it")
    return endpoint.rstrip("/")
