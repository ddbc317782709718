from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.real_data import data_folder, run_pipeline
from tests.real.two_roads import COUNTS, compare, counts, fill_inbox

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif(
        not data_folder().is_dir(), reason=f"no shared test data in {data_folder()}"
    ),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("roads")
    fill_inbox(home / "inbox", data_folder())
    done = run_pipeline(home)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return home


def test_both_roads_give_the_same_where_nothing_is_named_and_differ_where_it_is(
    home: Path,
) -> None:
    surprises = [
        (compared.name, n_rows, n_different)
        for compared, n_rows, n_different in compare(home)
        if (n_rows, n_different) != (compared.n_rows, compared.n_different)
    ]
    assert surprises == []


def test_banked_and_missing_scores_are_as_many_by_either_road(home: Path) -> None:
    assert counts(home) == {name: [n, n] for name, (_, n) in COUNTS.items()}
