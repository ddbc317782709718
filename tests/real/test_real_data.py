from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.real_data import compare, data_folder, fill_inbox, run_pipeline
from tests.real.two_roads import COUNTS, compare_roads, counts_by_road

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif(
        not data_folder().is_dir(), reason=f"no shared test data in {data_folder()}"
    ),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("real")
    fill_inbox(home / "inbox", data_folder())
    done = run_pipeline(home)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return home


def test_published_tables_equal_what_is_known_of_the_real_data(home: Path) -> None:
    differing = [outcome for outcome in compare(home) if not outcome.is_equal]
    assert differing == []


def test_both_roads_give_the_same_where_nothing_is_named_and_differ_where_it_is(
    home: Path,
) -> None:
    surprises = [
        (comparison.name, *found)
        for comparison, *found in compare_roads(home)
        if not comparison.is_as_known(*found)
    ]
    assert surprises == []


def test_banked_and_missing_scores_are_as_many_by_either_road(home: Path) -> None:
    assert counts_by_road(home) == {name: [n, n] for name, (_, n) in COUNTS.items()}


def test_no_name_of_a_real_data_set_occurs_outside_its_spec() -> None:
    repository = Path(__file__).parents[2]
    words = ("oulad", "id_assessment", "dataMedical", "MathExam14W", "pagov", "Entrustment_Level")
    files = [
        path
        for folder in ("pipelines", "dbt", "dags", "expectations")
        for path in (repository / folder).rglob("*")
        if path.suffix in {".py", ".sql"} and "target" not in path.parts
    ]
    found = [
        (path.name, word)
        for path in files
        for word in words
        if word.lower() in path.read_text(encoding="utf-8").lower()
    ]
    assert files
    assert found == []
