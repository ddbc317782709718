"""Random numbers that depend on the seed and on what they are for, never on the order of work."""

from __future__ import annotations

import zlib

import numpy as np


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Return the generator of one purpose: the same seed and names give the same numbers.

    Names spawn from the seed as children of a `SeedSequence` do, so that one block of learners can
    be made without any other.
    """
    keys = tuple(
        name if isinstance(name, int) else zlib.crc32(name.encode("utf-8")) for name in names
    )
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=keys)))
