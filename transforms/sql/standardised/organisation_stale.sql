-- standardised.organisation_stale: organisations whose standardised row is out of date or gone at the source.
-- grain:  one row per organisation of one source
-- key:    record_key
-- inputs: standardised.organisation_arriving, standardised.organisation_input, previous.organisation_standard
-- why:    these rows are replaced, all others stay
select record_key from standardised.organisation_arriving
union all
select former.record_key
from previous.organisation_standard as former
left join standardised.organisation_input as organisation_input on former.record_key = organisation_input.record_key
where organisation_input.record_key is null
