-- One row a competency, scale and group of respondents of multisource feedback; all others together
-- first, the learner's own answers last. A group that is too small has a row without numbers.
select
    learner_key,
    programme_id,
    instrument_id,
    nullif(scale_id, '') as scale_id,
    competency_id,
    respondent_group,
    level_counts,
    sentence,
    n_respondents,
    n_wanted,
    level_median,
    self_level,
    self_less_others,
    is_withheld,
    is_self_apart,
    is_dependable
from portfolio_msf
order by
    learner_key,
    instrument_id,
    competency_id,
    scale_id,
    case respondent_group when 'others' then 1 when 'self' then 3 else 2 end,
    respondent_group
