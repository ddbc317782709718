"""What the shipped list of reviewed words finds in comments, and what it leaves alone."""

from __future__ import annotations

import pytest

from tests.dbt.conftest import Built
from tests.warehouses import opened

MODEL = "int_narratives__marked"
EVIDENCE = '"marts"."main"."fct_evidence"'


def concerns(built: Built, comment: str) -> list[str]:
    """Return the words of concern that the model finds in a comment."""
    (node,) = [node for node in built.nodes("model") if node["name"] == MODEL]
    sql = (built.target / "compiled" / "tessera" / node["original_file_path"]).read_text("utf-8")
    with opened(built.warehouse) as connection:
        connection.execute(
            "create temp table comments as select 'R' as record_key, 'nobody' as learner_key, "
            "'EPA01' as competency_id, ? as narrative_strengths, '' as narrative_improvements, "
            "'' as narrative_other",
            [comment],
        )
        found = connection.execute(
            f"select concern_markers from ({sql.replace(EVIDENCE, 'comments')})"
        ).fetchall()
    return [marker for (markers,) in found for marker in markers]


@pytest.mark.parametrize(
    ("comment", "words"),
    [
        ("Did not check the allergies.", ["did not check"]),
        ("Didn't always document the reasons.", ["didn t document"]),
        ("She does not listen to the nurse.", ["does not listen"]),
        ("Was unaware of the risk.", ["unaware"]),
        ("Seemed not aware of it.", ["not aware"]),
        ("Dokumentierte nicht, was besprochen war.", ["dokumentierte nicht"]),
        ("Die Allergie wurde nicht überprüft.", ["nicht überprüft"]),
    ],
)
def test_an_expected_behaviour_that_was_left_out_is_a_concern(
    built: Built, comment: str, words: list[str]
) -> None:
    assert concerns(built, comment) == words


@pytest.mark.parametrize(
    "comment",
    [
        "Did not need any help and did not hesitate to ask.",
        "Did not order needless tests.",
        "I did not examine this patient with the learner.",
        "Calm when the patient did not listen.",
        "The patient was unaware of the diagnosis; explained it well.",
        "I am not aware of any problem.",
        "Checked everything without being asked.",
        "Do not forget to document the stop date.",
        "Hat nichts vergessen und alles dokumentiert.",
    ],
)
def test_what_was_left_out_by_others_or_for_good_reason_is_no_concern(
    built: Built, comment: str
) -> None:
    assert concerns(built, comment) == []
