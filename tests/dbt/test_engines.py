"""What the SQL of the project may use, so that DuckDB and Spark both run it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dbt.conftest import PROJECT

OF_ENGINES = {"engine.sql", "engine_portfolio.sql", "kept.sql"}
"""Where engines differ: macros with a variant for each that needs one."""


def _words(text: str) -> set[str]:
    return set(text.split())


SHARED_FUNCTIONS = _words(
    """
    abs asin bool_and bool_or cast ceil chr coalesce count dense_rank exp first_value floor
    greatest lag lead least length lpad ltrim max max_by min nullif pi power rank replace round
    row_number split_part sqrt substring sum trim upper
    """
)
"""Functions that both engines have under one name, with one meaning."""

OF_JINJA = _words("config join namespace range ref return source var")
TYPES = _words("bigint boolean date decimal double integer string timestamp")
TYPES_OF_ONE_ENGINE = _words("varchar text timestamptz hugeint ubigint json uuid")


def sources() -> list[Path]:
    """Return every file with SQL that no engine has a variant of."""
    of_project = [*(PROJECT / "models").rglob("*.sql"), *(PROJECT / "tests").rglob("*.sql")]
    macros = [path for path in (PROJECT / "macros").glob("*.sql") if path.name not in OF_ENGINES]
    return sorted([*of_project, *macros])


def code(sql: str) -> str:
    """Return SQL without comments."""
    return re.sub(r"--.*", "", re.sub(r"{#.*?#}", "", sql, flags=re.DOTALL))


def called(sql: str) -> set[str]:
    """Return the names of the functions and macros that SQL calls."""
    return set(re.findall(r"(?<![\w.'])([a-z_]\w*)\(", code(sql))) - TYPES


def casts(sql: str) -> set[str]:
    """Return the names of the types that SQL casts to, and other names that follow an `as`."""
    return set(re.findall(r"\bas ([a-z]\w*)", code(sql)))


def macros() -> Iterator[str]:
    """Yield the names of the project's macros."""
    for path in (PROJECT / "macros").rglob("*.sql"):
        yield from re.findall(r"{%-?\s*macro\s+(\w+)", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)
def test_sql_calls_functions_and_names_types_that_both_engines_have(path: Path) -> None:
    sql = path.read_text(encoding="utf-8")
    assert called(sql) - set(macros()) - SHARED_FUNCTIONS - OF_JINJA == set()
    assert casts(sql) & TYPES_OF_ONE_ENGINE == set()
    assert "[" not in re.sub(r"{[{%].*?[}%]}", "", code(sql), flags=re.DOTALL)


def test_a_function_and_a_type_of_one_engine_are_found() -> None:
    sql = "select list_sort(x), cast(y as varchar), cast(z as decimal(5, 4)) -- hash(z)"
    assert called(sql) - SHARED_FUNCTIONS == {"list_sort"}
    assert casts(sql) & TYPES_OF_ONE_ENGINE == {"varchar"}


def test_what_engines_spell_differently_has_a_default_and_dispatches() -> None:
    names = set(macros())
    spark = {name.removeprefix("spark__") for name in names if name.startswith("spark__")}
    assert {name for name in spark if f"default__{name}" not in names} == set()
    assert {name for name in spark if name not in names} == set()
