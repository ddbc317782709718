-- What is this test? No sentence about a declaration accuses anybody.
-- When is it important to resolve? Before a committee reads the page: disclosing is to be
-- rewarded.
-- How to resolve? Change the words in fct_ai_declaration; say declared, differs, talk with the
-- learner.
{{ config(severity='error', meta={'consequence': 'ai_use'}) }}

select
    declaration_key,
    sentence
from {{ ref('fct_ai_declaration') }}
where
    {{ contains_pattern(
        'lower(sentence)', 'cheat|suspect|misconduct|violat|dishonest|breach|detect'
    ) }}
