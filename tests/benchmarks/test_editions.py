from __future__ import annotations

from benchmarks.editions import with_changed_learners
from pipelines.committee.edition import find
from pipelines.committee.reuse import digests
from pipelines.home import Home
from tests.committee.edition import publish_edition


def test_one_learner_in_so_many_is_changed_and_the_copy_verifies(tmp_path: object) -> None:
    home = Home.open(tmp_path / "home")  # type: ignore[operator]
    publish_edition(home, 12)
    before = find(home, None)
    after = find(home, with_changed_learners(home.root, 4))
    after.verify()
    assert find(home, None).edition_id == before.edition_id
    one, other = digests(before, "v"), digests(after, "v")
    assert sum(one[key] != other[key] for key in one) == 2
