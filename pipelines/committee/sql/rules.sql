-- One row a threshold in force, the default rule set first.
select
    rule_set_id,
    rule_set_title,
    rule_version,
    rule_id,
    stage_id,
    words,
    threshold_name,
    threshold_value,
    unit,
    source,
    is_default
from programme_rule
order by is_default desc, rule_set_id, rule_id, stage_id nulls first, threshold_name
