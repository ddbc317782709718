"""How dependable a mean of ratings is, and how many more would make it dependable enough.

Design: cases nested in assessors, assessors crossed with learners, as in workplace assessment. The
dependability of `a` assessors with `c` cases each is

    learner / (learner + (stringency + subjectivity) / a + case / (a * c))

Source: the components and the result that Siau et al. (2019, doi:10.1007/s00464-019-06737-7)
publish for gastroscopy: 31, 8, 18, 43; three assessors with three cases each reach 0.70.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.measurement.refusal import UnmeasurableError

SLACK = 1e-9


@dataclass(frozen=True)
class WorkplaceComponents:
    """Variance components of ratings, in any one unit (shares will do).

    Attributes:
        learner: between learners.
        stringency: between assessors.
        subjectivity: between learners, within an assessor: taste; 0 where not told apart.
        case: between cases, and all that is left.
    """

    learner: float
    stringency: float
    subjectivity: float
    case: float

    def __post_init__(self) -> None:
        if min(self.learner, self.stringency, self.subjectivity, self.case) < 0:
            raise UnmeasurableError("A variance component cannot be below 0.")

    @property
    def by_assessor(self) -> float:
        """Return the variance that only more assessors average out."""
        return self.stringency + self.subjectivity


@dataclass(frozen=True)
class Design:
    """A balanced design that reaches the wanted dependability.

    Attributes:
        n_assessors: assessors in all.
        n_observations: observations in all.
    """

    n_assessors: int
    n_observations: int


@dataclass(frozen=True)
class Need:
    """What it takes to reach the wanted dependability from the ratings that there are.

    Attributes:
        n_assessors: assessors in all.
        n_ratings: ratings in all.
        n_more: ratings on top of those that there are, each by another new assessor.
        sentence: the same in words.
    """

    n_assessors: int
    n_ratings: int
    n_more: int
    sentence: str


def drawn_towards(
    published: WorkplaceComponents,
    own: WorkplaceComponents,
    *,
    n_learners: int,
    n_assessors: int,
    pseudo_learners: float,
    pseudo_assessors: float,
    is_taste_known: bool = True,
) -> WorkplaceComponents:
    """Return own components drawn towards published ones, the more the fewer they rest on.

    Two shares are drawn: the learners' of the whole, and the assessors' of what is left, each as if
    so many units more had been seen that split as published. The sum stays as estimated. Source:
    Efron and Morris (1975), J Am Stat Assoc 70:311. The marts compute the same
    (`int_rating_components__chosen`).

    Args:
        published: towards which to draw; only ratios count.
        own: as estimated from the programme's ratings.
        n_learners: learners that they rest on.
        n_assessors: assessors that they rest on.
        pseudo_learners: learners that the published share of learners is worth.
        pseudo_assessors: assessors that the published share of assessors is worth.
        is_taste_known: whether taste was told apart; else it lies in `own.case`, which is then
            split as published.

    Returns:
        Components of which `stringency` holds all that only more assessors average out.
    """
    within = own.by_assessor + own.case
    by_assessor = own.by_assessor
    if not is_taste_known:
        taste = published.subjectivity / (published.subjectivity + published.case)
        by_assessor = own.stringency + own.case * taste
    published_within = published.by_assessor + published.case
    learner = _drawn(
        own.learner / (own.learner + within),
        published.learner / (published.learner + published_within),
        n_learners,
        pseudo_learners,
    )
    assessor = _drawn(
        by_assessor / within,
        published.by_assessor / published_within,
        n_assessors,
        pseudo_assessors,
    )
    total = own.learner + within
    rest = total * (1 - learner)
    return WorkplaceComponents(total * learner, rest * assessor, 0, rest * (1 - assessor))


def _drawn(own: float, published: float, n: float, pseudo_n: float) -> float:
    return (n * own + pseudo_n * published) / (n + pseudo_n)


def error_variance(components: WorkplaceComponents, n_assessors: float, cases_each: float) -> float:
    """Return the variance of a learner's mean around the level it stands for."""
    if n_assessors <= 0 or cases_each <= 0:
        raise UnmeasurableError("At least one assessor with one case is needed.")
    return components.by_assessor / n_assessors + components.case / (n_assessors * cases_each)


def dependability(components: WorkplaceComponents, n_assessors: float, cases_each: float) -> float:
    """Return the dependability (phi) of a mean, 0 to 1."""
    error = error_variance(components, n_assessors, cases_each)
    if components.learner == 0:
        return 0.0
    return components.learner / (components.learner + error)


def dependability_of_clusters(
    components: WorkplaceComponents, ratings_by_assessor: Sequence[int]
) -> float:
    """Return the dependability of a mean of ratings where assessors saw unequal numbers of cases.

    What assessors bring weighs by the square of their part in the ratings: error variance =
    by_assessor * sum of squared numbers / n^2 + case / n. Source: Brennan (2001), Generalizability
    Theory, section 7.2. The marts compute the same (`measure_error_variance`).

    Args:
        components: of the instrument or scale.
        ratings_by_assessor: one number of ratings an assessor.
    """
    n = sum(ratings_by_assessor)
    if n == 0:
        raise UnmeasurableError("At least one rating is needed.")
    if components.learner == 0:
        return 0.0
    squares = sum(size * size for size in ratings_by_assessor)
    error = components.by_assessor * squares / n**2 + components.case / n
    return components.learner / (components.learner + error)


def sem(components: WorkplaceComponents, n_assessors: float, cases_each: float) -> float:
    """Return the standard error of measurement of a mean, in the components' unit."""
    return math.sqrt(error_variance(components, n_assessors, cases_each))


def design_for(components: WorkplaceComponents, wanted: float, *, cases_each: int = 1) -> Design:
    """Return the smallest balanced design that reaches the wanted dependability.

    Args:
        components: of the instrument or scale.
        wanted: dependability to reach, above 0 and below 1.
        cases_each: cases that each assessor sees.

    Raises:
        UnmeasurableError: learners do not differ, so no number of ratings would do.
    """
    if cases_each < 1:
        raise UnmeasurableError("Each assessor must see at least one case.")
    allowed = _allowed_error(components, wanted)
    n_assessors = max(1, math.ceil(error_variance(components, 1, cases_each) / allowed - SLACK))
    return Design(n_assessors, n_assessors * cases_each)


def need(
    components: WorkplaceComponents, wanted: float, ratings_by_assessor: Sequence[int] = ()
) -> Need:
    """Return the fewest ratings that reach the wanted dependability, each by a new assessor.

    A rating by a new assessor adds less to the sum of squared numbers than any other, so no other
    way takes fewer ratings. With N in all, their error variance is

        by_assessor * (sum of squares - n + N) / N^2 + case / N,

    and N solves the quadratic equation that it be learner * (1 - wanted) / wanted. The marts
    compute the same (`measure_ratings_wanted`).

    Args:
        components: of the instrument or scale.
        wanted: dependability to reach, above 0 and below 1.
        ratings_by_assessor: one number of ratings an assessor that there is already.

    Raises:
        UnmeasurableError: learners do not differ, so no number of ratings would do.
    """
    allowed = _allowed_error(components, wanted)
    have = sum(ratings_by_assessor)
    surplus = sum(size * size for size in ratings_by_assessor) - have
    of_one = components.by_assessor + components.case
    root = math.sqrt(of_one**2 + 4 * allowed * components.by_assessor * surplus)
    n_ratings = max(have, 1, math.ceil((of_one + root) / (2 * allowed) - SLACK))
    n_more = n_ratings - have
    n_assessors = len(ratings_by_assessor) + n_more
    return Need(n_assessors, n_ratings, n_more, _in_words(wanted, n_ratings, n_assessors, n_more))


def _allowed_error(components: WorkplaceComponents, wanted: float) -> float:
    """Return the error variance with which the wanted dependability is just reached."""
    if not 0 < wanted < 1:
        raise UnmeasurableError("The wanted dependability must lie between 0 and 1.")
    if components.learner == 0:
        raise UnmeasurableError(
            "The ratings show no difference between learners: more of them would not change that."
        )
    return components.learner * (1 - wanted) / wanted


def _in_words(wanted: float, n_ratings: int, n_assessors: int, n_more: int) -> str:
    """Return the sentence, as the marts write it."""
    if n_more == 0:
        return (
            f"A dependability of {wanted:.2f} is reached with {_count(n_ratings, 'rating')} by "
            f"{_count(n_assessors, 'assessor')}."
        )
    each = ", one each." if n_more > 1 else "."
    return (
        f"A dependability of {wanted:.2f} takes {_count(n_more, 'more rating')} by "
        f"{_count(n_more, 'more assessor')}{each}"
    )


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
