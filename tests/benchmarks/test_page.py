from __future__ import annotations

from pathlib import Path

from benchmarks import run as benchmarks
from benchmarks.figures import Case, Figure, Machine, Outcome

MACHINE = Machine(processor="p", cores=2, memory_bytes=2**33, system="Linux 6", python="3.11.7")


def outcome(name: str, *cases: Case, status: str = "done", reason: str | None = None) -> Outcome:
    return Outcome(
        benchmark=name,
        title=f"About {name}",
        status=status,  # type: ignore[arg-type]
        reason=reason,
        cases=cases,
        settings={"runs": 3},
        versions={"duckdb": "2.0.0"},
        machine=MACHINE,
        measured_on="2026-01-31",  # type: ignore[arg-type]
    )


def case(size: int, *, rival: Figure | None) -> Case:
    return Case(
        name="CSV",
        size=size,
        unit="record",
        ours=Figure(
            label="Tessera",
            work=size,
            seconds=(1.0, 2.0, 4.0),
            peak_bytes=2**20,
            details={"read_seconds": 0.5, "rows": 9},
        ),
        floor=Figure(label="DuckDB", work=size, seconds=(0.5,)),
        rival=rival,
    )


def test_the_page_shows_figures_spread_memory_settings_and_machine(tmp_path: Path) -> None:
    rival = Figure(label="dlt", version="1", work=10, seconds=(10.0,))
    benchmarks.keep(outcome("intake", case(100, rival=rival), case(1000, rival=rival)), tmp_path)
    text = benchmarks.renew_page(tmp_path).read_text(encoding="utf-8")
    assert "| CSV | 100 | 50 records/s | 200 records/s | 1.00 s a record | 4.0 | 50.0 |" in text
    assert "| CSV | 100 | Tessera | 2.00 s (1.00 to 4.00) | 1 MiB |" in text
    assert "| CSV | 100 | dlt 1, 10 records | 10.00 s (10.00 to 10.00) | – |" in text
    assert "CSV, 100: read 0.50 s." in text
    assert "Settings: runs: 3, duckdb: 2.0.0." in text
    assert "p, 2 cores, 8 GiB, Linux 6, Python 3.11.7" in text
    assert "images/benchmarks.svg" in text
    assert "<svg" in (tmp_path / "docs" / "images" / "benchmarks.svg").read_text(encoding="utf-8")


def test_the_page_prints_no_ratio_that_was_not_measured(tmp_path: Path) -> None:
    missing = Figure(label="dlt", work=10, why_not="it cannot be installed here: no index")
    benchmarks.keep(outcome("intake", case(100, rival=missing)), tmp_path)
    text = benchmarks.renew_page(tmp_path).read_text(encoding="utf-8")
    assert "not measured: it cannot be installed here: no index | 4.0 | not measured |" in text


def test_what_is_not_there_yet_says_so_and_keeps_an_earlier_result(tmp_path: Path) -> None:
    later = outcome("xapi", status="not yet", reason="there is no such kind")
    benchmarks.keep(later, tmp_path)
    assert "Not yet: there is no such kind." in benchmarks.renew_page(tmp_path).read_text("utf-8")
    benchmarks.keep(outcome("xapi", case(100, rival=None)), tmp_path)
    benchmarks.keep(later, tmp_path)
    (kept,) = benchmarks.kept(tmp_path)
    assert kept.status == "done"
