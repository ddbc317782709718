"""Who gets which planted pattern; the sizes stand in the parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.synth.request import Request
from pipelines.synth.streams import stream
from pipelines.synth.words import EPAS

ESSAY_COMPETENCIES = ("EPA02", "EPA05")
"""What the open written tasks are about."""
MSF_COMPETENCIES = ("EPA06", "EPA07", "EPA05", "EPA09")
"""What the items of multisource feedback are about."""
LEAVES_NO_STATION = ("open_only", "evidence_gap")
"""Patterns that leave no observed evidence on their competency, OSCE stations included."""
NOBODY = -1


@dataclass(frozen=True)
class Planted:
    """The patterns of a block's learners: at most one each.

    Attributes:
        pattern: place of the pattern among those of the parameters, or `NOBODY`.
        competency: the competency that it is about, or `NOBODY`.
    """

    pattern: NDArray[np.int64]
    competency: NDArray[np.int64]

    def has(self, place: int) -> NDArray[np.bool_]:
        """Tell which learners have the pattern of this place."""
        found: NDArray[np.bool_] = self.pattern == place
        return found


def place_of(request: Request, pattern: str) -> int:
    """Return the place of a pattern among those of the parameters."""
    return [each.id for each in request.parameters.patterns].index(pattern)


def competencies_of(pattern: str) -> list[int]:
    """Return the places of the competencies that a pattern can be about.

    Where nothing but open tasks, or nothing at all, may be there, it is none that multisource
    feedback or, for a gap, essays are about.
    """
    codes = [code for code, _, _ in EPAS]
    by_forms = [i for i, code in enumerate(codes) if code not in MSF_COMPETENCIES]
    if pattern == "open_only":
        return [i for i in by_forms if codes[i] in ESSAY_COMPETENCIES]
    if pattern == "evidence_gap":
        return [i for i in by_forms if codes[i] not in ESSAY_COMPETENCIES]
    return list(range(len(codes)))


def plant(
    request: Request,
    block: int,
    n: int,
    entered: NDArray[np.int64],
    is_steady: NDArray[np.bool_],
) -> Planted:
    """Choose the learners of a block that get a pattern, each at most one.

    Args:
        request: the cohort.
        block: which block.
        n: learners in it.
        entered: when each entered, in days since 1970.
        is_steady: who neither left nor was on leave, so that a pattern has time to show.
    """
    rng = stream(request.seed, request.programme, "patterns", block)
    last = np.datetime64(request.parameters.school.last_day.value).astype("datetime64[D]")
    seen_for = request.parameters.planting.seen_for_days.value
    long_enough = (last.astype(np.int64) - entered) >= seen_for
    order = rng.permutation(n)
    queue = [int(i) for i in order if long_enough[i] and is_steady[i]]
    pattern = np.full(n, NOBODY, dtype=np.int64)
    competency = np.full(n, NOBODY, dtype=np.int64)
    for place, each in enumerate(request.parameters.patterns):
        share = request.share(each.id)
        if each.about == "cohort" or share == 0:
            continue
        wanted = max(1, round(share * n))
        chosen, queue = queue[:wanted], queue[wanted:]
        pattern[chosen] = place
        if each.about == "competency":
            competency[chosen] = rng.choice(competencies_of(each.id), len(chosen))
    return Planted(pattern, competency)
