"""Who is meant: one id for each person, whichever identifier a statement uses."""

from __future__ import annotations

from typing import Any

PERSON = "person"
"""The name of the id within an Agent: the specification has no such property."""

MAILTO = "mailto:"


def person_of(agent: Any, home_pages: frozenset[str]) -> str | None:
    """Return the id of the person an Agent stands for.

    An account of one of the home pages is its bare name, as rosters know it; another one says its
    home page too, so that two systems' `1001` are two people. An mbox is its address, an openid
    its URI, an mbox_sha1sum its digits. A Group is nobody in particular.
    """
    if not isinstance(agent, dict) or agent.get("objectType") == "Group":
        return None
    if (account := agent.get("account")) is not None:
        name, home_page = account["name"], account["homePage"]
        return str(name) if home_page in home_pages else f"{name} @ {home_page}"
    if (mbox := agent.get("mbox")) is not None:
        return str(mbox).removeprefix(MAILTO)
    if (digits := agent.get("mbox_sha1sum")) is not None:
        return str(digits).lower()
    return agent.get("openid")
