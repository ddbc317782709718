-- One row a learner and programme: the line of growth through all progress tests sat so far.
select
    learner_key,
    sentence,
    n_sittings,
    n_sat,
    n_absent,
    cumulative_share,
    growth_per_year,
    growth_standard_error
from portfolio_progress_test
qualify
    row_number() over (
        partition by learner_key, programme_id
        order by occurred_on desc, n_sittings desc, sitting_key desc
    ) = 1
order by learner_key, programme_id
