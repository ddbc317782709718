from __future__ import annotations

import pickle

import pytest

from pipelines.synth.request import Request, RequestError


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"learners": 0}, "learners is 0: it lies between 1 and"),
        ({"learners": 10**9}, "learners is 1000000000"),
        ({"years": -1}, "years is -1"),
        ({"years": 11}, "between 1 and 10"),
        ({"seed": -1}, "seed is -1"),
        ({"mess": "chaotic"}, "no mess 'chaotic'; known: none, low, medium, high"),
        ({"format": "pdf"}, "no format 'pdf'; known: mixed, csv"),
        ({"format": "oneroster", "learners": 501}, "a OneRoster set holds everybody"),
        ({"effects": {"genius": 1.0}}, "no pattern 'genius'"),
        ({"shares": {"plateau": 2.0}}, "between 0 and 1"),
    ],
)
def test_the_impossible_is_refused_with_the_reason(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(RequestError, match=words.replace("(", r"\(")):
        Request(**wrong)  # type: ignore[arg-type]


def test_blocks_cover_every_learner_once() -> None:
    blocks = Request(learners=1203).blocks
    assert [i for block in blocks for i in block] == list(range(1203))


def test_a_request_crosses_to_a_worker_process_unchanged() -> None:
    request = Request(learners=3, effects={"plateau": 0.5})
    assert pickle.loads(pickle.dumps(request)) == request


def test_only_ids_of_other_programmes_carry_a_prefix() -> None:
    assert Request().prefix == ""
    assert Request(programme="P07").prefix == "P07-"
