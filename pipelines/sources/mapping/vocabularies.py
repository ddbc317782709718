"""Outcomes of decisions are taken from the vocabulary that the decision names, and no other."""

from __future__ import annotations

import polars as pl

from pipelines.sources.faults import known
from pipelines.sources.mapping.frames import Log

UNKNOWN_OUTCOME = "unknown_outcome"
UNKNOWN_VOCABULARY = "unknown_vocabulary"
_FIELDS = ("vocabulary_id", "outcome")
_ADD = "Correct it, or add it to codes/decision_outcomes.csv of the site"


def unknown_outcome(
    outcomes: pl.DataFrame, vocabulary_id: str, outcome: str
) -> tuple[str, str, str, str] | None:
    """Return code, field, value and remedy of an outcome that its vocabulary lacks, or None.

    Args:
        outcomes: the code list `decision_outcomes`.
        vocabulary_id: which list the outcome says it is from.
        outcome: what was decided.
    """
    of_it = outcomes.filter(pl.col("vocabulary_id") == vocabulary_id)["outcome"].to_list()
    if not of_it:
        remedy = known(outcomes["vocabulary_id"].unique().to_list(), vocabulary_id)
        return UNKNOWN_VOCABULARY, "vocabulary_id", vocabulary_id, f"{remedy} {_ADD}."
    if outcome not in of_it:
        return UNKNOWN_OUTCOME, "outcome", outcome, f"{known(of_it, outcome)} {_ADD}."
    return None


def check_outcomes(cells: dict[str, pl.Series], outcomes: pl.DataFrame, log: Log) -> None:
    """Enter a problem for every decision whose outcome its vocabulary lacks."""
    if not set(_FIELDS) <= cells.keys():
        return
    decided = pl.DataFrame([cells[name].alias(name) for name in _FIELDS]).with_row_index("at")
    strange = decided.drop_nulls().join(outcomes, on=_FIELDS, how="anti", maintain_order="left")
    for (vocabulary_id, outcome), rows in strange.group_by(_FIELDS, maintain_order=True):
        found = unknown_outcome(outcomes, str(vocabulary_id), str(outcome))
        if found is not None:
            code, field, value, said = (pl.repeat(text, rows.height, eager=True) for text in found)
            log.problem(rows["at"], code, field[0], value, said)
