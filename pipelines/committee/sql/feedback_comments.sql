-- One row a comment of a respondent, without group, day or answer beside it.
select
    learner_key,
    instrument_id,
    narrative_strengths,
    narrative_improvements,
    narrative_other
from portfolio_msf_comment
order by learner_key, instrument_id, comment_id
