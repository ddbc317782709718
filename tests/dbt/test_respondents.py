"""What respondents of multisource feedback said cannot be had back, not by subtraction either."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.dbt.conftest import Built
from tests.warehouses import connected

MINIMUM = 3
START = datetime(2026, 1, 1, tzinfo=UTC)
ROLES = ("nurse", "peer", "patient")
Arrivals = list[tuple[str, int]]

arrivals = st.lists(
    st.tuples(st.sampled_from((*ROLES, "self")), st.integers(1, 6)), min_size=1, max_size=24
)


class Publisher:
    """The compiled SQL of the marts, on answers of one's own; a learner stands for an edition."""

    def __init__(self, built: Built) -> None:
        self.nodes = built.manifest["nodes"]
        self.connection = connected(built.warehouse)
        self.names = {
            "int_answers__gathered": "answers",
            "stg_assessor_role": "roles",
            "int_rules__chosen": "rules",
            "int_respondents__ranked": "ranked",
        }
        for model in ("int_answers__gathered", "int_rules__chosen"):
            self.connection.execute(
                f"create temp table {self.names[model]} as select * from {self._relation(model)}"
            )
        self.connection.execute("delete from answers")
        self.connection.execute(
            "update rules set threshold_value = ? where rule_set_id = 'msf' "
            "and rule_id = 'respondents'",
            [MINIMUM],
        )
        self.connection.execute(
            "create temp table roles as select role as assessor_role, role as role_group "
            "from unnest(['nurse', 'peer', 'patient', 'self']) as listed (role)"
        )
        self.ranked_sql = self._sql("int_respondents__ranked")
        assert "from answers" in self.ranked_sql
        self.feedback_sql = self._sql("portfolio_msf")
        self.comment_sql = self._sql("portfolio_msf_comment")

    def publish(self, answers: Arrivals) -> None:
        """Make one edition after each arrival."""
        self.connection.execute("delete from answers")
        rows = [
            (f"{edition:03d}", f"r{i:03d}", role, level, START + timedelta(hours=i))
            for edition in range(1, len(answers) + 1)
            for i, (role, level) in enumerate(answers[:edition])
        ]
        self.connection.executemany(
            "insert into answers (learner_key, record_key, assessor_role, level, known_at, "
            "programme_id, instrument_id, scale_id, competency_id, is_banked, occurred_on, "
            "narrative_other) "
            "values (?, ?, ?, ?, ?, 'P', 'msf', 'six', 'C', false, date '2026-01-01', ?)",
            [(*row, f"Words of {row[1]}.") for row in rows],
        )
        self.connection.execute(f"create or replace temp table ranked as {self.ranked_sql}")

    def rows(self) -> list[tuple[str, str, int | None, str | None]]:
        """Return edition, group, number and counts of every row that was published."""
        return self.connection.execute(
            "select learner_key, respondent_group, n_respondents, level_counts "
            f"from ({self.feedback_sql}) order by all"
        ).fetchall()

    def members(self) -> list[tuple[str, str, str]]:
        """Return edition, group and record of every answer that a published number holds."""
        return self.connection.execute(
            "select learner_key, respondent_group, record_key from ranked "
            "where is_shown and respondent_group <> 'self'"
        ).fetchall()

    def comments(self) -> dict[str, set[str]]:
        """Return the words that each edition shows."""
        told: dict[str, set[str]] = defaultdict(set)
        for edition, words in self.connection.execute(
            f"select learner_key, narrative_other from ({self.comment_sql})"
        ).fetchall():
            told[edition].add(words)
        return told

    def _relation(self, model: str) -> str:
        return str(self.nodes[f"model.tessera.{model}"]["relation_name"])

    def _sql(self, model: str) -> str:
        sql = str(self.nodes[f"model.tessera.{model}"]["compiled_code"])
        for read, name in self.names.items():
            sql = sql.replace(self._relation(read), name)
        return sql


@pytest.fixture(scope="module")
def publisher(built: Built) -> Iterator[Publisher]:
    publishing = Publisher(built)
    yield publishing
    publishing.connection.close()


frugal = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def counts(text: str) -> Counter[int]:
    pairs = (part.split(":") for part in text.split())
    return Counter({int(level): int(n) for level, n in pairs})


@given(arrivals)
@frugal
def test_nothing_shows_below_the_minimum(publisher: Publisher, answers: Arrivals) -> None:
    publisher.publish(answers)
    for edition, group, n, levels in publisher.rows():
        if group == "self":
            continue
        given_by_then = sum(
            role == group or group == "others"
            for role, _ in answers[: int(edition)]
            if role != "self"
        )
        assert (n is None) == (levels is None)
        assert n is None or MINIMUM <= n <= given_by_then
        if group != "others":
            assert (n is None) == (given_by_then < MINIMUM)


@given(arrivals)
@frugal
def test_no_difference_of_two_published_rows_is_about_fewer_than_the_minimum(
    publisher: Publisher, answers: Arrivals
) -> None:
    publisher.publish(answers)
    shown = {
        (edition, group): counts(levels)
        for edition, group, _, levels in publisher.rows()
        if levels is not None and group != "self"
    }
    by_group: dict[str, list[Counter[int]]] = defaultdict(list)
    for (edition, group), levels in sorted(shown.items()):
        by_group[group].append(levels)
        if group != "others" and (edition, "others") in shown:
            left = shown[edition, "others"] - levels
            assert left.total() == 0 or left.total() >= MINIMUM
    for editions in by_group.values():
        for earlier, later in combinations(editions, 2):
            came = later - earlier
            assert came.total() == 0 or came.total() >= MINIMUM


@given(arrivals)
@frugal
def test_whoever_adds_and_subtracts_all_editions_can_tell_no_fewer_apart_than_the_minimum(
    publisher: Publisher, answers: Arrivals
) -> None:
    """Answers that are in the same published numbers, always, cannot be told apart by any sums."""
    publisher.publish(answers)
    appearances: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for edition, group, record in publisher.members():
        appearances[record] |= {(edition, group), (edition, "others")}
    alike = Counter(frozenset(places) for places in appearances.values())
    assert all(size >= MINIMUM for size in alike.values()), alike


@given(arrivals)
@frugal
def test_comments_that_came_between_two_editions_are_of_no_fewer_people_than_the_minimum(
    publisher: Publisher, answers: Arrivals
) -> None:
    publisher.publish(answers)
    editions = [words for _, words in sorted(publisher.comments().items())]
    for earlier, later in combinations([set[str](), *editions], 2):
        assert earlier <= later
        assert not 0 < len(later - earlier) < MINIMUM
