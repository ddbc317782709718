"""Lines that are cut where they stand say what they say when they are read to the letter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.sources.readers import Wanted, regular_lines
from pipelines.sources.readers.base import LINE, SOURCE_ROW, written_out
from pipelines.sources.readers.jsonl import _read_one_by_one, read_bytes

PROJECT = Path(__file__).parents[2]
EVERYTHING = Wanted(patterns=(".",))
KEYS = ("id", "learner_name", "score", "a:b", "é")

texts = st.text(st.sampled_from('ab é:,{}[]" \\\t\n1'), max_size=6)
values = st.one_of(
    texts.map(lambda text: json.dumps(text, ensure_ascii=False)),
    st.sampled_from(
        ["1", "-0", "2.50", "1e5", "01", "NaN", "true", "nul", "null", "[1]", '{"a":1}']
    ),
)
PLAIN = ['"x"', '"Ann: {1}, [2]"', "12", "2.50", "true", "null", '""', '"é"']
lines = st.one_of(
    st.tuples(*[st.sampled_from(PLAIN)] * len(KEYS)),
    st.tuples(*[values] * len(KEYS)),
)
spoils = st.sampled_from(["", "", "", '"', ":", ",", "{", "}", " ", "\\", "\t", "null", '"id":1,'])


def written(cells: tuple[str, ...], colon: str, comma: str, keys: tuple[str, ...] = KEYS) -> str:
    inner = comma.join(f'"{key}"{colon}{cell}' for key, cell in zip(keys, cells, strict=True))
    return f"{{{inner}}}"


@settings(max_examples=400, deadline=None)
@given(
    data=st.lists(st.tuples(lines, spoils, st.floats(0, 1)), min_size=1, max_size=9),
    style=st.sampled_from([(":", ","), (": ", ", "), (": ", ","), (":", ", ")]),
    ends=st.sampled_from(["\n", "\r\n", "\n\n", "\n \t\n"]),
    block=st.sampled_from([1, 60, 100_000]),
)
@example(
    data=[(('"x"',) * 5, "", 0.0), (('"x"',) * 5, '"id":1,', 0.02)],
    style=(":", ","),
    ends="\n",
    block=100_000,
)
def test_every_line_is_read_as_it_is_by_itself(
    data: list[tuple[tuple[str, ...], str, float]],
    style: tuple[str, str],
    ends: str,
    block: int,
) -> None:
    spoilt = []
    for cells, spoil, where in data:
        line = written(cells, *style)
        at = int(where * len(line))
        spoilt.append(line[:at] + spoil + line[at:])
    text = ends.join(spoilt).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(regular_lines, "BLOCK", block)
        _same_as_one_by_one(text, EVERYTHING)
        _same_as_one_by_one(text, Wanted(frozenset({"score", "id.x"})))


@pytest.mark.parametrize(
    "line",
    [
        '{"a":"x","b":"y","a":"z"}',
        '{"a":"x","b":"y","c":1}',
        '{"a":"x","b":}',
        '{"a":"x","b":"y"}}',
        '{"a":"x","b":"y",}',
        '{"a":"x";"b":"y"}',
        '{"a":"x","b":"y"z}',
        '{"a":"x","b":1 2}',
        '{"a":"x","b":"y":"z"}',
        '{"b":"x","a":"y"}',
        '{"aa":"x","b":"y"}',
        '{"a":"\x01","b":"y"}',
        '{"a":"\\ud800","b":"y"}',
        '{"a":NaN,"b":"y"}',
        '{"a":[1],"b":"y"}',
        '{"a":{"b":"x"},"b":"y"}',
        "[]",
        '"a"',
        "{}",
        "{",
        "}",
    ],
)
def test_a_line_unlike_the_others_is_left_to_others(line: str) -> None:
    text = "\n".join(['{"a":"x","b":"y"}'] * 5 + [line, '{"a":null,"b":7}']).encode()
    found = regular_lines.lines_of(text)
    regular, _ = regular_lines.read_regular(
        found, regular_lines.Pattern(("a", "b"), b":", b","), EVERYTHING, 1
    )
    assert regular.tolist() == [True] * 5 + [False, True]
    _same_as_one_by_one(text, EVERYTHING)


def test_bytes_that_are_no_text_are_left_to_others() -> None:
    text = b'{"a":"x","b":"y"}\n{"a":"\xff","b":"y"}\n'
    assert regular_lines.pattern_of(regular_lines.lines_of(text)) is None
    _same_as_one_by_one(text, EVERYTHING)


def test_lines_given_by_their_place_are_written_out_from_the_file(tmp_path: Path) -> None:
    rows = [written(('"x"', '"y"', str(n), "null", '"é"'), ":", ",") for n in range(50)]
    rows[7] = rows[7].replace('"x"', '"say \\"no\\""')
    text = "\n".join(rows).encode()
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b"above\n" + text)
    chunk = read_bytes(text, 10, EVERYTHING, set(), offset=len(b"above\n"))
    assert chunk is not None
    assert chunk.originals[LINE].null_count() == 49
    assert written_out(chunk.originals, path).to_dict(as_series=False) == {
        SOURCE_ROW: list(range(11, 61)),
        LINE: rows,
    }


def _same_as_one_by_one(text: bytes, wanted: Wanted) -> None:
    given_lines = [line for line in text.split(b"\n") if line.strip(b" \t\r")]
    seen: set[str] = set()
    expected, problems = _read_one_by_one(enumerate(given_lines, start=1), wanted, seen)
    seen_together: set[str] = set()
    chunk = read_bytes(text, 0, wanted, seen_together)
    if chunk is None:
        assert given_lines == []
        return
    assert _cells(chunk.rows) == _cells(expected)
    assert chunk.problems.to_dict(as_series=False) == problems.to_dict(as_series=False)
    assert seen_together >= seen
    assert chunk.originals[SOURCE_ROW].to_list() == list(range(1, len(given_lines) + 1))


def _cells(rows: pl.DataFrame) -> list[dict[str, str]]:
    return [
        {name: cell for name, cell in row.items() if cell is not None} for row in rows.to_dicts()
    ]


READ_THREE_LINES = """
import sys
from pipelines.sources.readers import Wanted
from pipelines.sources.readers.jsonl import read_bytes
lines = b''.join(b'{"id":"%d","score":%d,"note":null}\\n' % (n, n) for n in range(3))
chunk = read_bytes(lines, 0, Wanted(patterns=(".",)), set(), 0)
assert chunk.regular.all() and chunk.rows.height == 3 and chunk.rows["note"].null_count() == 3
assert "pandas" not in sys.modules, "pandas was imported"
"""


def test_a_worker_does_not_import_pandas_to_read_regular_lines() -> None:
    subprocess.run([sys.executable, "-c", READ_THREE_LINES], check=True, cwd=PROJECT)
