"""The hook by which a site tells people that a pack waits, or a run is late; off by default."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Any

from airflow.sdk import Context
from airflow.sdk.bases.notifier import BaseNotifier

from pipelines.settings import Settings

LOG = logging.getLogger(__name__)


class NotifierError(Exception):
    """The site's notifier cannot be used; the message says why."""


def notifiers(settings: Settings | None = None) -> list[BaseNotifier]:
    """Return who is told of what waits or is late: nobody, unless TESSERA_NOTIFIER names somebody.

    The name is that of something in a module of the site that is called without arguments and
    returns an Airflow notifier, such as one that sends e-mail.

    Raises:
        NotifierError: there is no such thing, or it makes no notifier.
    """
    named = (settings or Settings()).notifier
    if named is None:
        return []
    module, _, name = named.partition(":")
    try:
        make: Any = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise NotifierError(f"TESSERA_NOTIFIER={named}: {error}") from None
    made = make()
    if not isinstance(made, BaseNotifier):
        raise NotifierError(
            f"TESSERA_NOTIFIER={named} gives {type(made).__name__}, which is no Airflow notifier"
        )
    return [made]


def tell_of_a_late_run(context: Context) -> None:
    """Say that a run has not ended in time: in the log of the deadline, and by the site's notifier.

    Args:
        context: what Airflow knows of the missed deadline: `dag_run` and `deadline`.

    Raises:
        NotifierError: the site names a notifier that cannot be used.
    """
    run: Any = context["dag_run"]
    LOG.warning(
        "run %s of %s has not ended in time: see which task waits or is red; the last good edition "
        "stays current",
        run["dag_run_id"],
        run["dag_id"],
    )
    for notifier in notifiers():
        notifier(context)
