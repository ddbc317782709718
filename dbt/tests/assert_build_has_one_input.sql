-- What is this test? A build has one as-of day, one known-at and one time zone.
-- When is it important to resolve? Always: without them no day, window or due date means
-- anything.
-- How to resolve? Let `tessera run` load the warehouse again; it writes raw.build_input.
{{ config(severity='error', meta={'consequence': 'status'}) }}

select count(*) as n_inputs
from {{ ref('stg_build_input') }}
where as_of is not null and known_at is not null
having count(*) <> 1
