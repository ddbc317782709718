-- placeholder
select learner_key, '' as competency_id, '' as sentence, [] as evidence_ids from portfolio_signal where false
