-- golden.contact_touched: the golden contacts that are made again, those that are no more included.
-- grain:  one row per golden id
-- key:    golden_id
-- inputs: golden.contact_judged, golden.contact_identity, ops.lock, previous.lock, standardised.contact,
--         golden.organisation_judged, golden.organisation_identity
-- why:    those a judged record belongs or belonged to, those a lock came to or left, those whose employer changed its id
with relocked as (
    select record_key from (select * from ops.lock except select * from previous.lock) as fresh
    where entity = 'contact'
    union
    select record_key from (select * from previous.lock except select * from ops.lock) as revoked
    where entity = 'contact'
)

select identity.golden_id
from golden.contact_identity as identity
inner join golden.contact_judged as judged on identity.record_key = judged.record_key
union
select former_golden_id as golden_id from golden.contact_judged where former_golden_id is not null
union
select golden_id from golden.contact_identity where record_key in (select record_key from relocked)
union
select identity.golden_id
from standardised.contact as contact
inner join golden.organisation_judged as employer on contact.organisation_key = employer.record_key
inner join golden.contact_identity as identity on contact.record_key = identity.record_key
left join golden.organisation_identity as employer_identity on employer.record_key = employer_identity.record_key
where employer_identity.golden_id is distinct from employer.former_golden_id
