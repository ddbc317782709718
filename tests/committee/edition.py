"""A published edition with invented learners, as the marts would be, small and complete.

The first learners are told one by one: one with everything, one whose texts are hostile, one
without any evidence, one who is on no roster. Further ones are drawn with a fixed seed.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines.home import Home
from pipelines.warehouse.dbt_project import ProgrammePage
from pipelines.warehouse.editions import CURRENT, DATABASE, MANIFEST, Edition, to_json
from pipelines.warehouse.inputs import BuildInputs
from pipelines.warehouse.tables import TABLES, file_hash

Row = dict[str, Any]

AS_OF = date(2026, 11, 28)
KNOWN_AT = datetime(2026, 11, 28, 0, 0, tzinfo=UTC)
FULL, HOSTILE, EMPTY, STRAY = "L-4F7K2QXA3M", "L-B2HOSTILE7", "L-C3EMPTY2AA", "L-D4STRAY3BB"

HOSTILE_TEXTS = (
    "<script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "</blockquote></main><h1>out</h1>",
    "javascript:alert(1) {{ 7*7 }} {% raw %} ${7*7}",
    "مرحبا \u202egnihtemos\u202c \U0001d573\U0001d58a\U0001d591\U0001d591\U0001d594 Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢ 田中さん",
    "line one\nline two\t\ttabs  and   spaces",
    "&lt;b&gt; &amp;amp; 'quotes' \"double\" `ticks` <!-- comment --> ]]>",
    "x" * 3000,
)

COMPETENCIES = (
    ("EPA-01", "Gather a history and perform a physical examination"),
    ("EPA-02", "Prioritise a differential diagnosis"),
    ("EPA-03", "Recommend and interpret common tests"),
    ("EPA-04", "Enter and discuss orders and prescriptions"),
    ("EPA-05", "Document a clinical encounter"),
    ("EPA-06", "Provide an oral presentation of an encounter"),
    ("EPA-07", "Form clinical questions and retrieve evidence"),
    ("EPA-08", "Give or receive a patient handover"),
    ("EPA-09", "Collaborate in an interprofessional team"),
    ("EPA-10", "Recognise a patient who needs urgent care"),
    ("EPA-11", "Obtain informed consent"),
    ("EPA-12", "Perform general procedures"),
    ("EPA-13", "Identify system failures and contribute to safety"),
)
STRENGTHS = (
    "Structured the handover by SBAR and named the outstanding blood culture without being asked.",
    "Calm with an anxious family; checked what they had understood before going on.",
    "Found the murmur, described it precisely and linked it to the history.",
    "Asked for help early and said exactly what was needed.",
    "Clear reasoning about why the scan could wait until the morning.",
)
IMPROVEMENTS = (
    "Next time state the escalation criteria aloud and ask for a read-back.",
    "Weigh renal function before choosing the dose; look at the last two creatinine values.",
    "Practise closing the loop with nursing staff after changing an order.",
    "Keep the presentation under four minutes by leading with the problem.",
    "Needed prompting for the second and third step of the procedure.",
)

TABLES_SQL = {
    "dim_learner": """learner_key varchar, programme_id varchar, site_id varchar,
        cohort_id varchar, mentor_key varchar, stage_id varchar, rotation_id varchar,
        enrolment_status varchar, n_days_leave bigint, is_on_roster boolean, entered_on date,
        rotation_starts_on date, rotation_ends_on date""",
    "dim_task": """programme_id varchar, task_id varchar, title varchar, instrument_id varchar,
        assurance_level varchar, competency_ids varchar[]""",
    "dim_instrument": """instrument_id varchar, title varchar, method_family varchar""",
    "dim_competency": """competency_key varchar, programme_id varchar, framework_id varchar,
        framework_version varchar, competency_id varchar, title varchar, sort_order bigint,
        is_in_force boolean""",
    "dim_scale_level": """scale_id varchar, scale_version varchar, level bigint,
        level_label varchar""",
    "fct_learner_stage": """learner_key varchar, period_type varchar, period_id varchar,
        starts_on date, ends_on date, is_planned boolean, full_time_share decimal(18, 6)""",
    "fct_evidence": """learner_key varchar, evidence_id varchar, round_id varchar,
        record_key varchar,
        record_id varchar, is_withheld boolean, decision_kind varchar, kind varchar,
        programme_id varchar, stage_id varchar, competency_id varchar,
        competency_key varchar, instrument_id varchar, method_family varchar,
        task_id varchar, sitting_id varchar, form_id varchar,
        attempt bigint, result_status varchar, grade varchar, scale_id varchar,
        scale_version varchar, target_scale_version varchar, direction varchar, level bigint,
        raw_label varchar, target_level bigint, is_at_or_above_target boolean,
        score decimal(18, 6), max_score decimal(18, 6), cut_score decimal(18, 6),
        assessor_key varchar, assessor_role varchar, examiner_keys varchar[],
        setting varchar, case_type varchar,
        complexity varchar, assurance_level varchar, stake decimal(18, 6), is_flagged boolean,
        is_banked boolean, is_new_evidence boolean, narrative_strengths varchar,
        narrative_improvements varchar, narrative_other varchar, occurred_at timestamptz,
        occurred_on date, submitted_at timestamptz, known_at timestamptz, is_late boolean,
        timing_note varchar, source_id varchar, delivery_id varchar, source_row bigint,
        source_cell varchar""",
    "fct_ai_declaration": """declaration_key varchar, record_key varchar, learner_key varchar,
        programme_id varchar, task_id varchar, status varchar, tools_text varchar,
        purposes varchar[], stages varchar[], extent varchar, output_changes varchar,
        verification varchar, is_verified boolean, has_patient_data boolean,
        has_accessibility_exemption boolean, reconciliation varchar, sentence varchar,
        is_amended boolean, declared_on date, source_id varchar, delivery_id varchar,
        source_row bigint, known_at timestamptz""",
    "fct_reflection": """record_key varchar, record_id varchar, learner_key varchar,
        programme_id varchar, competency_id varchar, about_record_id varchar,
        about_evidence_id varchar, reflection_type varchar, text varchar, dispute_status varchar,
        owner_key varchar, owner_role varchar, reply varchar, answered_at timestamptz,
        due_on date, occurred_at timestamptz, occurred_on date, source_id varchar,
        delivery_id varchar, source_row bigint,
        source_cell varchar, known_at timestamptz""",
    "fct_requirement": """record_key varchar, learner_key varchar, requirement_id varchar,
        requirement_type varchar, title varchar, stage_id varchar, state varchar,
        reference varchar, n_done bigint, required_n bigint, attended_share decimal(18, 6),
        issued_on date, expires_on date, verified_by_key varchar, occurred_on date,
        source_id varchar, delivery_id varchar, source_row bigint, source_cell varchar,
        known_at timestamptz""",
    "fct_circumstance": """record_key varchar, learner_key varchar, circumstance_type varchar,
        category varchar, adjustment varchar, task_id varchar, status varchar,
        is_for_mentor boolean, starts_on date, ends_on date, disclosed_on date, decided_on date,
        source_id varchar, delivery_id varchar, source_row bigint, source_cell varchar,
        known_at timestamptz""",
    "fct_professionalism_report": """programme_id varchar,
        record_key varchar, learner_key varchar,
        competency_id varchar, report_type varchar, category varchar, severity varchar,
        description varchar, learner_response varchar, setting varchar, reporter_key varchar,
        reporter_role varchar, status varchar, outcome varchar, is_shared_with_learner boolean,
        is_for_mentor boolean, occurred_on date, closed_on date, source_id varchar,
        delivery_id varchar, source_row bigint, source_cell varchar, known_at timestamptz""",
    "fct_meeting_note": """record_key varchar, learner_key varchar, mentor_key varchar,
        meeting_type varchar, text varchar, is_shared_with_learner boolean,
        next_on date, occurred_on date, source_id varchar,
        delivery_id varchar, source_row bigint, source_cell varchar, known_at timestamptz""",
    "fct_decision": """record_key varchar, learner_key varchar,
        committee_id varchar,
        meeting_id varchar, decision_kind varchar, outcome varchar, rationale varchar,
        dissent varchar, appeal_status varchar, standing varchar,
        record_id varchar, programme_id varchar, vocabulary_id varchar,
        corrects_record_id varchar, agenda_list varchar, freeze_id varchar,
        decided_by_keys varchar[], present_keys varchar[], recused_keys varchar[],
        dissent_by_keys varchar[], pulled_by_keys varchar[], addendum_ids varchar[],
        is_corrected boolean, is_latest boolean, is_since_first_arrival boolean,
        decided_at timestamptz, decided_on date,
        source_id varchar, delivery_id varchar, source_row bigint, source_cell varchar,
        known_at timestamptz""",
    "committee_member": """record_key varchar, programme_id varchar,
        committee_id varchar, member_key varchar, member_role varchar, is_voting boolean,
        term_from date, term_to date""",
    "committee_student_record": """record_key varchar, record_id varchar, learner_key varchar,
        programme_id varchar, site_id varchar, committee_id varchar, meeting_id varchar,
        vocabulary_id varchar, corrects_record_id varchar, decision_kind varchar, outcome varchar,
        appeal_status varchar, is_corrected boolean, is_latest boolean, is_out boolean,
        decided_on date, out_on date""",
    "fct_action": """programme_id varchar,
        record_key varchar, learner_key varchar, decision_record_key varchar,
        competency_id varchar,
        instrument_id varchar, description varchar, owner_role varchar, status varchar,
        required_n bigint, n_done bigint, n_days_overdue bigint, is_overdue boolean,
        agreed_on date, due_on date, done_on date, source_id varchar, delivery_id varchar,
        source_row bigint, source_cell varchar, known_at timestamptz""",
    "fct_exam_sitting": """sitting_key varchar, reported_score decimal(18, 6),
        reported_max_score decimal(18, 6)""",
    "programme_cut_score": """programme_id varchar, task_id varchar, sitting_id varchar,
        station_id varchar, method varchar, known_at timestamptz""",
    "portfolio_exam": """sitting_key varchar, learner_key varchar, programme_id varchar,
        task_id varchar,
        sitting_id varchar, instrument_id varchar, evidence_id varchar, title varchar,
        modality varchar, assurance_level varchar, sitting_status varchar, cut_score_method varchar,
        attempt bigint, n_items bigint, n_right bigint, n_wrong bigint, n_omitted bigint,
        n_dont_know bigint, points decimal(18, 6), max_points decimal(18, 6),
        score_share decimal(9, 6),
        cut_score decimal(18, 6), cohort_n bigint, cohort_mean_share decimal(5, 4),
        cohort_sd_share decimal(5, 4), reliability decimal(9, 4), sem decimal(18, 4),
        is_near_cut boolean,
        is_at_or_above_cut boolean, is_below_cut_at_newest boolean, is_progress_test boolean,
        is_banked boolean, occurred_on date""",
    "portfolio_conflict": """programme_id varchar,
        conflict_id varchar, learner_key varchar, competency_id varchar,
        conflict_kind varchar, sentence varchar, is_current_stage boolean,
        evidence_ids varchar[], latest_on date""",
    "portfolio_dependability": """learner_key varchar, programme_id varchar, stage_id varchar,
        competency_id varchar, scale_id varchar, sentence varchar, n_rated bigint, n_raters bigint,
        dependability decimal(5, 4), sem decimal(18, 4), wanted_dependability decimal(18, 6),
        n_more_ratings bigint, n_more_assessors bigint, is_calibrated boolean,
        is_reached boolean""",
    "portfolio_adjusted_share": """learner_key varchar, programme_id varchar, stage_id varchar,
        competency_id varchar, rule_set_id varchar, status varchar, adjusted_status varchar,
        sentence varchar, label varchar, n_rated_by_known bigint, share_at_target decimal(5, 4),
        adjusted_share decimal(5, 4), adjusted_low decimal(5, 4), adjusted_high decimal(5, 4),
        is_sensitive boolean""",
    "portfolio_msf": """learner_key varchar, programme_id varchar, instrument_id varchar,
        scale_id varchar, competency_id varchar, respondent_group varchar, level_counts varchar,
        sentence varchar, n_respondents bigint, n_wanted bigint, level_median decimal(5, 1),
        self_level decimal(5, 1), self_less_others decimal(5, 1), is_withheld boolean,
        is_self_apart boolean, is_dependable boolean""",
    "portfolio_msf_comment": """comment_id varchar, learner_key varchar, programme_id varchar,
        instrument_id varchar, narrative_strengths varchar, narrative_improvements varchar,
        narrative_other varchar""",
    "portfolio_progress_test": """sitting_key varchar, learner_key varchar, programme_id varchar,
        sentence varchar, n_sittings bigint, n_sat bigint, n_absent bigint,
        cumulative_share decimal(9, 4), growth_per_year decimal(18, 4),
        growth_standard_error decimal(18, 4), occurred_on date""",
    "portfolio_narrative": """programme_id varchar,
        learner_key varchar, comment_key varchar, evidence_id varchar,
        competency_id varchar, instrument_id varchar, scale_id varchar, assessor_key varchar,
        assessor_role varchar, setting varchar, narrative_strengths varchar,
        narrative_improvements varchar, narrative_other varchar, level bigint, target_level bigint,
        is_flagged boolean, evidence_ids varchar[], competency_ids varchar[],
        occurred_at timestamptz, occurred_on date""",
    "portfolio_narrative_pick": """learner_key varchar, comment_key varchar, rule_set_id varchar,
        rule_version varchar, pick_reasons varchar[]""",
    "portfolio_signal": """programme_id varchar,
        learner_key varchar, signal_id varchar, rule_id varchar,
        rule_set_id varchar, rule_version varchar, severity varchar, title varchar,
        sentence varchar, remedy varchar, recommended_competency_id varchar,
        recommended_instrument_id varchar, recommended_setting varchar,
        recommended_rotation_id varchar, recommended_assessor_role varchar,
        recommended_assessor varchar, closes_when varchar, owner_role varchar,
        display_order bigint, is_overdue boolean, recommended_from_on date, due_on date,
        evidence_ids varchar[], held_back_titles varchar[]""",
    "portfolio_signal_closed": """learner_key varchar, signal_id varchar, rule_id varchar,
        rule_set_id varchar, rule_version varchar, sentence varchar,
        closed_by_evidence_ids varchar[], raised_on date, closed_on date""",
    "programme_rule": """rule_set_id varchar, rule_set_title varchar, rule_version varchar,
        rule_id varchar, stage_id varchar, words varchar, threshold_name varchar,
        threshold_value decimal(18, 6), unit varchar, source varchar, is_default boolean""",
    "programme_delivery": """delivery_id varchar, source_id varchar, file varchar,
        last_known_at timestamptz, status varchar, reason varchar, owner varchar,
        source_rows bigint, rows_read bigint, accepted bigint, duplicate bigint,
        superseded bigint, voided bigint, quarantined bigint""",
    "programme_data_quality": """code varchar, source_id varchar, kind varchar, found_by varchar,
        is_quarantined boolean, n bigint, sentence varchar, suggestion varchar, owner varchar""",
    "programme_freshness": """source_id varchar, n_held bigint, n_unreadable bigint,
        sentence varchar""",
    "programme_measurement": """programme_id varchar, scale_id varchar, scale_version varchar,
        direction varchar, calibration_version varchar, sentence varchar""",
}

STATUS_SQL = """
create table portfolio_competency_status as
with cells as (
    select l.learner_key, l.programme_id, l.stage_id, c.competency_id,
        c.title as competency_title, c.sort_order
    from dim_learner as l cross join dim_competency as c
    where l.stage_id is not null
),
counted as (
    select
        cells.*,
        count(e.evidence_id) as n_data_points,
        count(distinct e.assessor_key) as n_assessors,
        count(distinct e.method_family) as n_methods,
        greatest(count(distinct e.setting), count(distinct e.case_type)) as n_contexts,
        count(e.evidence_id) filter (where e.occurred_on >= date '2026-11-28' - 182) as n_recent,
        count(e.evidence_id) filter (where e.is_flagged) as n_flags,
        count(e.level) as n_rated,
        count(e.evidence_id) filter (where e.level >= 4) as n_at_target,
        coalesce(
            list(e.evidence_id order by e.evidence_id) filter (where e.evidence_id is not null), []
        ) as evidence_ids
    from cells
    left join fct_evidence as e
        on e.learner_key = cells.learner_key and e.competency_id = cells.competency_id
        and e.stage_id = cells.stage_id and e.is_new_evidence
    group by all
),
shared as (
    select *, n_at_target / nullif(n_rated, 0) as p, 1.6449 as z from counted
),
judged as (
    select *,
        case
            when n_data_points < 5 or n_assessors < 3 or n_methods < 2 then 'not_enough_evidence'
            when n_flags > 0 or p < 0.3 then 'needs_discussion'
            when p >= 0.8 then 'at_or_above_target'
            when p >= 0.5 then 'on_track'
            else 'developing'
        end as status
    from shared
)
select
    learner_key, 'MED' as programme_id, stage_id, competency_id, competency_title, sort_order,
    status,
    case when status = 'not_enough_evidence' and n_data_points = 0
        then 'Not enough evidence yet: no data point in this stage.'
        else n_at_target || ' of ' || n_rated || ' ratings at or above target.'
    end as status_reason,
    'programmatic_assessment' as rule_set_id, '1' as rule_version,
    n_data_points, n_assessors, n_methods, n_contexts, n_recent, n_flags, n_rated, n_at_target,
    cast(round(p, 4) as decimal(5, 4)) as share_at_target,
    cast(round((p + z*z/(2*n_rated) - z*sqrt(p*(1-p)/n_rated + z*z/(4*n_rated*n_rated)))
        / (1 + z*z/n_rated), 4) as decimal(5, 4)) as share_low,
    cast(round((p + z*z/(2*n_rated) + z*sqrt(p*(1-p)/n_rated + z*z/(4*n_rated*n_rated)))
        / (1 + z*z/n_rated), 4) as decimal(5, 4)) as share_high,
    5::bigint as required_data_points, 3::bigint as required_assessors,
    2::bigint as required_methods, 2::bigint as required_contexts, 1::bigint as required_recent,
    cast(round(n_rated / 1.25, 2) as decimal(9, 2)) as n_effective,
    cast(case when n_rated > 0 then 0.3768 end as decimal(18, 6)) as assessor_variance_share,
    'entrustment_5' as target_scale_id, null::varchar as target_scale_version,
    '1' as counted_scale_version, 'retrospective' as counted_direction,
    4::bigint as target_level,
    list_filter([
        case when n_data_points < 5 then n_data_points || ' of 5 data points' end,
        case when n_assessors < 3 then n_assessors || ' of 3 assessors' end,
        case when n_methods < 2 then n_methods || ' of 2 methods' end
    ], lambda x: x is not null) as shortfalls,
    list_filter([
        case when n_data_points < 5 then 'data_points' end,
        case when n_assessors < 3 then 'assessors' end,
        case when n_methods < 2 then 'methods' end
    ], lambda x: x is not null) as shortfall_codes,
    evidence_ids, true as is_default, true as is_current_stage, true as is_required
from judged
"""

PRECISION_SQL = """
insert into portfolio_dependability by name
select learner_key, programme_id, stage_id, competency_id, target_scale_id as scale_id, n_rated,
    n_assessors as n_raters, 0.70 as wanted_dependability, true as is_calibrated,
    round(n_rated / (n_rated + 4), 4) as dependability, round(1 / sqrt(n_rated + 1), 4) as sem,
    n_rated >= 10 as is_reached, greatest(10 - n_rated, 0) as n_more_ratings,
    case when n_rated >= 10 then 0 else 2 end as n_more_assessors,
    'A dependability of 0.70 ' || case when n_rated >= 10
        then 'is reached with ' || n_rated || ' ratings.'
        else 'takes ' || (10 - n_rated) || ' more ratings by 2 more assessors.'
    end as sentence
from portfolio_competency_status
where n_rated > 0;

insert into portfolio_adjusted_share by name
select learner_key, programme_id, stage_id, competency_id, rule_set_id, status,
    case when competency_id = 'EPA-01' then 'developing' else status end as adjusted_status,
    '50 % of the ratings are at or above target; with assessors of typical stringency it would be '
    || 'about 40 %, and the status would be developing.' as sentence,
    'Logistic model, by Laplace approximation' as label, n_rated as n_rated_by_known,
    share_at_target, greatest(share_at_target - 0.1, 0) as adjusted_share,
    greatest(share_low - 0.1, 0) as adjusted_low, greatest(share_high - 0.1, 0) as adjusted_high,
    competency_id = 'EPA-01' as is_sensitive
from portfolio_competency_status
where status <> 'not_enough_evidence' and n_rated > 0;

insert into portfolio_conflict by name
select 'C-S-' || adjusted.learner_key as conflict_id, adjusted.learner_key, adjusted.competency_id,
    'stringency' as conflict_kind, adjusted.sentence, true as is_current_stage,
    status.evidence_ids, date '2026-01-01' as latest_on
from portfolio_adjusted_share as adjusted
inner join portfolio_competency_status as status using (learner_key, stage_id, competency_id)
where adjusted.is_sensitive;
"""

AGENDA_SQL = """
create table committee_agenda as
with status as (
    select learner_key, count(*) as n_competencies,
        count(*) filter (where status <> 'not_enough_evidence') as n_enough_evidence,
        count(*) filter (where status = 'needs_discussion') as n_needs_discussion
    from portfolio_competency_status group by learner_key
),
actions as (
    select learner_key, count(*) filter (where status = 'open') as n_open,
        count(*) filter (where is_overdue) as n_overdue
    from fct_action group by learner_key
),
reasoned as (
    select l.learner_key, l.stage_id, s.*, a.*, d.outcome, d.decided_on,
        list_filter([
            case when a.n_overdue > 0 then 'action_overdue' end,
            case when s.n_needs_discussion > 0 then 'needs_discussion' end,
            case when l.is_on_roster is false then 'data_problem' end,
            case when s.n_competencies is null then 'no_plan'
                 when s.n_enough_evidence < s.n_competencies - 6 then 'not_enough_evidence' end
        ], lambda x: x is not null) as reasons
    from dim_learner as l
    left join status as s on s.learner_key = l.learner_key
    left join actions as a on a.learner_key = l.learner_key
    left join fct_decision as d on d.learner_key = l.learner_key and d.is_latest
)
select learner_key, 'MED' as programme_id, stage_id, 'PC-3' as committee_id,
    'M-2026-11' as meeting_id,
    date '2026-11-30' as meets_on, reasons,
    array_to_string(list_transform(reasons, lambda r: replace(r, '_', ' ')), '; ') as reason_text,
    case when list_has_any(reasons, ['action_overdue', 'needs_discussion']) then 'discuss'
         when len(reasons) > 0 then 'data' else 'consent' end as agenda_group,
    row_number() over (order by
        case when list_has_any(reasons, ['action_overdue', 'needs_discussion']) then 1
             when len(reasons) > 0 then 2 else 3 end, learner_key) as agenda_order,
    case when list_has_any(reasons, ['action_overdue', 'needs_discussion']) then 5
         when len(reasons) > 0 then 3 else 1 end::bigint as minutes,
    outcome as last_decision_outcome, decided_on as last_decided_on,
    coalesce(n_open, 0) as n_actions_open, coalesce(n_overdue, 0) as n_actions_overdue,
    coalesce(n_competencies, 0) as n_competencies,
    coalesce(n_enough_evidence, 0) as n_enough_evidence,
    coalesce(n_needs_discussion, 0) as n_needs_discussion,
    case when learner_key = 'L-4F7K2QXA3M' then 2 else 0 end::bigint as n_quarantined
from reasoned
"""


def publish_edition(
    home: Home,
    n_learners: int = 8,
    seed: int = 7,
    lacking: Iterable[tuple[str, str]] = (),
    keys: Sequence[str] = (),
) -> str:
    """Publish an edition with this many learners, and return its id; 0 is a meeting of nobody.

    Args:
        home: where.
        n_learners: how many.
        seed: what is drawn from.
        lacking: tables and columns that an older Tessera did not have.
        keys: of the first learners, before those that are told one by one.
    """
    tables = _Cohort(n_learners, seed, keys).tables() if n_learners else {}
    inputs = BuildInputs(
        as_of=AS_OF,
        known_at=KNOWN_AT,
        time_zone="Europe/Vienna",
        receipts=(f"r-{n_learners}-{seed}",),
        interpretations=(),
        contract_versions={},
        rule_sets=("programmatic_assessment 1",),
        calibration_version=None,
        reference_hashes={},
        code_version="test",
    )
    folder = home.editions / inputs.build_id
    (folder / TABLES).mkdir(parents=True)
    counts: dict[str, int] = {}
    hashes: dict[str, str] = {}
    files: dict[str, str] = {}
    with duckdb.connect(str(folder / DATABASE)) as con:
        con.execute("set TimeZone = 'UTC'")
        for name, columns in TABLES_SQL.items():
            con.execute(f"create table {name} ({columns})")
            if tables.get(name):
                frame = pl.DataFrame(tables[name], infer_schema_length=None)
                con.register("frame", frame)
                con.execute(f"insert into {name} by name select * from frame")
                con.unregister("frame")
        con.execute(STATUS_SQL)
        con.execute(PRECISION_SQL)
        con.execute(AGENDA_SQL)
        for table, column in lacking:
            con.execute(f"alter table {table} drop column {column}")
        for name in (*TABLES_SQL, "portfolio_competency_status", "committee_agenda"):
            parquet = folder / TABLES / f"{name}.parquet"
            con.execute(f"copy {name} to '{parquet}' (format parquet)")
            counts[name] = con.execute(f"select count(*) from {name}").fetchall()[0][0]
            hashes[name] = files[f"{TABLES}/{name}.parquet"] = file_hash(parquet)
    files[DATABASE] = file_hash(folder / DATABASE)
    edition = Edition(
        edition_id=inputs.build_id,
        created_at=KNOWN_AT,
        as_of=AS_OF,
        known_at=KNOWN_AT,
        inputs=inputs,
        counts=counts,
        table_hashes=hashes,
        keys={},
        programme_page={
            name: ProgrammePage() for name in TABLES_SQL if name.startswith("programme_")
        },
        files=files,
        versions={},
        audit={"verdict": "pass"},
    )
    (folder / MANIFEST).write_bytes(to_json(edition))
    link = home.editions / CURRENT
    link.unlink(missing_ok=True)
    link.symlink_to(inputs.build_id)
    return inputs.build_id


def database_of(home: Home) -> Path:
    """Return the DuckDB file of the current edition."""
    return home.editions / "current" / DATABASE


def seal_again(home: Home) -> None:
    """Let the current edition be what its database is now, as if it had been published so."""
    folder = home.editions / "current"
    edition = Edition.model_validate_json((folder / MANIFEST).read_bytes())
    files = edition.files | {DATABASE: file_hash(folder / DATABASE)}
    (folder / MANIFEST).write_bytes(to_json(edition.model_copy(update={"files": files})))


class _Cohort:
    """Draws learners and what happened to them, the same for the same seed."""

    def __init__(self, n_learners: int, seed: int, keys: Sequence[str]) -> None:
        self._random = random.Random(seed)
        self._rows: dict[str, list[Row]] = {name: [] for name in TABLES_SQL}
        self._n_records = 0
        told = [*keys, FULL, HOSTILE, EMPTY, STRAY]
        self._keys = (told + [f"L-X{i:06d}AAA" for i in range(n_learners)])[:n_learners]

    def tables(self) -> dict[str, list[Row]]:
        self._programme()
        for key in self._keys:
            self._learner(key)
        return self._rows

    def _record_key(self) -> str:
        self._n_records += 1
        return hashlib.sha256(f"record-{self._n_records}".encode()).hexdigest()[:32]

    def _lineage(self, source: str, on: date) -> Row:
        return {
            "source_id": source,
            "delivery_id": f"{source}-0123456789abcdef",
            "source_row": self._n_records,
            "known_at": datetime(on.year, on.month, on.day, 18, tzinfo=UTC),
        }

    def _programme(self) -> None:
        rows = self._rows
        rows["dim_competency"] = [
            {
                "competency_key": code,
                "programme_id": "MED",
                "framework_id": "core_epas",
                "framework_version": "2014",
                "competency_id": code,
                "title": title,
                "sort_order": i,
                "is_in_force": True,
            }
            for i, (code, title) in enumerate(COMPETENCIES)
        ]
        rows["dim_scale_level"] = [
            {"scale_id": "entrustment_5", "scale_version": "1", "level": i, "level_label": str(i)}
            for i in range(1, 6)
        ]
        rows["dim_instrument"] = [
            {"instrument_id": i, "title": t, "method_family": f}
            for i, t, f in (
                ("mini_cex", "Mini clinical evaluation exercise", "direct_observation"),
                ("cbd", "Case-based discussion", "case_discussion"),
                ("progress_test", "Progress test", "written_exam"),
                ("osce", "Objective structured clinical examination", "performance_exam"),
                ("essay", "Essay", "written_work"),
            )
        ]
        rows["dim_task"] = [
            {"programme_id": "MED", "task_id": i, "title": t, "instrument_id": n,
             "assurance_level": a, "competency_ids": None}
            for i, t, n, a in (
                ("ESSAY-1", "Essay on shared decisions", "essay", "open"),
                ("ESSAY-2", "Quality improvement report", "essay", "open"),
                ("OSCE-3", "OSCE of year 3", "osce", "secured"),
            )
        ]  # fmt: skip
        rows["committee_member"] = [
            {"record_key": self._record_key(), "programme_id": "MED", "committee_id": "PC-3",
             "member_key": key, "member_role": role, "is_voting": votes,
             "term_from": date(2025, 1, 1), "term_to": until}
            for key, role, votes, until in (
                ("A-01ASSESSOR", "chair", True, None),
                ("A-02ASSESSOR", "member", True, None),
                ("A-03ASSESSOR", "member", True, None),
                ("A-04SECRETARY", "secretary", False, None),
                ("A-05FORMER", "member", True, date(2026, 6, 30)),
            )
        ]  # fmt: skip
        rows["programme_rule"] = [
            {"rule_set_id": "programmatic_assessment", "rule_set_title": "Programmatic assessment",
             "rule_version": "1", "rule_id": rule, "stage_id": None,
             "words": f"At least this many {rule.replace('_', ' ')}.", "threshold_name": "min",
             "threshold_value": Decimal(value), "unit": rule.replace("_", " "), "source": source,
             "is_default": True}
            for rule, value, source in (
                ("data_points", 5, "Moonen-van Loon et al. 2013"),
                ("assessors", 3, "Crossley et al. 2011"),
                ("methods", 2, "Heeneman et al. 2021"),
            )
        ] + [
            {"rule_set_id": "msf", "rule_set_title": "Multisource feedback", "rule_version": "1",
             "rule_id": "self_others", "stage_id": None, "words": "So many levels apart.",
             "threshold_name": "levels_min", "threshold_value": Decimal(1), "unit": "levels",
             "source": "local choice", "is_default": False},
            {"rule_set_id": "programmatic_assessment",
             "rule_set_title": "Programmatic assessment", "rule_version": "1",
             "rule_id": "interval", "stage_id": None, "words": "A share has an interval.",
             "threshold_name": "z", "threshold_value": Decimal("1.644854"),
             "unit": "standard normal quantile", "source": "local choice", "is_default": True},
        ]  # fmt: skip
        rows["programme_delivery"] = [
            {"delivery_id": f"{source}-0123456789abcdef", "source_id": source,
             "file": f"{source}/2026-11.csv", "last_known_at": KNOWN_AT, "status": "committed",
             "reason": None, "owner": None, "source_rows": n + 7, "rows_read": n + 20,
             "accepted": n, "duplicate": 6, "superseded": 5, "voided": 2, "quarantined": 7}
            for source, n in (
                ("ward_forms", 880), ("exams", 500), ("declarations", 90), ("decisions", 60),
                ("learners_words", 40), ("mentors", 20), ("requirements", 6),
                ("circumstances", 4), ("conduct", 4),
            )
        ] + [
            {"delivery_id": "r-0001", "source_id": None, "file": "<b>unknown</b>/x.csv",
             "last_known_at": KNOWN_AT, "status": "refused", "owner": "assessment_unit",
             "reason": "No source is called <b>unknown</b>.", "source_rows": 0,
             "rows_read": 0, "accepted": 0, "duplicate": 0, "superseded": 0,
             "voided": 0, "quarantined": 0},
        ]  # fmt: skip
        rows["programme_data_quality"] = [
            {"code": "unknown_label", "source_id": "ward_forms", "kind": "workplace_assessment",
             "found_by": "quarantine", "is_quarantined": True, "n": 7,
             "sentence": "7 workplace assessment records in quarantine: unknown label.",
             "suggestion": "Add the label to the crosswalk.", "owner": "assessment_unit"},
        ]  # fmt: skip
        rows["programme_freshness"] = [
            {"source_id": "ward_forms", "n_held": 1, "n_unreadable": 0,
             "sentence": "Last delivery 3 days before this edition; 1 delivery is held or "
             "unreadable."},
            {"source_id": "exams", "n_held": 0, "n_unreadable": 0,
             "sentence": "Last delivery on the day of this edition."},
        ]  # fmt: skip
        rows["programme_measurement"] = [
            {"programme_id": "MED", "scale_id": "entrustment_5", "calibration_version": "c1",
             "sentence": "With 7 ratings by 4 assessors the dependability of a mean is 0.68; "
             "assessors and learners form one connected block."}
        ]  # fmt: skip

    def _learner(self, key: str) -> None:
        draw = self._random
        is_stray = key == STRAY
        self._rows["dim_learner"].append(
            {
                "learner_key": key,
                "programme_id": "MED",
                "site_id": None,
                "cohort_id": None if is_stray else "2024",
                "mentor_key": None if is_stray else "A-MENTOR7QZX",
                "stage_id": None if is_stray else "Year 3",
                "rotation_id": None if is_stray else "Emergency Medicine",
                "enrolment_status": None if is_stray else "active",
                "n_days_leave": 44 if key == FULL else 0,
                "is_on_roster": not is_stray,
                "entered_on": None if is_stray else date(2024, 9, 1),
                "rotation_starts_on": date(2026, 10, 26),
                "rotation_ends_on": date(2026, 12, 18),
            }
        )
        if key == EMPTY:
            return
        if key == FULL:
            self._rows["fct_learner_stage"].append(
                {"learner_key": key, "period_type": "leave", "period_id": "parental",
                 "starts_on": date(2026, 3, 2), "ends_on": date(2026, 4, 14),
                 "is_planned": False, "full_time_share": None}
            )  # fmt: skip
        for place, (code, _) in enumerate(COMPETENCIES):
            n = 1 if is_stray else 0 if place == 10 else draw.choice((2, 3, 7, 9, 11))
            for i in range(n):
                self._observation(key, code, place, i, n)
        self._narratives(key)
        if is_stray:
            return
        self._exams(key)
        self._declarations(key)
        self._words_and_decisions(key)
        self._conflicts_and_signals(key)
        if key in {FULL, HOSTILE}:
            self._feedback(key)
        if key == FULL:
            self._entrustment(key)

    def _text(self, key: str, texts: tuple[str, ...]) -> str:
        return self._random.choice(HOSTILE_TEXTS if key == HOSTILE else texts)

    def _observation(self, key: str, code: str, place: int, i: int, n: int) -> None:
        draw = self._random
        on = date(2024, 9, 15) + timedelta(days=round(790 * (i + draw.random()) / n))
        record = self._record_key()
        level = min(max(round(1.6 + 2.9 * (i + 1) / n + draw.gauss(0, 0.7)), 1), 5)
        level_or_none = None if draw.random() < 0.05 else level
        instrument = "cbd" if (i + place) % 3 == 0 else "mini_cex"
        flagged = place == 11 and i == 0
        self._rows["fct_evidence"].append(
            {
                "learner_key": key,
                "evidence_id": f"E-{record[:12].upper()}",
                "record_key": record,
                "kind": "workplace_assessment",
                "programme_id": "MED",
                "stage_id": None if key == STRAY else "Year 3",
                "competency_id": code,
                "instrument_id": instrument,
                "method_family": "case_discussion" if instrument == "cbd" else "direct_observation",
                "scale_id": "entrustment_5" if level_or_none else None,
                "level": level_or_none,
                "raw_label": f"Level {level}",
                "target_level": 4,
                "is_at_or_above_target": level >= 4 if level_or_none else None,
                "assessor_key": f"A-{draw.randrange(1, 9):02d}ASSESSOR",
                "assessor_role": draw.choice(("consultant", "resident", "nurse")),
                "setting": draw.choice(("ward", "emergency", "clinic")),
                "case_type": draw.choice(("acute", "chronic")),
                "complexity": draw.choice(("low", "medium", "high")),
                "assurance_level": ("observed", "observed", "secured", "open")[(i + place) % 4],
                "stake": Decimal("0.2"),
                "is_flagged": flagged,
                "is_banked": False,
                "is_new_evidence": True,
                "narrative_strengths": self._text(key, STRENGTHS) if i % 2 else None,
                "narrative_improvements": self._text(key, IMPROVEMENTS)
                if i % 3 == 0 or level_or_none is None
                else None,
                "occurred_at": datetime(on.year, on.month, on.day, 9, 30, tzinfo=UTC),
                "occurred_on": on,
                "submitted_at": datetime(on.year, on.month, on.day, 17, tzinfo=UTC),
                "is_late": False,
            }
            | self._lineage("ward_forms", on)
        )

    def _narratives(self, key: str) -> None:
        mine = [
            e
            for e in self._rows["fct_evidence"]
            if e["learner_key"] == key and (e["narrative_strengths"] or e["narrative_improvements"])
        ]
        mine.sort(key=lambda e: (e["occurred_at"], e["evidence_id"]), reverse=True)
        lowest = sorted((e for e in mine if e["level"]), key=lambda e: e["level"])[:2]
        for place, e in enumerate(mine):
            reasons = [
                *(["flagged"] if e["is_flagged"] else []),
                *(["newest"] if place < 2 else []),
                *(["lowest"] if e in lowest else []),
                *(["most_specific"] if place in (4, 5) else []),
            ]
            self._rows["portfolio_narrative"].append(
                {name: e[name] for name in (
                    "learner_key", "evidence_id", "competency_id", "instrument_id", "scale_id",
                    "assessor_key", "assessor_role", "setting", "narrative_strengths",
                    "narrative_improvements", "level", "target_level", "is_flagged",
                    "occurred_at", "occurred_on")}
                | {"comment_key": e["record_key"], "evidence_ids": [e["evidence_id"]],
                   "competency_ids": [e["competency_id"]]}
            )  # fmt: skip
            if reasons:
                self._rows["portfolio_narrative_pick"].append(
                    {"learner_key": key, "comment_key": e["record_key"], "pick_reasons": reasons,
                     "rule_set_id": "narratives", "rule_version": "1"}
                )  # fmt: skip

    def _exams(self, key: str) -> None:
        draw = self._random
        for i in range(8):
            on = date(2024, 10, 1) + timedelta(days=91 * i)
            absent = key == FULL and i == 5
            share = Decimal(f"{min(0.24 + 0.055 * i + draw.gauss(0, 0.02), 0.95):.4f}")
            evidence_id = None if absent else self._result(key, f"PT-{i}", on, 200 * share, 200)
            self._rows["portfolio_exam"].append(
                {
                    "sitting_key": f"{key}-PT-{i}",
                    "learner_key": key,
                    "task_id": f"PT-{i}",
                    "sitting_id": f"S{i}",
                    "instrument_id": "progress_test",
                    "evidence_id": evidence_id,
                    "title": f"Progress test {i + 1}",
                    "modality": "progress_test",
                    "assurance_level": "secured",
                    "sitting_status": "absent" if absent else "scored",
                    "attempt": 1,
                    "n_right": None if absent else 110,
                    "n_wrong": None if absent else 40,
                    "n_omitted": None if absent else 10,
                    "n_dont_know": None if absent else 40,
                    "points": None if absent else 200 * share,
                    "max_points": None if absent else 200,
                    "score_share": None if absent else share,
                    "cut_score": None if absent else Decimal(60 + 8 * i),
                    "cohort_n": 57,
                    "cohort_mean_share": Decimal(f"{0.3 + 0.05 * i:.4f}"),
                    "cohort_sd_share": Decimal("0.0812"),
                    "reliability": Decimal("0.8432"),
                    "sem": None if absent else Decimal("5.75"),
                    "is_near_cut": None if absent else abs(200 * share - 60 - 8 * i) <= 5.75,
                    "is_at_or_above_cut": None if absent else 200 * share >= 60 + 8 * i,
                    "is_progress_test": True,
                    "is_banked": False,
                    "occurred_on": on,
                }
            )
        self._rows["portfolio_progress_test"] += [
            {"sitting_key": f"{key}-PT-{i}", "learner_key": key, "programme_id": "MED",
             "sentence": f"Over {i + 1} tests, the score changed by 11.{i} points of a hundred a "
             "year (standard error 1.2).", "n_sittings": i + 1, "n_sat": i + 1, "n_absent": 0,
             "cumulative_share": Decimal("0.4"), "growth_per_year": Decimal("0.11"),
             "growth_standard_error": Decimal("0.012"),
             "occurred_on": date(2024, 10, 1) + timedelta(days=91 * i)}
            for i in (6, 7)
        ]  # fmt: skip
        on = date(2026, 6, 15)
        self._rows["portfolio_exam"].append(
            {"sitting_key": f"{key}-OSCE", "learner_key": key, "task_id": "OSCE-3",
             "sitting_id": "2026-06", "instrument_id": "osce",
             "evidence_id": self._result(key, "OSCE-3", on, Decimal(71), 100),
             "title": "OSCE of year 3", "modality": "osce", "assurance_level": "secured",
             "sitting_status": "scored", "attempt": 1, "points": Decimal(71), "max_points": 100,
             "score_share": Decimal("0.71"), "cut_score": Decimal("58.5"),
             "is_at_or_above_cut": True, "is_progress_test": False, "is_banked": False,
             "occurred_on": on}
        )  # fmt: skip

    def _result(self, key: str, task: str, on: date, score: Decimal, most: int) -> str:
        record = self._record_key()
        evidence_id = f"E-{record[:12].upper()}"
        self._rows["fct_evidence"].append(
            {
                "learner_key": key,
                "evidence_id": evidence_id,
                "record_key": record,
                "kind": "exam_result",
                "programme_id": "MED",
                "stage_id": "Year 3",
                "task_id": task,
                "sitting_id": "S",
                "attempt": 1,
                "result_status": "scored",
                "score": score,
                "max_score": Decimal(most),
                "instrument_id": "progress_test" if task.startswith("PT") else "osce",
                "method_family": "written_exam",
                "assurance_level": "secured",
                "is_flagged": False,
                "is_banked": False,
                "is_new_evidence": True,
                "is_late": False,
                "narrative_strengths": None,
                "narrative_improvements": None,
                "occurred_at": datetime(on.year, on.month, on.day, 9, tzinfo=UTC),
                "occurred_on": on,
            }
            | self._lineage("exams", on)
        )
        return evidence_id

    def _declarations(self, key: str) -> None:
        ways = ("within", "within", "within", "differs" if key == FULL else "within", "missing")
        for i, way in enumerate(ways):
            on = date(2026, 2, 1) + timedelta(days=40 * i)
            there = way != "missing"
            sentences = {
                "within": "What is declared lies within the task's policy (aias 2, level 3).",
                "differs": "What is declared differs from the task's policy (aias 2, level 2): "
                "use for drafting was not foreseen.",
                "missing": "A declaration was asked for and is not there. "
                "That says nothing about whether AI was used.",
            }
            self._rows["fct_ai_declaration"].append(
                {
                    "declaration_key": f"{key}-{i}",
                    "record_key": self._record_key() if there else None,
                    "learner_key": key,
                    "programme_id": "MED",
                    "task_id": f"ESSAY-{1 + i % 2}",
                    "status": "used" if there else "not_declared",
                    "tools_text": "<b>Tool</b> 4" if there else None,
                    "purposes": ["ideas", "language"] if there else None,
                    "stages": ["drafting"] if there else None,
                    "extent": "minor" if there else None,
                    "verification": self._text(key, ("Checked each reference against PubMed.",))
                    if there
                    else None,
                    "is_verified": there or None,
                    "has_patient_data": False if there else None,
                    "has_accessibility_exemption": False if there else None,
                    "reconciliation": way,
                    "sentence": sentences[way],
                    "is_amended": False,
                    "declared_on": on,
                }
                | (self._lineage("declarations", on) if there else {})
            )

    def _words_and_decisions(self, key: str) -> None:
        on = date(2026, 5, 28)
        decision_key = self._record_key()
        self._rows["fct_decision"].append(
            {
                "record_key": decision_key,
                "record_id": f"DEC-{key}",
                "learner_key": key,
                "programme_id": "MED",
                "vocabulary_id": "local_1",
                "committee_id": "PC-3",
                "meeting_id": "M-2026-05",
                "decision_kind": "meeting",
                "outcome": "Targeted support: handover." if key != HOSTILE else HOSTILE_TEXTS[1],
                "rationale": self._text(
                    key, ("Ratings of handover vary by setting; observation by new assessors.",)
                ),
                "appeal_status": "none",
                "standing": "stands",
                "decided_by_keys": ["A-01ASSESSOR", "A-02ASSESSOR"],
                "is_corrected": False,
                "is_latest": True,
                "is_since_first_arrival": True,
                "decided_at": datetime(2026, 5, 28, 14, tzinfo=UTC),
                "decided_on": on,
            }
            | self._lineage("decisions", on)
        )
        for number, is_out in ((1, True), (2, False)):
            other_key = self._record_key()
            self._rows["committee_student_record"].append(
                {"record_key": decision_key if is_out else other_key,
                 "record_id": f"DEC-{key}-{number}",
                 "learner_key": key, "programme_id": "MED", "committee_id": "PC-3",
                 "meeting_id": "M-2026-05", "vocabulary_id": "local_1",
                 "decision_kind": "meeting", "outcome": "targeted support",
                 "appeal_status": "none", "is_corrected": False, "is_latest": is_out,
                 "is_out": is_out, "decided_on": on, "out_on": on + timedelta(days=7)}
            )  # fmt: skip
        for text, status, overdue in (
            ("Three observed handovers", "done", False),
            ("Mentor meeting about prescribing", "open", key == FULL),
        ):
            self._rows["fct_action"].append(
                {
                    "record_key": self._record_key(),
                    "learner_key": key,
                    "decision_record_key": decision_key if overdue else None,
                    "competency_id": "EPA-08" if status == "done" else None,
                    "description": text if key != HOSTILE else HOSTILE_TEXTS[0],
                    "owner_role": "mentor",
                    "status": status,
                    "required_n": 3 if status == "done" else None,
                    "n_done": 3 if status == "done" else None,
                    "n_days_overdue": 12 if overdue else None,
                    "is_overdue": overdue,
                    "agreed_on": on,
                    "due_on": AS_OF - timedelta(days=12) if overdue else date(2026, 12, 14),
                    "done_on": date(2026, 9, 3) if status == "done" else None,
                }
                | self._lineage("decisions", on)
            )
        for kind, text in (
            ("response", "I asked for handovers on nights, where I had been observed least."),
            (
                "reflection",
                "Prescribing in renal failure is still new to me; I check with pharmacy.",
            ),
            ("goal", "Lead two resuscitations under supervision before February."),
        ):
            self._rows["fct_reflection"].append(
                {
                    "record_key": self._record_key(),
                    "learner_key": key,
                    "reflection_type": kind,
                    "text": text if key != HOSTILE else self._text(key, ()),
                    "occurred_on": date(2026, 11, 2),
                }
                | self._lineage("learners_words", date(2026, 11, 2))
            )
        if key == FULL:
            about = self._rows["fct_evidence"][0]["evidence_id"]
            on = date(2026, 11, 9)
            self._rows["fct_reflection"].append(
                {"record_key": self._record_key(), "record_id": "dispute-1", "learner_key": key,
                 "programme_id": "MED", "reflection_type": "dispute", "about_record_id": about,
                 "about_evidence_id": about, "text": "I was not on the ward that day.",
                 "dispute_status": "raised", "owner_role": "assessment_unit",
                 "occurred_at": datetime(2026, 11, 9, 8, tzinfo=UTC), "occurred_on": on}
                | self._lineage("learners_words", on)
            )  # fmt: skip
        if key in {FULL, HOSTILE}:
            self._beside_assessments(key)
        self._rows["fct_meeting_note"].append(
            {
                "record_key": self._record_key(),
                "learner_key": key,
                "mentor_key": "A-MENTOR7QZX",
                "meeting_type": "mentor",
                "text": self._text(key, ("Talked about sleep and rota; agreed on next steps.",)),
                "occurred_on": date(2026, 9, 10),
                "next_on": date(2026, 12, 10),
            }
            | self._lineage("mentors", date(2026, 9, 10))
        )

    def _beside_assessments(self, key: str) -> None:
        on = date(2026, 9, 1)
        said = HOSTILE_TEXTS[0] if key == HOSTILE else "Came late to three ward rounds."
        self._rows["fct_requirement"] += [
            {"record_key": self._record_key(), "learner_key": key, "requirement_id": name,
             "requirement_type": kind, "title": title, "state": state} | told
            | self._lineage("requirements", on)
            for name, kind, title, state, told in (
                ("bls", "certificate", "Basic life support", "expired",
                 {"issued_on": date(2025, 9, 1), "expires_on": date(2026, 9, 1)}),
                ("cannula", "procedure", "Peripheral cannulation", "in_progress",
                 {"n_done": 12, "required_n": 20, "occurred_on": on}),
                ("hygiene", "certificate", "Hand hygiene", "met", {"issued_on": on}),
            )
        ]  # fmt: skip
        self._rows["fct_circumstance"] += [
            {"record_key": self._record_key(), "learner_key": key, "status": "accepted",
             "disclosed_on": on, "decided_on": date(2026, 9, 8), "starts_on": date(2026, 9, 10)}
            | told | self._lineage("circumstances", on)
            for told in (
                {"circumstance_type": "adjustment", "adjustment": "a quarter more time",
                 "is_for_mentor": True},
                {"circumstance_type": "mitigating", "category": "bereavement",
                 "is_for_mentor": False},
            )
        ]  # fmt: skip
        self._rows["fct_professionalism_report"] += [
            {"record_key": self._record_key(), "learner_key": key, "report_type": "professionalism",
             "category": "punctuality", "severity": "low", "reporter_key": "A-REPORTER01",
             "reporter_role": "nurse", "status": "upheld", "closed_on": date(2026, 10, 1),
             "occurred_on": on} | told | self._lineage("conduct", on)
            for told in (
                {"description": said,
                 "learner_response": "My bus was late.", "is_shared_with_learner": True,
                 "is_for_mentor": True},
                {"description": "Left the ward without a handover.",
                 "is_shared_with_learner": False, "is_for_mentor": False},
            )
        ]  # fmt: skip

    def _entrustment(self, key: str) -> None:
        record, on = self._record_key(), date(2026, 6, 30)
        self._rows["fct_evidence"].append(
            {"learner_key": key, "evidence_id": f"E-{record[:12].upper()}", "record_key": record,
             "kind": "workplace_assessment", "decision_kind": "summative", "programme_id": "MED",
             "stage_id": "Year 3", "competency_id": "EPA-08", "competency_key": "EPA-08",
             "instrument_id": "star",
             "method_family": "entrustment_decision", "scale_id": "entrustment_5", "level": 4,
             "target_level": 4, "is_at_or_above_target": True, "assessor_key": "A-01ASSESSOR",
             "is_flagged": False, "is_banked": False, "is_new_evidence": True, "is_late": False,
             "occurred_at": datetime(2026, 6, 30, 9, tzinfo=UTC), "occurred_on": on}
            | self._lineage("ward_forms", on)
        )  # fmt: skip

    def _feedback(self, key: str) -> None:
        for _ in range(7):
            record, on = self._record_key(), date(2026, 4, 1)
            self._rows["fct_evidence"].append(
                {"learner_key": key, "evidence_id": f"E-{record[:12].upper()}",
                 "record_key": record, "is_withheld": True, "kind": "workplace_assessment",
                 "programme_id": "MED", "stage_id": "Year 3", "competency_id": "EPA-09",
                 "instrument_id": "msf", "method_family": "multisource", "is_flagged": False,
                 "is_banked": False, "is_new_evidence": True, "is_late": False,
                 "occurred_at": datetime(2026, 4, 1, 9, tzinfo=UTC), "occurred_on": on}
                | self._lineage("ward_forms", on)
            )  # fmt: skip
        shared = {
            "learner_key": key, "programme_id": "MED", "instrument_id": "msf",
            "scale_id": "msf_6", "competency_id": "EPA-09",
        }  # fmt: skip
        others: Row = {
            "n_respondents": 6, "n_wanted": 15, "level_counts": "4:2 5:4",
            "level_median": Decimal("5.0"), "self_level": Decimal("3.0"),
            "self_less_others": Decimal("-2.0"), "is_withheld": False, "is_dependable": False,
            "sentence": "The middle of 6 answers is 5, the learner says 3.",
        }  # fmt: skip
        alone = {"self_level": None, "self_less_others": None, "n_wanted": None}
        self._rows["portfolio_msf"] += [
            shared | {"respondent_group": "others", "is_self_apart": True} | others,
            shared | {"respondent_group": "nursing"} | others,
            shared | {"respondent_group": "peer", "is_withheld": True,
                      "sentence": "Not shown: fewer than 5 respondents."},
            shared | {"respondent_group": "self"} | others | alone
            | {"n_respondents": 1, "level_counts": "3:1", "level_median": Decimal("3.0"),
               "sentence": "The middle of 1 answer is 3."},
        ]  # fmt: skip
        self._rows["portfolio_msf_comment"] += [
            {"comment_id": f"{key}-{i}", "learner_key": key, "programme_id": "MED",
             "instrument_id": "msf",
             "narrative_strengths": (HOSTILE_TEXTS if key == HOSTILE else STRENGTHS)[i],
             "narrative_improvements": None, "narrative_other": None}
            for i in range(5)
        ]  # fmt: skip

    def _conflicts_and_signals(self, key: str) -> None:
        mine = list(self._of(key, "EPA-12"))[:3]
        if key in {FULL, HOSTILE}:
            self._rows["portfolio_conflict"].append(
                {"conflict_id": f"C-{key}", "learner_key": key, "competency_id": "EPA-12",
                 "conflict_kind": "score_narrative",
                 "sentence": "2 ratings are at or above target beside words of concern; "
                 "read both together.",
                 "is_current_stage": True, "evidence_ids": mine, "latest_on": AS_OF}
            )  # fmt: skip
        self._rows["portfolio_signal"].append(
            {"learner_key": key, "signal_id": f"S-{key}", "rule_id": "no_recent_evidence",
             "rule_set_id": "signals", "rule_version": "1", "severity": "medium",
             "title": "No recent evidence where the plan asks for it",
             "sentence": "No data point on “Obtain informed consent” in the last 182 days.",
             "remedy": "Arrange the recommended assessment.",
             "recommended_competency_id": "EPA-11", "recommended_instrument_id": "mini_cex",
             "recommended_setting": "emergency", "recommended_rotation_id": "Emergency Medicine",
             "recommended_assessor_role": "consultant",
             "recommended_assessor": "an assessor who has not yet assessed this learner on it",
             "closes_when": "Closes when a data point on the competency arrives.",
             "recommended_from_on": date(2026, 12, 7),
             "owner_role": "mentor", "display_order": 1, "is_overdue": False,
             "due_on": date(2026, 12, 14), "evidence_ids": mine,
             "held_back_titles": ["The newest evidence is old"] if key == FULL else []}
        )  # fmt: skip
        if mine:
            self._rows["portfolio_signal_closed"].append(
                {"learner_key": key, "signal_id": f"S-{key}-C", "rule_id": "stale_evidence",
                 "rule_set_id": "signals", "rule_version": "1",
                 "sentence": "A new data point on “Obtain informed consent” arrived.",
                 "closed_by_evidence_ids": mine[:1], "raised_on": date(2026, 10, 1),
                 "closed_on": date(2026, 11, 2)}
            )  # fmt: skip

    def _of(self, key: str, code: str) -> Iterator[str]:
        for e in self._rows["fct_evidence"]:
            if e["learner_key"] == key and e.get("competency_id") == code:
                yield e["evidence_id"]
