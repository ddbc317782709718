-- Grain: one row per sitting of an exam with item responses: its variance components, what its scores are
-- worth beyond the stations and examiners that happened to be drawn, and how many stations would be enough.
-- Estimates rest on the learners who were presented every item.
with

components as (
    select * from {{ ref('int_exam_components__estimated') }}
),

tasks as (
    select * from {{ ref('int_tasks__current') }}
),

erred as (
    select
        *,
        {{ measure_exam_error('n_parts', 'n_raters', false) }} as relative_error,
        {{ measure_exam_error('n_parts', 'n_raters', true) }} as absolute_error,
        n_parts * ({{ measure_exam_error('n_parts', 'n_raters', true) }}) as error_of_one,
        n_complete >= {{ rule_threshold('exams', 'item_analysis', 'examinees_min') }}
        and person_variance is not null as is_described,
        {{ rule_threshold('exams', 'generalizability', 'wanted') }} as wanted,
        case when facet = 'item' then 'item' else 'station' end as part,
        case when facet = 'item' then 'items' else 'stations' end as parts
    from components
),

judged as (
    select
        *,
        {{ measure_exam_coefficient('relative_error') }} as generalizability,
        {{ measure_exam_coefficient('absolute_error') }} as dependability,
        {{ to_places('n_parts * sqrt(relative_error)') }} as relative_sem,
        {{ to_places('n_parts * sqrt(absolute_error)') }} as absolute_sem,
        case
            when person_variance > 0
                then cast(greatest(1, ceil(
                    error_of_one * wanted / (person_variance * (1 - wanted)) - 0.000000001
                )) as bigint)
        end as n_parts_wanted
    from erred
),

told as (
    select
        *,
        case
            when not is_described then ''
            when n_raters is not null
                then
                    ' ' || {{ counted('n_raters', 'examiner', 'examiners') }}
                    || ' a station, told apart.'
            when n_raters_most > 1
                then
                    ' Examiners are not told apart: that takes as many at every station, each at one '
                    || 'station and marking everybody there.'
            when n_raters_most = 1
                then ' One examiner a station: how strict each is counts as the station''s difficulty.'
            else ''
        end
        || case
            when is_described and is_rescaled
                then
                    ' ' || upper(substring(parts, 1, 1)) || substring(parts, 2)
                    || ' count alike here, though they offer different points.'
            else ''
        end
        || case
            when
                is_described
                and least(
                    person_variance, part_variance, coalesce(rater_variance, 0),
                    coalesce(person_part_variance, 0), residual_variance
                ) < 0
                then ' An estimate below 0 counts as 0.'
            else ''
        end as remarks,
        cast(n_parts_wanted as string) || ' '
        || case when n_parts_wanted = 1 then part else parts end || ' of this kind' as parts_wanted
    from judged
),

final as (
    select
        ---------- ids
        told.programme_id,
        told.task_id,
        told.sitting_id,
        ---------- text
        tasks.title,
        told.facet,
        case
            when told.facet is null
                then
                    'Some items belong to a station and some to none: they are no draws of one kind, so '
                    || 'nothing is said of others.'
            when
                told.n_complete < {{ rule_threshold('exams', 'item_analysis', 'examinees_min') }}
                then
                    {{ counted(
                        'told.n_complete', 'learner was', 'learners were'
                    ) }} || ' presented every item: too few to estimate components.'
            when told.person_variance is null
                then
                    'One ' || told.part || ': what another would have given cannot be told.'
            when told.person_variance <= 0
                then
                    'Examinees differ no more than chance would have it: no number of ' || told.parts
                    || ' would tell them apart.' || told.remarks
            else
                'Generalisability ' || {{ coefficient_text('told.generalizability') }}
                || ' for comparing examinees, dependability '
                || {{ coefficient_text('told.dependability') }}
                || ' for holding each against a standard: a score of '
                || {{ score_text('cast(round(told.mean_points, 1) as decimal(18, 1))') }}
                || ' has an absolute standard error ' || {{ error_text('told.absolute_sem') }} || '.'
                || told.remarks
        end as sentence,
        case
            when not told.is_described then null
            when told.dependability >= told.wanted
                then
                    'A dependability of ' || cast(cast(told.wanted as decimal(3, 2)) as string)
                    || ' is reached; '
                    || told.parts_wanted || ' would be enough.'
            else
                'A dependability of ' || cast(cast(told.wanted as decimal(3, 2)) as string)
                || ' takes '
                || told.parts_wanted || '; there were ' || cast(told.n_parts as string) || '.'
        end as need_sentence,
        ---------- numbers
        told.n_examinees,
        told.n_complete,
        told.n_parts,
        told.n_raters,
        {%- for component in ['person', 'part', 'rater', 'person_part', 'residual'] %}
        case when told.is_described then told.{{ component }}_variance end
            as {{ component }}_variance,
        {%- endfor %}
        case when told.is_described then told.generalizability end as generalizability,
        case when told.is_described then told.dependability end as dependability,
        case when told.is_described then told.relative_sem end as relative_sem,
        case when told.is_described then told.absolute_sem end as absolute_sem,
        cast(told.wanted as decimal(18, 6)) as wanted_dependability,
        case when told.is_described then told.n_parts_wanted end as n_parts_wanted,
        ---------- yes or no
        told.is_rescaled,
        ---------- rule
        'exams' as rule_set_id,
        {{ rule_version('exams') }} as rule_version
    from told
    left join tasks
        on
            told.programme_id = tasks.programme_id
            and told.task_id = tasks.task_id
)

select * from final
