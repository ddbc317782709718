"""The guide for those who extend Tessera, followed to the letter on a school's own build."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import duckdb
import pytest

from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.warehouse import build as build_module
from pipelines.warehouse.dbt_project import project_folder
from pipelines.warehouse.workbench import build_changed, clone, diff_marts

pytestmark = pytest.mark.slow

GUIDE = Path(__file__).parents[2] / "docs" / "extending.md"
MART = "programme_feedback_by_role"
FORMS = """
    select
        coalesce(assessor_role, 'unknown') as assessor_role,
        count(distinct (coalesce(form_record_id, record_key), learner_key, assessor_key)) as n_forms
    from fct_evidence
    where kind = 'workplace_assessment' and not is_withheld and submitted_on >= occurred_on
    group by all
    order by all
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped project, in a folder where the two files of the guide may be added."""
    folder = tmp_path / "dbt"
    shutil.copytree(project_folder(), folder, ignore=shutil.ignore_patterns("target", "logs"))
    monkeypatch.setattr(build_module, "project_folder", lambda: folder)
    return folder


def test_the_mart_of_the_guide_counts_a_form_once_and_moves_no_other_mart(
    school_home: Home, project: Path, tmp_path: Path
) -> None:
    clone(school_home, tmp_path / "try")
    copy = Home(tmp_path / "try")
    text = GUIDE.read_text(encoding="utf-8")
    for language, suffix in (("sql", "sql"), ("yaml", "yml")):
        (told, *_) = re.findall(rf"```{language}\n((?:-- Grain|version).*?)```", text, re.DOTALL)
        (project / "models" / "marts" / "programme" / f"{MART}.{suffix}").write_text(told)
    done = build_changed(copy, Settings(home=copy.root, site=None, memory_limit="1GB", workers=2))
    assert done.models == (MART,)
    assert done.n_tests == 2
    assert [difference.table for difference in diff_marts(copy)] == [MART]
    with duckdb.connect(str(copy.marts), read_only=True) as con:
        counted = con.execute(f"select assessor_role, n_forms from {MART} order by all").fetchall()
        assert counted == con.execute(FORMS).fetchall()
        assert con.execute(
            "select count(*) > count(distinct form_record_id) from fct_evidence "
            "where kind = 'workplace_assessment' and form_record_id is not null"
        ).fetchall() == [(True,)]
