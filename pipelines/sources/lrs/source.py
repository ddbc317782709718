"""The sources that are pulled, and one pull of one of them."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.home import Home
from pipelines.sources.lrs.access import AccessError, access_of
from pipelines.sources.lrs.client import Client
from pipelines.sources.lrs.pull import Progress, PullReport, pull
from pipelines.sources.spec import SourceSpec


def pulled_sources(specs: Mapping[str, SourceSpec]) -> list[str]:
    """Return the sources that say in their spec that they are pulled."""
    return sorted(name for name, spec in specs.items() if spec.pull is not None)


def pull_source(
    home: Home,
    spec: SourceSpec,
    *,
    full: bool = False,
    uri: str | None = None,
    progress: Progress | None = None,
) -> PullReport:
    """Pull a source, asked for with what the environment or a URI gives.

    Args:
        home: where the inbox is.
        spec: the source.
        full: ask for everything.
        uri: address, name and password in one, such as an Airflow connection.
        progress: told how many statements are here.

    Raises:
        AccessError: the source is not pulled, or it is not known where its store is.
        PullError: the store cannot be pulled from.
    """
    if spec.pull is None:
        raise AccessError(
            f"the source {spec.source} is not pulled: write `pull: {{endpoint: …}}` in its spec"
        )
    access = access_of(spec.source, spec.pull.endpoint, uri)
    with Client(access, spec.pull.xapi_version) as client:
        return pull(home, spec, client, full=full, progress=progress)
