-- golden.contact_member: the source records behind each touched golden contact.
-- grain:  one row per source record
-- key:    record_key
-- inputs: standardised.contact, golden.contact_identity, golden.contact_touched, golden.organisation_identity, ops.lock
-- why:    what survivorship chooses from, with the locks that hang on each record; the employer is already a
--         golden organisation here
with held as (
    select
        steward.record_key,
        list(struct_pack(seq := steward.seq, field := steward.field, value := steward.value)) as locks
    from ops.lock as steward
    where steward.entity = 'contact'
    group by steward.record_key
)

select
    identity.golden_id,
    contact.*,
    employer.golden_id as organisation_golden_id,
    held.locks
from standardised.contact as contact
inner join golden.contact_identity as identity on contact.record_key = identity.record_key
inner join golden.contact_touched as touched on identity.golden_id = touched.golden_id
left join golden.organisation_identity as employer on contact.organisation_key = employer.record_key
left join held on contact.record_key = held.record_key
