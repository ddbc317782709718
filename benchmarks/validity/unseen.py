"""A generator that no rule was tuned on: another school, the same patterns in the same sizes."""

from __future__ import annotations

from typing import Any

import yaml

from pipelines.synth.parameters import Parameters, source_text

WORDS = (
    "fewer forms, by other instruments; assessors who differ more in stringency and taste, and "
    "learners less; abilities that hang together less; more dips; more comments without content, "
    "more concern and more flags; essays that say less; later and longer rotations"
)
"""What differs, for the page."""
WEIGHTS = {
    "mini-CEX": 0.3,
    "DOPS": 0.05,
    "CbD": 0.25,
    "ACAT": 0.15,
    "EPA observation": 0.15,
    "Field note": 0.1,
}
COMPONENTS = {"learner": 0.15, "stringency": 0.22, "subjectivity": 0.23, "case": 0.4}
CHANGES: dict[str, dict[str, Any]] = {
    "school": {"rotation_weeks": 8, "busy_assessors": 1.3, "assessors_per_learner": 0.6},
    "growth": {"levels_per_year": 0.8, "learner_sd": 0.25, "regressions_per_year": 0.6},
    "ability": {"common_share": 0.45, "halo_mean": 0.6, "discrimination_sd": 0.3},
    "workplace": {
        "forms_per_month": 6.5,
        "activity_sd": 0.35,
        "concern_base": 0.008,
        "case_type_sd": 0.2,
        "favoured_weight": 2,
    },
    "delays": {"late_share": 0.2},
    "narrative": {
        "strengths_share": 0.55,
        "improvements_share": 0.65,
        "concern_at_target": 0.01,
        "concern_below_target": 0.25,
    },
    "exams": {"essay_mean": 13.5, "essay_noise_sd": 3.2},
    "ai_use": {"verified_share": 0.7, "missing_share": 0.06},
}


def unseen() -> Parameters:
    """Return the parameters of the other school."""
    told = yaml.safe_load(source_text())
    told["version"] += "-unseen"
    for part, values in CHANGES.items():
        for name, value in values.items():
            told[part][name]["value"] = value
    for instrument in told["workplace"]["instruments"]:
        instrument["weight"]["value"] = WEIGHTS[instrument["id"]]
        for component, share in COMPONENTS.items():
            instrument["components"][component]["value"] = share
    return Parameters.model_validate(told)
