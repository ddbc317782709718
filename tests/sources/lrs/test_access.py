"""Where a store is and who asks."""

from __future__ import annotations

import pytest

from pipelines.sources.lrs.access import AccessError, access_of

ENDPOINT = "https://lrs.example.edu/xapi"


def test_the_environment_gives_key_and_secret_by_source():
    env = {"TESSERA_LRS_XAPI_WBA_KEY": "k", "TESSERA_LRS_XAPI_WBA_SECRET": "s", "OTHER": "x"}
    access = access_of("xapi_wba", ENDPOINT + "/", environment=env)
    assert (access.endpoint, access.key, access.secret) == (ENDPOINT, "k", "s")


def test_the_environment_may_name_another_endpoint_than_the_spec():
    env = {"TESSERA_LRS_A_ENDPOINT": "http://localhost:8100/xAPI", "TESSERA_LRS_A_TOKEN": "t"}
    access = access_of("a", ENDPOINT, environment=env)
    assert (access.endpoint, access.token) == ("http://localhost:8100/xAPI", "t")


@pytest.mark.parametrize(
    ("uri", "endpoint"),
    [
        ("https://k:s%2Fs@lrs.example.edu/xapi", "https://lrs.example.edu/xapi"),
        ("http://k:s%2Fs@lrs.example.edu:8100/xAPI", "http://lrs.example.edu:8100/xAPI"),
        ("lrs://k:s%2Fs@lrs.example.edu/xapi", "https://lrs.example.edu/xapi"),
        ("http://k:s%2Fs@lrs.example.edu/https", "https://lrs.example.edu"),
    ],
)
def test_a_connection_comes_first_and_holds_everything(uri, endpoint):
    env = {"TESSERA_LRS_A_KEY": "other"}
    for access in (
        access_of("a", None, uri, env),
        access_of("a", None, environment=env | {"TESSERA_LRS_A_URI": uri}),
    ):
        assert (access.endpoint, access.key, access.secret) == (endpoint, "k", "s/s")


@pytest.mark.parametrize("endpoint", [None, "", "ftp://x", "lrs.example.edu", "https://a:b@c.d"])
def test_without_a_usable_endpoint_it_is_said_what_to_set(endpoint):
    with pytest.raises(AccessError) as told:
        access_of("a", endpoint, environment={})
    assert "endpoint" in str(told.value)
    assert "a:b" not in str(told.value)


def test_secrets_are_not_shown():
    access = access_of("a", None, "https://k:secret@lrs.example.edu/xapi", {})
    assert "secret" not in repr(access)
