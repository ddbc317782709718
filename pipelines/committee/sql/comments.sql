-- placeholder
select learner_key, evidence_id, '' as picked_because from fct_evidence where false
