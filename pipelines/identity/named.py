"""Decisions are made by named persons: what counts as a name."""

from __future__ import annotations

NOBODY = frozenset(
    {
        "admin", "administrator", "anon", "anonymous", "nobody", "none", "null", "operator", "root",
        "service", "somebody", "someone", "system", "tessera", "test", "unknown", "user",
    }
)  # fmt: skip
"""Words that stand for no person."""


class UnnamedError(ValueError):
    """Nobody answers for a decision; the message says what to write."""


def named(person: str, option: str = "--by") -> str:
    """Return the name of the person who decides, without outer or double spaces.

    Raises:
        UnnamedError: the text names nobody.
    """
    name = " ".join(person.split())
    letters = sum(character.isalpha() for character in name)
    if letters < 2 or name.casefold() in NOBODY or not name.isprintable():
        raise UnnamedError(
            f"{option} must name the person who decides: {person!r} names nobody. "
            "Write a name or a personal account, such as 'A. Muster'"
        )
    return name


def reasoned(reason: str) -> str:
    """Return the reason of a decision.

    Raises:
        UnnamedError: there is none.
    """
    text = " ".join(reason.split())
    if sum(character.isalpha() for character in text) < 2:
        raise UnnamedError("--reason must say why, in words that can be read years later")
    return text
