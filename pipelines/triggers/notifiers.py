"""The hook by which a site tells people that a pack waits for them; off by default."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from airflow.sdk.bases.notifier import BaseNotifier

from pipelines.settings import Settings


class NotifierError(Exception):
    """The site's notifier cannot be used; the message says why."""


def notifiers(settings: Settings | None = None) -> list[BaseNotifier]:
    """Return who is told that a pack waits: nobody, unless TESSERA_NOTIFIER names somebody.

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
