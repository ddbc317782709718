from __future__ import annotations

import duckdb

from pipelines.committee.queries import query


def test_the_newest_version_of_a_framework_is_ten_and_not_nine() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "create table dim_competency as select * from (values "
            "('A', 'F', 'draft', 'The draft', 1), ('A', 'F', '10', 'The tenth', 1), "
            "('A', 'F', '9', 'The ninth', 1)) "
            "as given (competency_id, framework_id, framework_version, title, sort_order)"
        )
        assert connection.execute(query("competencies")).fetchall() == [("A", "The tenth")]
