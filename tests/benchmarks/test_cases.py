"""What benchmarks do with their options; nothing here is timed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks import environments
from benchmarks.cases import intake, stringency, xapi
from benchmarks.figures import Figure
from benchmarks.measure import Contestant
from benchmarks.registry import NotYetError, Options
from pipelines.measurement.components import estimate


def no_environment(*_: object) -> environments.Environment:
    raise environments.MissingRivalError("it cannot be installed here: no index")


def one_second_each(
    contestants: Mapping[str, Contestant], rounds: int, _observer: object
) -> dict[str, Figure]:
    return {
        name: Figure(
            label=item.label,
            work=item.work,
            seconds=() if item.why_not else (1.0,) * rounds,
            why_not=item.why_not,
        )
        for name, item in contestants.items()
    }


def test_intake_without_its_rival_still_has_our_figure_and_the_floor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "environment", no_environment)
    monkeypatch.setattr(intake, "interleave", one_second_each)
    found = intake.measure(Options(tmp_path, sizes=(50,), runs=2))
    assert [case.name for case in found.cases] == ["JSON Lines", "CSV"]
    for case in found.cases:
        assert case.times_floor == pytest.approx(1.0)
        assert case.times_rival is None
        assert case.rival is not None
        assert case.rival.why_not == "it cannot be installed here: no index"


def test_stringency_without_r_or_an_index_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "environment", no_environment)
    monkeypatch.setattr(stringency, "interleave", one_second_each)
    monkeypatch.setattr(stringency.shutil, "which", lambda _: None)
    (case,) = stringency.measure(Options(tmp_path, sizes=(500,))).cases
    assert case.times_rival is None
    assert case.times_floor == pytest.approx(1.0)


def test_planted_variances_are_found_again(tmp_path: Path) -> None:
    import polars as pl

    found = estimate(pl.read_parquet(stringency.ratings(tmp_path / "r.parquet", 5_000)))
    for name, planted in stringency.VARIANCES.items():
        assert found.variances[name] == pytest.approx(planted, rel=0.5)


def test_xapi_is_not_there_while_check_knows_no_statements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xapi.homes, "tessera", lambda *_: ["/bin/sh", "-c", "exit 2"])
    with pytest.raises(NotYetError, match="kind xapi"):
        xapi.measure(Options(tmp_path))
