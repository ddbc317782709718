-- What is this test? A data point that is one answer in multisource feedback shows neither level, words
-- nor respondent.
-- When is it important to resolve? Before publication: a respondent could be recognised.
-- How to resolve? Look at the role and instrument of the data points listed, in fct_evidence.
{{ config(severity='error', meta={'consequence': 'people'}) }}

select evidence_id
from {{ ref('fct_evidence') }}
where
    (is_withheld or (method_family = 'multisource' and assessor_role is distinct from 'self'))
    and (
        level is not null
        or raw_label is not null
        or assessor_key is not null
        or assessor_role is not null
        or is_at_or_above_target is not null
        or narrative_strengths is not null
        or narrative_improvements is not null
        or narrative_other is not null
        or not is_withheld
    )
