-- standardised.contact_stale: contacts whose standardised row is out of date or gone at the source.
-- grain:  one row per contact of one source
-- key:    record_key
-- inputs: standardised.contact_arriving, standardised.contact_input, previous.contact_standard
-- why:    these rows are replaced, all others stay
select record_key from standardised.contact_arriving
union all
select former.record_key
from previous.contact_standard as former
left join standardised.contact_input as contact_input on former.record_key = contact_input.record_key
where contact_input.record_key is null
