"""Every number of twenty pages drawn at random is the one that SQL gives on the edition."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb


class Tables(HTMLParser):
    """The rows of each table of a page as texts, by what names the table; and its links."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.numbers: list[tuple[str, str]] = []
        self._cell: list[str] | None = None
        self._link: str | None = None
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in {"td", "th"} and self.tables:
            self._cell = []
        elif tag == "a" and told.get("class") == "n":
            self._link = told.get("href")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"} and self._cell is not None:
            text = " ".join("".join(self._cell).split())
            self.tables[-1][-1].append(text)
            self._cell = None
        elif tag == "a":
            self._link = None

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)
        if self._link is not None:
            self.numbers.append((data, self._link))

    def table(self, heading: str) -> list[list[str]]:
        """Return the body of the table whose header has a column of this name."""
        for rows in self.tables:
            if any(heading in cell for cell in rows[0]):
                return rows[1:]
        return []


def _per_cent(value: Decimal) -> int:
    return int((value * 100).quantize(Decimal(1), ROUND_HALF_UP))


def _figure(value: Any) -> str:
    return (
        "–" if value is None else f"{Decimal(str(value)).quantize(Decimal('0.01')).normalize():f}"
    )


def _ask(con: duckdb.DuckDBPyConnection, query: str, key: str) -> list[tuple[Any, ...]]:
    return con.execute(query, [key]).fetchall()


def test_the_grid_holds_the_counts_and_shares_of_the_edition(
    drawn: list[Path], con: duckdb.DuckDBPyConnection
) -> None:
    n_lines = 0
    for path in drawn:
        told = _ask(
            con,
            "select competency_title, n_data_points, n_assessors, n_methods, n_contexts, "
            "n_recent, n_at_target, n_rated, share_at_target, share_low, share_high "
            "from portfolio_competency_status "
            "where learner_key = ? and is_default and is_current_stage order by sort_order",
            path.stem,
        )
        lines = Tables(path).table("Competency")
        if told:
            assert [line[0] for line in lines] == [row[0] for row in told]
        for line, row in zip(lines, told, strict=bool(told)):
            shown = [int(re.match(r"\d+", cell)[0]) for cell in line[2:7]]  # type: ignore[index]
            assert shown == list(row[1:6]), (path.stem, row[0])
            wanted = "–"
            if row[8] is not None:
                low, high = _per_cent(row[9]), _per_cent(row[10])
                wanted = f"{row[6]} of {row[7]} · {_per_cent(row[8])} % ({low}–{high})"
            assert line[8] == wanted, (path.stem, row[0])
            n_lines += 1
    assert n_lines > 200


def test_every_linked_number_is_the_length_of_the_list_behind_it(
    drawn: list[Path], con: duckdb.DuckDBPyConnection
) -> None:
    n_links = 0
    for path in drawn:
        behind = (path.parents[1] / "evidence" / path.name).read_text(encoding="utf-8")
        lists = {
            anchor: len(re.findall(r'class="id"', text))
            for anchor, text in re.findall(r'<p id="([^"]+)" class="behind">(.*?)</p>', behind)
        }
        for number, link in Tables(path).numbers:
            anchor = link.partition("#")[2]
            if anchor in lists:
                assert lists[anchor] == int(number), (path.stem, link)
                n_links += 1
    assert n_links > 200


def test_sittings_hold_the_scores_errors_and_norms_of_the_edition(
    drawn: list[Path], con: duckdb.DuckDBPyConnection
) -> None:
    n_sittings = 0
    for path in drawn:
        told = _ask(
            con,
            "select title, occurred_on, points, max_points, score_share, cut_score, sem, "
            "cohort_mean_share, cohort_sd_share, cohort_n, n_right, n_wrong, n_dont_know, "
            "n_omitted from portfolio_exam where learner_key = ?",
            path.stem,
        )
        lines = {(line[0], line[1]): line for line in Tables(path).table("Exam or work")}
        assert len(lines) == len(told)
        for row in told:
            line = lines[row[0], row[1].isoformat()]
            score = "–" if row[2] is None else f"{_figure(row[2])} of {_figure(row[3])}"
            share = "–" if row[4] is None else f"{_per_cent(row[4])} %"
            norm = "–"
            if row[7] is not None:
                norm = f"{_per_cent(row[7])} % ({_per_cent(row[8])} %, {row[9]})"
            wanted = [score, share, _figure(row[5]), _figure(row[6]), norm]
            assert line[4:9] == wanted, (path.stem, row[0])
            assert line[9:13] == [_figure(value) for value in row[10:]]
            n_sittings += 1
    assert n_sittings > 100


def test_precision_holds_dependability_error_both_shares_and_what_an_interval_follows_from(
    drawn: list[Path], con: duckdb.DuckDBPyConnection
) -> None:
    n_lines = 0
    for path in drawn:
        told = _ask(
            con,
            "select s.competency_title, d.n_rated, d.n_raters, d.dependability, "
            "d.wanted_dependability, d.sem, d.sentence, s.share_at_target, s.share_low, "
            "s.share_high, a.adjusted_share, a.adjusted_low, a.adjusted_high, a.is_sensitive, "
            "a.adjusted_status, s.n_effective, s.assessor_variance_share "
            "from portfolio_competency_status as s "
            "join portfolio_dependability as d using (learner_key, stage_id, competency_id) "
            "left join portfolio_adjusted_share as a using (learner_key, stage_id, competency_id) "
            "where s.learner_key = ? and s.is_default and s.is_current_stage "
            "order by s.sort_order",
            path.stem,
        )
        lines = Tables(path).table("Dependability")
        assert len(lines) == len(told)
        for line, row in zip(lines, told, strict=True):
            adjusted = "not possible"
            if row[10] is not None:
                low, high = _per_cent(row[11]), _per_cent(row[12])
                adjusted = f"about {_per_cent(row[10])} % ({low}–{high})"
                if row[13]:
                    adjusted += f"status would be {row[14].replace('_', ' ')}"
            raw = f"{_per_cent(row[7])} % ({_per_cent(row[8])}–{_per_cent(row[9])})"
            wanted = [
                row[0], str(row[1]), str(row[2]), f"{_figure(row[3])}/{_figure(row[4])}",
                _figure(row[5]), row[6], f"{_figure(row[15])} ({row[16]:.4f})", raw, adjusted,
            ]  # fmt: skip
            assert line == wanted, (path.stem, row[0])
            n_lines += 1
    assert n_lines > 100


def test_declarations_actions_and_quarantine_are_counted_as_in_the_edition(
    drawn: list[Path], con: duckdb.DuckDBPyConnection
) -> None:
    for path in drawn:
        text = path.read_text(encoding="utf-8")
        ai = text[text.index('class="ai"') : text.index('class="signals"')]
        shown = sorted(int(n) for n in re.findall(r"<li>(?:<a[^>]*>)?(\d+)", ai))
        told = _ask(
            con,
            "select count(*) from fct_ai_declaration where learner_key = ? and not is_amended "
            "group by reconciliation",
            path.stem,
        )
        assert shown == sorted(row[0] for row in told), path.stem
        ((n_actions,),) = _ask(
            con, "select count(*) from fct_action where learner_key = ?", path.stem
        )
        last = text[text.index('class="last"') : text.index('class="look"')]
        assert last.count("<li") == n_actions
        ((n_held,),) = _ask(
            con,
            "select coalesce(max(n_quarantined), 0) from committee_agenda where learner_key = ?",
            path.stem,
        )
        caveats = re.search(r"(\d+) rows? of this learner in quarantine", text)
        assert (int(caveats[1]) if caveats else 0) == n_held
