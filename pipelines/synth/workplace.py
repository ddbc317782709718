"""Workplace-based assessments of a block: who saw whom doing what, and what was written down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.synth import model
from pipelines.synth.parameters import Comments
from pipelines.synth.patterns import place_of
from pipelines.synth.people import (
    COMPETENCIES,
    Assessors,
    Block,
    Bools,
    Floats,
    Ints,
    away,
    competency_weights,
    harsh_rater,
    rotation_on,
    study_year,
)
from pipelines.synth.words import (
    CASE_TYPES,
    CONCERNS,
    IMPROVEMENTS,
    INSTRUMENT_VERSION,
    NOTHING_TO_IMPROVE,
    PRAISE,
    ROLES,
    SETTINGS,
    STRENGTHS,
)

COMPLEXITIES = ("low", "medium", "high")
HOURS = (8, 18)
MICROSECONDS = 1_000_000
DAY_SECONDS = 86_400
AT_TARGET = 0.5
"""Fewer levels below the target than this is at the target."""

LABELS = {
    "entrustment_5": (
        "Level 1 - observe only",
        "Level 2 - direct supervision",
        "Level 3 - indirect supervision",
        "Level 4 - unsupervised",
        "Level 5 - may supervise others",
    ),
    "o_score_5": (
        "I had to do",
        "I had to talk them through",
        "I had to prompt them from time to time",
        "I needed to be in the room just in case",
        "I did not need to be there",
    ),
    "mini_cex_9": tuple(
        f"{level} {('unsatisfactory', 'satisfactory', 'superior')[(level - 1) // 3]}"
        for level in range(1, 10)
    ),
}
FORM_COLUMNS = (
    "Form ID",
    "Programme",
    "Student",
    "Form",
    "Form version",
    "EPA",
    "Rating",
    "Assessor",
    "Assessor role",
    "Place",
    "Case",
    "Complexity",
    "Requested",
    "Observed",
    "Submitted",
    "What went well",
    "What to work on",
    "Concern",
    "Status",
)
TIME_FORMAT = "%d.%m.%Y %H:%M"
FIRST_FORM = 50_000
FORMS_OF_A_BLOCK = 10_000_000


@dataclass(frozen=True)
class Forms:
    """Observations of a block in the order of their encounters, one array element each."""

    who: Ints
    assessor: Ints
    instrument: Ints
    competency: Ints
    setting: Ints
    case: Ints
    complexity: Ints
    observed_at: Ints
    """Seconds since 1970, as local clocks show them."""
    submitted_at: Ints
    expected: Floats
    """The true level for this instrument, competency and day."""
    latent: Floats
    level: Ints
    strengths: Ints
    improvements: Ints
    concern: Ints
    """The sentence of concern, or -1."""
    is_flagged: Bools

    def __len__(self) -> int:
        return len(self.who)


def observe(block: Block) -> Forms:
    """Return everything that was observed in a block up to the last day."""
    who, day, rng = _encounters(block)
    workplace = block.request.parameters.workplace
    competency = _competencies(block, rng, who, day)
    keep = ~model.is_in_practice_gap(block, who, competency, day)
    keep &= ~_rests_on_open_tasks(block, rng, who, competency)
    who, day, competency = who[keep], day[keep], competency[keep]
    n = len(who)
    assessor = _assessors(block, rng, who, day, competency)
    weights = [instrument.weight.value for instrument in workplace.instruments]
    instrument = _pick(rng, weights, n)
    complexity = _pick(rng, workplace.complexity_weights.value, n)
    case = rng.integers(0, len(CASE_TYPES), n)
    expected = np.empty(n)
    latent = np.empty(n)
    level = np.empty(n, dtype=np.int64)
    ease = np.array([workplace.low_complexity.value, 0, workplace.high_complexity.value])
    subjectivity = _subjectivity(block, who, assessor)
    noise = rng.normal(0, 1, n)
    for place, form in enumerate(workplace.instruments):
        some = instrument == place
        of = (who[some], competency[some], day[some])
        by = assessor[some]
        sd = {
            part: model.component_sd(block, form, part)
            for part in ("learner", "stringency", "subjectivity", "case")
        }
        base = model.expected_level(block, *of) - model.secured_shortfall(block, of[0], of[2])
        expected[some] = base + sd["learner"] * model.ability(block, *of, 0)
        seen = model.ability(block, *of, block.assessors.halo[by])
        latent[some] = (
            base
            + sd["learner"] * block.assessors.discrimination[by] * seen
            - sd["stringency"] * block.assessors.stringency[by]
            - block.assessors.harshness[by]
            + sd["subjectivity"] * subjectivity[some]
            + sd["case"] * noise[some]
            + ease[complexity[some]]
            + block.case_effects[case[some]]
        )
        scale = workplace.scale(form.scale)
        level[some] = model.ordinal(latent[some], scale.thresholds.value, scale.first_level)
    observed_at = (
        day * DAY_SECONDS + rng.integers(*HOURS, size=n) * 3600 + rng.integers(0, 4, n) * 900
    )
    below = levels_below_target(block, who, day, latent)
    strengths, improvements, concern = _comments(block, rng, who, competency, day, below)
    flagged = (below >= workplace.concern_below.value) & (
        rng.random(n) < workplace.concern_share.value
    )
    flagged |= rng.random(n) < workplace.concern_base.value
    return Forms(
        who=who,
        assessor=assessor,
        instrument=instrument,
        competency=competency,
        setting=_pick(rng, workplace.setting_weights.value, n),
        case=case,
        complexity=complexity,
        observed_at=observed_at,
        submitted_at=observed_at + _delays(block, rng, n),
        expected=expected,
        latent=latent,
        level=level,
        strengths=strengths,
        improvements=improvements,
        concern=concern,
        is_flagged=flagged,
    )


def form_ids(block: Block, n: int) -> pl.Series:
    """Return the ids of a block's forms."""
    first = FIRST_FORM + block.number * FORMS_OF_A_BLOCK
    numbers = pl.int_range(first, first + n, eager=True)
    return numbers.to_frame("n").select(pl.format(f"{block.request.prefix}F{{}}", "n"))[:, 0]


def sheet(block: Block, forms: Forms) -> pl.DataFrame:
    """Return the forms as the school's system exports them, with the seconds of submission."""
    instruments = block.request.parameters.workplace.instruments
    n = len(forms)
    number = np.arange(n)
    ids = pl.Series(block.learners.ids)
    student = ids.gather(forms.who)
    shouted = pl.Series(number % 3 > 0)
    labels, first = _label_pool(block)
    rating = labels.gather(first[forms.instrument] + forms.level)
    loud = pl.Series(number % 5 == 0)
    has_concern = pl.Series(forms.concern >= 0)
    strengths, improvements = _strength_pool(), _improvement_pool()
    frame = pl.DataFrame(
        {
            "Form ID": form_ids(block, n),
            "student": student,
            "shouted": shouted,
            "Form": pl.Series([form.id for form in instruments]).gather(forms.instrument),
            "EPA": pl.Series(COMPETENCIES).gather(forms.competency),
            "rating": rating,
            "loud": loud,
            "Assessor": pl.Series(block.assessors.ids).gather(forms.assessor),
            "Assessor role": pl.Series(ROLES).gather(block.assessors.role[forms.assessor]),
            "Place": pl.Series(SETTINGS).gather(forms.setting),
            "Case": pl.Series(CASE_TYPES).gather(forms.case),
            "Complexity": pl.Series(COMPLEXITIES).gather(forms.complexity),
            "observed": forms.observed_at * MICROSECONDS,
            "submitted_us": forms.submitted_at * MICROSECONDS,
            "What went well": strengths.gather(forms.strengths),
            "improve": improvements.gather(forms.improvements),
            "worry": pl.Series(CONCERNS).gather(np.maximum(forms.concern, 0)),
            "has_concern": has_concern,
            "Concern": pl.Series(("no", "yes")).gather(forms.is_flagged.astype(np.int64)),
            "submitted": forms.submitted_at,
        }
    )
    times = {
        name: pl.from_epoch(pl.col(column), time_unit="us").dt.to_string(TIME_FORMAT)
        for name, column in (("Observed", "observed"), ("Submitted", "submitted_us"))
    }
    requested = pl.from_epoch(pl.col("observed") - 1800 * MICROSECONDS, time_unit="us")
    made = frame.with_columns(
        pl.lit(block.request.programme).alias("Programme"),
        pl.lit(INSTRUMENT_VERSION).alias("Form version"),
        pl.lit("submitted").alias("Status"),
        pl.when("shouted")
        .then(pl.col("student").str.to_uppercase())
        .otherwise("student")
        .alias("Student"),
        pl.when("loud")
        .then(pl.col("rating").str.to_uppercase() + " ")
        .otherwise("rating")
        .alias("Rating"),
        pl.when("has_concern").then("worry").otherwise("improve").alias("What to work on"),
        requested.dt.to_string(TIME_FORMAT).alias("Requested"),
        **times,
    )
    return made.select(*FORM_COLUMNS, "submitted")


def truth(block: Block, forms: Forms) -> pl.DataFrame:
    """Return what only the generator knows of every form."""
    return pl.DataFrame(
        {
            "record_id": form_ids(block, len(forms)),
            "learner_id": pl.Series(block.learners.ids).gather(forms.who),
            "assessor_id": pl.Series(block.assessors.ids).gather(forms.assessor),
            "instrument": forms.instrument.astype(np.int8),
            "competency_id": pl.Series(COMPETENCIES).gather(forms.competency),
            "day": pl.Series((forms.observed_at // DAY_SECONDS).astype("datetime64[D]")),
            "submitted_on": pl.Series((forms.submitted_at // DAY_SECONDS).astype("datetime64[D]")),
            "expected": forms.expected.astype(np.float32),
            "latent": forms.latent.astype(np.float32),
            "level": forms.level.astype(np.int8),
            "complexity": forms.complexity.astype(np.int8),
            "case_type": forms.case.astype(np.int8),
            "has_concern": forms.concern >= 0,
        }
    )


def _encounters(block: Block) -> tuple[Ints, Ints, np.random.Generator]:
    """Return who was observed on which days: Poisson, as often as each learner asks."""
    learners = block.learners
    rng = block.generator("encounters")
    until = np.minimum(learners.leaves_on, block.last_day)
    days = np.clip(until - learners.entered_on - 10, 0, None)
    rate = block.request.parameters.workplace.forms_per_month.value * 12 / model.DAYS_PER_YEAR
    counts = rng.poisson(rate * learners.activity * days)
    who = np.repeat(np.arange(len(learners)), counts)
    day = learners.entered_on[who] + 10 + (rng.random(len(who)) * days[who]).astype(np.int64)
    weekend = (day + 3) % 7 >= 5
    day = np.where(weekend & (rng.random(len(who)) < 0.8), day - 2, day)
    present = ~away(learners, who, day)
    who, day = who[present], day[present]
    order = np.lexsort((who, day))
    return who[order], day[order], rng


def _competencies(block: Block, rng: np.random.Generator, who: Ints, day: Ints) -> Ints:
    rotation = rotation_on(block.learners, who, day, block.request)
    cumulative = np.cumsum(competency_weights(block.request), axis=1)
    draw = rng.random(len(who))
    found: Ints = (draw[:, None] > cumulative[rotation]).sum(axis=1)
    return np.minimum(found, len(COMPETENCIES) - 1)


def _rests_on_open_tasks(
    block: Block, rng: np.random.Generator, who: Ints, competency: Ints
) -> Bools:
    has = block.learners.planted.has(place_of(block.request, "open_only"))[who]
    about: Bools = has & (block.learners.planted.competency[who] == competency)
    return about & (rng.random(len(who)) < block.request.effect("open_only"))


def _assessors(
    block: Block, rng: np.random.Generator, who: Ints, day: Ints, competency: Ints
) -> Ints:
    """Return who assessed: somebody of the rotation, some more often than others."""
    request, learners = block.request, block.learners
    people: Assessors = block.assessors
    rotation = rotation_on(learners, who, day, request)
    busy = request.parameters.school.busy_assessors.value
    place = (rng.random(len(who)) ** busy * people.per_rotation).astype(np.int64)
    assessor = rotation * people.per_rotation + np.minimum(place, people.per_rotation - 1)
    share = request.share("harsh_rater")
    if share > 0:
        harsh = harsh_rater(request, block.number, people.per_rotation)
        weak = learners.general[who] < np.median(learners.general)
        goes = (rotation == people.rotation[harsh]) & (rng.random(len(who)) < share)
        assessor = np.where(goes & weak, harsh, assessor)
        elsewhere = rotation * people.per_rotation + (harsh + 1) % people.per_rotation
        assessor = np.where((assessor == harsh) & ~weak, elsewhere, assessor)
    has = learners.planted.has(place_of(request, "single_assessor"))[who]
    has &= learners.planted.competency[who] == competency
    has &= rng.random(len(who)) < request.effect("single_assessor")
    only: Ints = learners.mentor[who]
    return np.where(has, only, assessor)


def _subjectivity(block: Block, who: Ints, assessor: Ints) -> Floats:
    """Return what one assessor thinks of one learner: the same draw for the same pair."""
    rng = block.generator("subjectivity")
    pairs = who * len(block.assessors) + assessor
    if len(block.learners) * len(block.assessors) <= 4_000_000:
        table = rng.standard_normal(len(block.learners) * len(block.assessors), dtype=np.float32)
        found: Floats = table[pairs].astype(np.float64)
        return found
    unique, where = np.unique(pairs, return_inverse=True)
    return rng.normal(0, 1, len(unique))[where]


def levels_below_target(block: Block, who: Ints, day: Ints, latent: Floats) -> Floats:
    """Return by how many levels performances fall short of the target of the year of study."""
    parameters = block.request.parameters
    targets = np.array([parameters.target(year) for year in range(1, 30)], dtype=float)
    year = study_year(block.learners, who, day, block.request)
    found: Floats = targets[year - 1] - latent
    return found


def _comments(
    block: Block,
    rng: np.random.Generator,
    who: Ints,
    competency: Ints,
    day: Ints,
    below: Floats,
) -> tuple[Ints, Ints, Ints]:
    """Return places in the pools of comments; 0 is no comment."""
    request, narrative = block.request, block.request.parameters.narrative
    n = len(who)
    strengths = _sentences(
        rng, n, narrative.strengths_share.value, narrative, len(PRAISE), len(STRENGTHS)
    )
    improvements = _sentences(
        rng,
        n,
        narrative.improvements_share.value,
        narrative,
        len(NOTHING_TO_IMPROVE),
        len(IMPROVEMENTS),
    )
    at_target = below <= AT_TARGET
    share = np.where(
        at_target, narrative.concern_at_target.value, narrative.concern_below_target.value
    )
    pattern = request.parameters.pattern("contradicting_narrative")
    contradicts = block.learners.planted.has(place_of(request, pattern.id))[who]
    contradicts &= block.learners.planted.competency[who] == competency
    contradicts &= (block.last_day - day <= pattern.onset_days.value) & at_target
    share = np.where(contradicts, request.effect(pattern.id), share)
    concern = np.where(rng.random(n) < share, rng.integers(0, len(CONCERNS), n), -1)
    return strengths, improvements, concern


def _sentences(
    rng: np.random.Generator,
    n: int,
    share: float,
    narrative: Comments,
    n_plain: int,
    n_specific: int,
) -> Ints:
    """Return places in a pool of nothing, plain sentences, specific ones, and pairs of these."""
    written = rng.random(n) < share
    plain = rng.random(n) < narrative.empty_share.value
    first, second = rng.integers(0, n_specific, n), rng.integers(0, n_specific, n)
    twice = rng.random(n) < narrative.second_sentence_share.value
    specific = 1 + n_plain + np.where(twice, n_specific * (1 + first) + second, first)
    place = np.where(plain, 1 + rng.integers(0, n_plain, n), specific)
    return np.where(written, place, 0)


def _pool(plain: tuple[str, ...], specific: tuple[str, ...]) -> pl.Series:
    pairs = [f"{one} {other}" for one in specific for other in specific]
    return pl.Series(["", *plain, *specific, *pairs])


def _strength_pool() -> pl.Series:
    return _pool(PRAISE, STRENGTHS)


def _improvement_pool() -> pl.Series:
    return _pool(NOTHING_TO_IMPROVE, IMPROVEMENTS)


def _label_pool(block: Block) -> tuple[pl.Series, Ints]:
    """Return all labels, and for each instrument where level 0 of its scale would stand."""
    workplace = block.request.parameters.workplace
    labels: list[str] = []
    starts: dict[str, int] = {}
    for scale in workplace.scales:
        starts[scale.id] = len(labels) - scale.first_level
        labels += LABELS[scale.id]
    return pl.Series(labels), np.array([starts[form.scale] for form in workplace.instruments])


def _delays(block: Block, rng: np.random.Generator, n: int) -> Ints:
    """Return seconds from the encounter to the form: most soon, some weeks later."""
    delays = block.request.parameters.delays
    soon = np.log(delays.median_hours.value * 3600) + rng.normal(0, delays.sd_log.value, n)
    late = np.log(delays.late_median_days.value * DAY_SECONDS) + rng.normal(
        0, delays.late_sd_log.value, n
    )
    is_late = rng.random(n) < delays.late_share.value
    seconds: Ints = np.exp(np.where(is_late, late, soon)).astype(np.int64)
    return np.maximum(60, seconds // 60 * 60)


def _pick(rng: np.random.Generator, weights: list[float], n: int) -> Ints:
    found: Ints = np.searchsorted(np.cumsum(weights), rng.random(n), side="right")
    return np.minimum(found, len(weights) - 1)
