-- One row a threshold in force.
select
    rule_set_id,
    rule_version,
    rule_id,
    threshold_name,
    threshold_value,
    source
from programme_rule
order by rule_set_id, rule_version, rule_id, threshold_name
