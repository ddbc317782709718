from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import polars as pl
import pytest

from pipelines.settings import Settings
from pipelines.sources import catalogue as catalogues
from pipelines.sources import codes
from pipelines.sources.catalogue import load_folders, load_spec
from pipelines.sources.faults import Fault, SourceError
from pipelines.sources.interpretation import interpretation_id
from pipelines.sources.text import globs_overlap

GOOD = """\
source: school
title: Forms of a made-up school
owner: assessment_unit
files: ["*.csv"]
reader: {name: delimited}
time_zone: Europe/Vienna
values: {programme_id: MED}
records:
  - kind: workplace_assessment
    record_id: "{Form ID}-{EPA}"
    fields:
      learner_id: Student
      instrument_id: {column: Form, map: {mini-CEX: mini_cex}}
      competency_id: EPA
      level: {column: Rating, scale: entrustment_5}
      complexity: {column: Hard, map: {no: low, yes: high}}
      observed_at: {column: Date, format: "%d.%m.%Y"}
"""


def faults_of(tmp_path: Path, text: str, lists: dict[str, pl.DataFrame]) -> list[Fault]:
    path = tmp_path / "school.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        load_spec(path, lists)
    except SourceError as error:
        return error.faults
    return []


def test_a_good_spec_has_no_fault(tmp_path: Path, code_lists: dict[str, pl.DataFrame]) -> None:
    assert faults_of(tmp_path, GOOD, code_lists) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("owner: assessment_unit", "ownr: unit", 3, "Did you mean owner?"),
        ("title: Forms of a made-up school\n", "", 1, "Add `title:`"),
        ("delimited", "delimted", 5, "Did you mean delimited?"),
        ("{name: delimited}", "{name: delimited, quotes: x}", 5, "Did you mean quote"),
        ("{name: delimited}", "{name: delimited, encoding: latin9}", 5, "reader.encoding"),
        ("Europe/Vienna", "Europe/Viena", 6, "Region/City"),
        ("programme_id: MED", "programe_id: MED", 7, "Did you mean programme_id"),
        ("workplace_assessment", "workplace_assesment", 9, "Did you mean workplace_assessment"),
        ("{Form ID}-{EPA}", "{Form ID}-{EPA", 10, "brace has no partner"),
        ("      competency_id: EPA\n", "", 11, "needs competency_id"),
        ("learner_id: Student", "learner: Student", 12, "Did you mean learner_id"),
        ("scale: entrustment_5", "scale: entrust_5", 15, "Did you mean entrustment_5"),
        ("scale: entrustment_5", "scale: aias, scale_version: 9", 15, "no version 9"),
        ("scale: entrustment_5", "scale: aias", 15, "has versions 1 and 2, and none is named"),
        ("yes: high", "yes: hard", 16, "complexity cannot be 'hard'"),
        ("yes: high", '"No ": high', 16, "reads the same as 'no'"),
        ("%d.%m.%Y", "dd.mm.yyyy", 17, "no directives"),
        ("%d.%m.%Y", "%H:%M", 17, "says no year and month"),
        ("column: Date, ", "column: Date, lookup: starts, ", 17, "no lookup 'starts'"),
        ("competency_id: EPA", "competency_id: {column: EPA, split: ;}", 14, "Take `split` out"),
        ("column: Hard", "column: AI probability", 16, "is never taken"),
        ("    fields:", "    when: {column: A}\n    fields:", 11, "a condition is"),
        ("title:", "source: twice\ntitle:", 2, "stands here twice"),
        ("title:", "x: &x [*x]\ntitle:", 2, "the anchor &x is not read"),
        ("title:", "x: &x [*x]\ntitle:", 2, "the alias *x is not read"),
        ("title:", "<<: {owner: me}\ntitle:", 2, "merges are not read"),
        ("title:", "? [a, b]\n: 1\ntitle:", 2, "the key is no text"),
        ("MED", "M\0ED", 7, "holds the character U+0000"),
        ("reader: {", "reader: [", 5, "cannot be read as YAML"),
    ],
)
def test_every_fault_names_its_line_and_what_to_do(
    tmp_path: Path,
    code_lists: dict[str, pl.DataFrame],
    old: str,
    new: str,
    line: int,
    said: str,
) -> None:
    assert old in GOOD
    found = faults_of(tmp_path, GOOD.replace(old, new, 1), code_lists)
    assert said in "\n".join(map(str, found))
    fault = next(fault for fault in found if said in str(fault))
    assert fault.line == line
    assert fault.remedy


def test_yaml_words_and_numbers_keep_their_spelling(
    tmp_path: Path, code_lists: dict[str, pl.DataFrame]
) -> None:
    path = tmp_path / "school.yaml"
    path.write_text(GOOD.replace("MED", "007"), encoding="utf-8")
    spec, _, _ = load_spec(path, code_lists)
    assert spec.values["programme_id"] == "007"
    assert spec.records[0].fields["complexity"].map == {"no": "low", "yes": "high"}


def test_two_specs_with_one_id_are_refused(
    tmp_path: Path, code_lists: dict[str, pl.DataFrame]
) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(SourceError, match="is also the id of"):
        load_folders([tmp_path], code_lists)


def test_specs_that_would_take_the_same_file_are_refused(
    tmp_path: Path, code_lists: dict[str, pl.DataFrame]
) -> None:
    (tmp_path / "a.yaml").write_text(GOOD, encoding="utf-8")
    other = GOOD.replace("source: school", "source: other\nfolder: school")
    (tmp_path / "b.yaml").write_text(other.replace("*.csv", "forms_*"), encoding="utf-8")
    with pytest.raises(SourceError, match="match the same files"):
        load_folders([tmp_path], code_lists)
    (tmp_path / "b.yaml").write_text(other.replace("*.csv", "*.txt"), encoding="utf-8")
    assert len(load_folders([tmp_path], code_lists).sources) == 2


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ("*.csv", "forms_*.csv", True),
        ("a*", "*b", True),
        ("a*.csv", "b*.csv", False),
        ("x?.csv", "x1.csv", True),
        ("x?.csv", "x.csv", False),
        ("*", "*", True),
    ],
)
def test_overlap_of_file_patterns(one: str, other: str, overlap: bool) -> None:
    assert globs_overlap(one, other) is overlap
    assert globs_overlap(other, one) is overlap


def test_a_file_belongs_to_the_source_whose_folder_and_pattern_it_meets(
    catalogue_of: Callable[..., catalogues.Catalogue],
) -> None:
    catalogue = catalogue_of("", head=GOOD)
    spec = catalogue.source_of("school/forms.csv")
    assert spec is not None
    assert spec.source == "school"
    assert catalogue.source_of("school/forms.csv.part") is None
    assert catalogue.source_of("elsewhere/forms.csv") is None


def test_the_site_replaces_specs_and_code_rows_by_key(tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "sources").mkdir(parents=True)
    (site / "codes").mkdir()
    (site / "sources" / "mine.yaml").write_text(GOOD, encoding="utf-8")
    (site / "codes" / "instruments.csv").write_text(
        "instrument_id,title,method_family,direction,stake,assurance_level,source\n"
        "dops,Our own DOPS,direct_observation,,0.5,observed,local choice\n"
        "our_form,Our form,direct_observation,,0.1,observed,local choice\n",
        encoding="utf-8",
    )
    settings = Settings(home=tmp_path, site=site)
    catalogue = catalogues.load(settings)
    assert "school" in catalogue.sources
    instruments = catalogue.codes["instruments"]
    assert instruments.filter(instrument_id="dops")["stake"].to_list() == [0.5]
    assert instruments.filter(instrument_id="our_form").height == 1
    assert instruments.filter(instrument_id="mini_cex").height == 1


def test_shipped_specs_and_code_lists_are_in_order(tmp_path: Path) -> None:
    catalogue = catalogues.load(Settings(home=tmp_path, site=None))
    assert set(catalogue.codes) == set(codes.CODE_LISTS)
    for table in catalogue.codes.values():
        assert table["source"].null_count() == 0


def with_second_versions(lists: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return code lists in which every scale has a version more."""
    later = lists["scales"].with_columns(scale_version=pl.lit("9"))
    return lists | {"scales": pl.concat([lists["scales"], later])}


def test_shipped_specs_name_the_versions_of_their_scales(
    code_lists: dict[str, pl.DataFrame],
) -> None:
    load_folders([catalogues.SHIPPED], with_second_versions(code_lists))


def test_a_spec_that_names_no_version_of_a_scale_is_refused_once_there_are_several(
    tmp_path: Path, code_lists: dict[str, pl.DataFrame]
) -> None:
    later = with_second_versions(code_lists)
    assert faults_of(tmp_path, GOOD, code_lists) == []
    (fault,) = faults_of(tmp_path, GOOD, later)
    assert "has versions 1 and 9, and none is named" in str(fault)
    assert "scale_version" in fault.remedy
    named = GOOD.replace("scale: entrustment_5", "scale: entrustment_5, scale_version: 1")
    assert faults_of(tmp_path, named, later) == []


def test_the_interpretation_follows_what_the_spec_says_and_not_its_layout(
    tmp_path: Path, code_lists: dict[str, pl.DataFrame]
) -> None:
    def identity(text: str, lists: dict[str, pl.DataFrame] = code_lists) -> str:
        folder = tmp_path / "specs"
        folder.mkdir(exist_ok=True)
        (folder / "school.yaml").write_text(text, encoding="utf-8")
        catalogue = load_folders([folder], lists)
        return interpretation_id(catalogue.sources["school"], catalogue)

    first = identity(GOOD)
    assert len(first) == 12
    assert identity("# a comment\n" + GOOD) == first
    assert identity(GOOD.replace("{EPA}", "{EPA}x")) != first
    label = {
        "scale_id": "entrustment_5",
        "scale_version": "1",
        "raw_label": "all alone",
        "level": 4,
        "approved_by": "chair",
        "approved_at": "2026-01-01",
        "source": "local choice",
    }
    more = code_lists["scale_labels"].vstack(
        pl.DataFrame([label], schema=code_lists["scale_labels"].schema)
    )
    assert identity(GOOD, {**code_lists, "scale_labels": more}) != first
    unused = code_lists["scale_labels"].vstack(
        pl.DataFrame([label | {"scale_id": "msf_6"}], schema=code_lists["scale_labels"].schema)
    )
    assert identity(GOOD, {**code_lists, "scale_labels": unused}) == first


def test_another_rule_on_what_points_to_a_person_reads_sources_without_free_text_again_too(
    tmp_path: Path, code_lists: dict[str, pl.DataFrame]
) -> None:
    (tmp_path / "school.yaml").write_text(
        dedent("""\
        source: school
        title: Marks of a made-up school
        owner: assessment_unit
        files: ["*.csv"]
        reader: {name: delimited}
        time_zone: Europe/Vienna
        values: {programme_id: MED, instrument_id: mcq, sitting_id: spring, result_status: scored}
        records:
          - kind: exam_result
            record_id: Number
            fields:
              learner_id: Student
              task_id: Exam
              score: Mark
              occurred_at: {column: Date, format: "%d.%m.%Y"}
        """)
    )
    fewer = code_lists | {"identifiers": code_lists["identifiers"].head(1)}
    ids = set()
    for lists in (code_lists, fewer):
        catalogue = load_folders([tmp_path], lists)
        ids.add(interpretation_id(catalogue.sources["school"], catalogue))
    assert len(ids) == 2


def test_lookup_files_lie_beside_the_spec_and_must_have_their_columns(
    tmp_path: Path, code_lists: dict[str, pl.DataFrame]
) -> None:
    (tmp_path / "runs.csv").write_text("run,start\nA,2024-01-01\n", encoding="utf-8")
    spec = GOOD + dedent("""
        lookups:
          starts: {file: runs.csv, key: "{run}", value: "{begin}"}
        """)
    found = faults_of(tmp_path, spec, code_lists)
    assert [fault.message for fault in found] == ["runs.csv has no column 'begin'"]
    assert faults_of(tmp_path, spec.replace("begin", "start"), code_lists) == []
    missing = faults_of(tmp_path, spec.replace("runs.csv", "lost.csv"), code_lists)
    assert "cannot be read" in missing[0].message
