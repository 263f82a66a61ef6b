-- golden.contact_member: every contact's source record beside the golden ids it belongs to.
-- grain:  one row per source record
-- key:    record_key
-- inputs: standardised.contact, golden.crosswalk, ops.lock
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
    crosswalk.golden_id,
    contact.*,
    employer.golden_id as organisation_golden_id,
    held.locks
from standardised.contact as contact
inner join golden.crosswalk as crosswalk on contact.record_key = crosswalk.record_key and crosswalk.entity = 'contact'
left join golden.crosswalk as employer
    on contact.organisation_key = employer.record_key and employer.entity = 'organisation'
left join held on contact.record_key = held.record_key
