from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from .conftest import HEAD, Result

Read = Callable[..., Result]

START = """
reader: {name: delimited}
values:
  {programme_id: MED, instrument_id: coursework, sitting_id: s1, task_id: t1, result_status: scored}
records:
  - kind: exam_result
    record_id: "{id}"
    fields:
      learner_id: id
"""


def field(read: Read, mapping: str, values: list[str], name: str = "score", **extra: str) -> Result:
    """Read a sheet of one column through one field mapping."""
    columns = {"id": [str(n) for n in range(1, len(values) + 1)], "x": values}
    lines = [",".join(columns), *(f'{i},"{v}"' for i, v in zip(*columns.values(), strict=True))]
    body = extra.get("before", "") + START + f"      {name}: {mapping}\n" + extra.get("after", "")
    return read("\n".join(lines) + "\n", body)


def values(result: Result, name: str = "score") -> list[str | None]:
    assert result.report.error is None
    return result.records()[name].to_list()


def test_a_plain_column_is_trimmed_and_missing_markers_are_null(read_bytes: Read) -> None:
    result = field(read_bytes, "x", [" 5 ", "?", "NA", ""], before='missing: ["", "?", NA]\n')
    assert values(result) == ["5", None, None, None]


def test_without_missing_markers_an_empty_cell_is_a_text(read_bytes: Read) -> None:
    assert values(field(read_bytes, "x", ["5", ""], before="missing: []\n")) == ["5", ""]


def test_narrative_is_kept_to_the_last_space(read_bytes: Read) -> None:
    body = """
    reader: {name: delimited}
    values: {programme_id: MED}
    records:
      - kind: reflection
        record_id: "{id}"
        fields:
          learner_id: id
          reflection_type: {value: goal}
          text: x
          occurred_at: {value: "2024-01-01"}
    """
    result = read_bytes('id,x\n1,"  two\n lines \u00a0"\n2,"  "\n', body)
    assert result.records("reflection")["text"].to_list() == ["  two\n lines \u00a0", None]


def test_a_map_compares_labels_without_case_and_spaces(read_bytes: Read) -> None:
    mapping = (
        "{column: x, map: {Not handed in: absent, done: scored, later: null}, default: exempt}"
    )
    result = field(read_bytes, mapping, ["not  HANDED in", "Done ", "", "later"], "result_status")
    assert values(result, "result_status") == ["absent", "scored", "exempt", "exempt"]


def test_an_unknown_label_keeps_its_text_and_names_the_nearest(read_bytes: Read) -> None:
    mapping = "{column: x, map: {absent: absent, done: scored}, default: exempt}"
    result = field(read_bytes, mapping, ["done", "donne", "zzz"], "result_status")
    assert values(result, "result_status") == ["scored", "donne", "zzz"]
    assert result.problems() == [
        (2, "unknown_label", "result_status"),
        (3, "unknown_label", "result_status"),
    ]
    (problem,) = result.records()["problems"][1]
    assert "Nearest known: 'done'" in problem["suggestion"]


@pytest.mark.parametrize(
    ("unmapped", "expected"), [("keep", ["scored", "odd"]), ("missing", ["scored", None])]
)
def test_unmapped_labels_are_kept_or_missing_by_declaration(
    read_bytes: Read, unmapped: str, expected: list[str | None]
) -> None:
    mapping = f"{{column: x, map: {{done: scored}}, unmapped: {unmapped}}}"
    result = field(read_bytes, mapping, ["done", "odd"], "result_status")
    assert values(result, "result_status") == expected
    assert result.problems() == []


@pytest.mark.parametrize(("named", "version"), [("", None), (', scale_version: "1"', "1")])
def test_a_target_read_through_a_scale_is_of_the_version_that_the_spec_names_else_of_every_one(
    read_bytes: Read, named: str, version: str | None
) -> None:
    body = f"""
    reader: {{name: delimited}}
    values: {{programme_id: MED, plan_id: p, plan_version: "1", stage_id: Y3, source: handbook}}
    records:
      - kind: assessment_plan
        record_id: "{{id}}"
        fields:
          competency_id: id
          target_level: {{column: x, scale: entrustment_5{named}}}
    """
    rows = read_bytes("id,x\nE1,4\nE2,\n", body).records("assessment_plan")
    assert rows.select("target_level", "target_scale_id", "target_scale_version").rows() == [
        ("4", "entrustment_5", version),
        (None, None, None),
    ]


def test_a_scale_gives_level_scale_version_and_label_as_written(read_bytes: Read) -> None:
    body = """
    reader: {name: delimited}
    values: {programme_id: MED, instrument_id: dops, competency_id: E1, observed_at: "2024-01-01"}
    records:
      - kind: workplace_assessment
        record_id: "{id}"
        fields:
          learner_id: id
          level: {column: x, scale: entrustment_5}
    """
    result = read_bytes(
        "id,x\n1,LEVEL 3 -  indirect supervision \n2,4\n3,Leve 3 - indirect supervison\n4,\n", body
    )
    rows = result.records("workplace_assessment")
    assert rows.select("level", "scale_id", "scale_version", "raw_label").rows() == [
        ("3", "entrustment_5", "1", "LEVEL 3 -  indirect supervision"),
        ("4", "entrustment_5", "1", "4"),
        ("Leve 3 - indirect supervison", "entrustment_5", "1", "Leve 3 - indirect supervison"),
        (None, None, None, None),
    ]
    (problem,) = rows["problems"][2]
    assert problem["code"] == "unknown_label"
    assert "level 3 - indirect supervision" in problem["suggestion"]


def test_local_times_become_utc_by_the_zone(read_bytes: Read) -> None:
    mapping = '{column: x, format: ["%d.%m.%Y %H:%M", iso]}'
    result = field(
        read_bytes,
        mapping,
        [
            "05.01.2024 10:00",
            "5.7.2024 10:00",
            "2024-07-05T10:00:00+05:30",
            "2024-07-05 10:00:00.5",
        ],
        "occurred_at",
    )
    assert values(result, "occurred_at") == [
        "2024-01-05T09:00:00Z",
        "2024-07-05T08:00:00Z",
        "2024-07-05T04:30:00Z",
        "2024-07-05T08:00:00.500Z",
    ]


def test_a_time_that_cannot_be_read_keeps_its_text(read_bytes: Read) -> None:
    result = field(read_bytes, '{column: x, format: "%d.%m.%Y"}', ["31.02.2026"], "occurred_at")
    assert values(result, "occurred_at") == ["31.02.2026"]
    assert result.problems() == [(1, "bad_date", "occurred_at")]


@pytest.mark.parametrize(
    ("policy", "autumn", "spring"),
    [
        ("refuse", "ambiguous_time", "nonexistent_time"),
        ("earlier", "2024-10-27T00:30:00Z", "2024-03-31T00:30:00Z"),
        ("later", "2024-10-27T01:30:00Z", "2024-03-31T01:30:00Z"),
    ],
)
def test_hours_that_the_clock_repeats_or_skips_follow_the_declared_policy(
    read_bytes: Read, policy: str, autumn: str, spring: str
) -> None:
    zone = f"{{name: Europe/Vienna, ambiguous: {policy}}}"
    mapping = f"{{column: x, time_zone: {zone}}}"
    result = field(read_bytes, mapping, ["2024-10-27T02:30", "2024-03-31T02:30"], "occurred_at")
    codes = [code for _, code, _ in result.problems()]
    found = codes if policy == "refuse" else values(result, "occurred_at")
    assert found == [autumn, spring]


def test_a_day_is_its_start_or_noon_by_declaration(read_bytes: Read) -> None:
    assert values(field(read_bytes, "x", ["2024-07-05"], "occurred_at"), "occurred_at") == [
        "2024-07-04T22:00:00Z"
    ]
    noon = field(read_bytes, "{column: x, at: noon}", ["2024-07-05"], "occurred_at")
    assert values(noon, "occurred_at") == ["2024-07-05T10:00:00Z"]


def test_days_are_counted_from_a_looked_up_date(read_bytes: Read) -> None:
    before = 'lookups: {starts: {values: {"1": "2024-02-01", "2": "2024-10-01"}}}\n'
    mapping = '{column: x, days_after: {lookup: starts, key: "{id}"}}'
    result = field(read_bytes, mapping, ["-1", "30", "5", "x"], "occurred_at", before=before)
    assert values(result, "occurred_at") == [
        "2024-01-30T23:00:00Z",
        "2024-10-30T23:00:00Z",
        "5",
        "x",
    ]
    assert [code for _, code, _ in result.problems()] == ["unknown_key", "unknown_key"]


def test_a_lookup_file_gives_values_by_key(read_bytes: Read, tmp_path_factory: object) -> None:
    before = "lookups: {runs: {values: {a: A-2024, b: B-2024}}}\n"
    result = field(read_bytes, "{column: x, lookup: runs}", ["A", "c"], "grade", before=before)
    assert values(result, "grade") == ["A-2024", "c"]
    assert result.problems() == [(2, "unknown_key", "grade")]


def test_the_nth_row_takes_the_nth_listed_value(read_bytes: Read) -> None:
    result = field(read_bytes, "{row_number: [i1, i2]}", ["A", "B", "C"], "grade")
    assert values(result, "grade") == ["i1", "i2", None]


def test_decimal_commas_and_thousands(read_bytes: Read) -> None:
    mapping = '{column: x, decimal: ",", thousands: "."}'
    result = field(read_bytes, mapping, ["1.234,5", "12", ",5", "1,2,3", "1.5", "-3,0"])
    assert values(result) == ["1234.5", "12", ".5", "1,2,3", "1.5", "-3.0"]
    assert result.problems() == [(4, "bad_number", "score"), (5, "bad_number", "score")]


def test_usual_words_become_true_and_false_others_stay(read_bytes: Read) -> None:
    result = field(read_bytes, "x", ["Yes", "0", "perhaps", ""], "is_banked")
    assert values(result, "is_banked") == ["true", "false", "perhaps", None]


def test_the_first_column_that_holds_something(read_bytes: Read) -> None:
    result = field(read_bytes, "{first_of: [x, id]}", ["", "b"], "grade")
    assert values(result, "grade") == ["1", "b"]


def test_a_template_with_a_missing_part_is_missing(read_bytes: Read) -> None:
    result = field(read_bytes, '{template: "{{{id}}}-{x}"}', ["a", ""], "grade")
    assert values(result, "grade") == ["{1}-a", None]


def test_cases_are_tried_in_order(read_bytes: Read) -> None:
    mapping = (
        "{cases: [{when: {column: x, missing: true}, value: absent}, "
        '{when: {column: x, matches: "^[0-9]+$"}, value: scored}], default: not_scored}'
    )
    result = field(read_bytes, mapping, ["", "12", "late"], "result_status")
    assert values(result, "result_status") == ["absent", "scored", "not_scored"]


def test_a_split_cell_becomes_a_list_of_values_or_objects(read_bytes: Read) -> None:
    body = """
    reader: {name: delimited}
    values: {programme_id: MED, task_id: t, status: used, declared_at: "2024-01-01"}
    records:
      - kind: ai_use_declaration
        record_id: "{id}"
        fields:
          learner_id: id
          tools: {column: tools, split: {by: ";", into: name}}
          purposes: {column: why, split: ","}
    """
    result = read_bytes('id,tools,why\n1,One; Two;,"a, b"\n2,,\n', body)
    rows = result.records("ai_use_declaration")
    assert json.loads(rows["tools"][0]) == [{"name": "One"}, {"name": "Two"}]
    assert json.loads(rows["purposes"][0]) == ["a", "b"]
    assert rows["tools"][1] is None


def test_a_text_can_be_put_before_each_value_of_a_split_cell(read_bytes: Read) -> None:
    mapping = '{column: x, split: {by: ",", prefix: "student_number:"}}'
    body = f"""
    reader: {{name: delimited}}
    values: {{programme_id: MED}}
    records:
      - kind: learner
        record_id: "{{id}}"
        fields: {{learner_id: id, other_ids: {mapping}}}
    """
    rows = read_bytes('id,x\n1,"a, b"\n2,\n', body).records("learner")
    assert json.loads(rows["other_ids"][0]) == ["student_number:a", "student_number:b"]
    assert rows["other_ids"][1] is None


def test_mangled_cells_are_repaired_by_declared_rules_and_noted(read_bytes: Read) -> None:
    mapping = (
        '{column: x, repair: [{cell: Oct-20, to: 10-20%}, {pattern: "^(\\\\d+)_$", to: "$1"}]}'
    )
    result = field(read_bytes, mapping, ["Oct-20", "7_", "30%"], "grade")
    assert values(result, "grade") == ["10-20%", "7", "30%"]
    notes = result.records()["notes"]
    assert [len(entry) for entry in notes] == [1, 1, 0]
    assert notes[0][0] == {
        "code": "label_repaired",
        "field": "grade",
        "detail": "Oct-20 read as 10-20%",
    }


def test_a_version_is_microseconds_of_a_time_or_a_plain_number(read_bytes: Read) -> None:
    timed = field(read_bytes, '{column: x, format: ["%d.%m.%Y"]}', ["02.01.1970"], "source_version")
    assert values(timed, "source_version") == [str((24 - 1) * 3_600_000_000)]
    assert values(field(read_bytes, "x", ["3"], "source_version"), "source_version") == ["3"]


def test_rows_are_withdrawn_noted_filtered_and_refused(read_bytes: Read) -> None:
    result = field(
        read_bytes,
        "{column: x, unmapped: keep, map: {gone: null, banked: null}}",
        ["5", "gone", "banked", "other kind"],
        after="""\
    when: {column: x, is_not: other kind}
    void: {column: x, is: [Gone]}
    notes: [{code: banked, field: score, when: {column: x, is: banked}}]
""",
    )
    assert result.report.records == {"exam_result": 3, "void": 1}
    (void,) = result.records("void").to_dicts()
    assert (void["target_kind"], void["record_id"], void["programme_id"]) == (
        "exam_result",
        "2",
        "MED",
    )
    rows = result.records()
    assert [note["code"] for entry in rows["notes"] for note in entry] == ["banked"]
    assert result.problems() == [(4, "no_record_matches", None)]


def test_rows_without_a_record_are_skipped_only_by_declaration(read_bytes: Read) -> None:
    result = field(
        read_bytes,
        "x",
        ["1", "2"],
        before="unmatched: skip\n",
        after="    when: {column: x, is: 1}\n",
    )
    assert result.report.records == {"exam_result": 1}
    assert result.report.rows_skipped == 1


def test_one_row_may_hold_records_of_several_kinds(read_bytes: Read) -> None:
    body = """
    reader: {name: delimited}
    values: {programme_id: MED}
    records:
      - kind: learner
        record_id: "{id}"
        fields: {learner_id: id}
      - kind: learner_stage
        record_id: "{id}-{stage}"
        fields: {learner_id: id, period_type: {value: stage}, period_id: stage}
    """
    result = read_bytes("id,stage\n1,A\n2,B\n", body)
    assert result.report.records == {"learner": 2, "learner_stage": 2}


WIDE = """
reader: {name: delimited}
values: {programme_id: MED, task_id: t, sitting_id: s, occurred_at: "2024-01-01"}
records:
  - kind: exam_response
    record_id: "{id}-{item}"
    wide: {columns: "^Item(\\\\d+)$", name_to: item, value_to: cell, blank: BLANK}
    fields:
      learner_id: id
      item_id: {template: "I{item}"}
      response: cell
      response_status:
        {cases: [{when: {column: cell, missing: true}, value: omitted}], default: answered}
"""
SHEET = "id,Item1,Item2,Note\n1,A,,n\n2,,B,n\n3,,,n\n"


def test_wide_columns_become_rows_and_blanks_are_counted(read_bytes: Read) -> None:
    result = read_bytes(SHEET, WIDE.replace("BLANK", "skip"))
    rows = result.records("exam_response")
    assert rows.select("source_row", "source_cell", "item_id", "response").rows() == [
        (1, "Item1", "I1", "A"),
        (2, "Item2", "I2", "B"),
    ]
    assert result.report.cells_blank == 4
    assert result.report.columns_not_taken == ["Note"]


def test_blank_cells_are_records_where_the_spec_keeps_them(read_bytes: Read) -> None:
    result = read_bytes(SHEET, WIDE.replace("BLANK", "keep"))
    assert result.report.records == {"exam_response": 6}
    assert result.report.cells_blank == 4
    statuses = result.records("exam_response")["response_status"].to_list()
    assert statuses.count("omitted") == 4


def test_several_columns_of_one_name_spread_into_one_row(read_bytes: Read) -> None:
    body = """
    reader: {name: delimited}
    values: {programme_id: MED, instrument_id: dops, observed_at: "2024-01-01"}
    records:
      - kind: workplace_assessment
        record_id: "{id}-{competency_id}"
        wide:
          columns: "^(?P<competency_id>EPA\\\\d) (?P<part>level|comment)$"
          spread: {group: part, columns: [level, comment]}
        fields:
          learner_id: id
          level: {column: level, scale: entrustment_5}
          narrative_other: comment
    """
    result = read_bytes(
        "id,EPA1 level,EPA1 comment,EPA2 level,EPA2 comment\n1,3,good,,\n2,,only words,5,\n", body
    )
    rows = result.records("workplace_assessment")
    assert rows.select("source_row", "competency_id", "level", "narrative_other").rows() == [
        (1, "EPA1", "3", "good"),
        (2, "EPA1", None, "only words"),
        (2, "EPA2", "5", None),
    ]
    assert result.report.cells_blank == 1


def test_known_at_may_come_from_a_trusted_column(read_bytes: Read) -> None:
    result = field(
        read_bytes, "id", ["2024-01-01T10:00:00Z", "x"], "grade", before="known_at: {column: x}\n"
    )
    rows = result.records()
    assert rows["row_known_at"].to_list() == ["2024-01-01T10:00:00Z", None]
    assert rows["notes"][1][0]["code"] == "known_at_of_receipt"


def test_json_lines_map_like_columns(read_bytes: Read) -> None:
    body = START.replace("name: delimited", "name: jsonl").replace(
        "learner_id: id", "learner_id: who.id"
    )
    lines = ['{"id": 1, "who": {"id": "L1"}, "x": 1.50}', '{"id": 2}', "{bad", '{"id": 3, "id": 4}']
    result = read_bytes("\n".join(lines), body + "      score: x\n", head=HEAD)
    rows = result.records()
    assert rows.select("source_row", "record_id", "learner_id", "score").rows() == [
        (1, "1", "L1", "1.50"),
        (2, "2", None, None),
        (3, None, None, None),
        (4, None, None, None),
    ]
    assert result.problems() == [(3, "not_json", None), (4, "duplicate_key", None)]
    assert result.originals().columns == ["source_row", "line"]
