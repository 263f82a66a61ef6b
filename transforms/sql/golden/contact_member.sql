-- golden.contact_member: every contact's source record beside the golden ids it belongs to.
-- grain:  one row per source record
-- key:    record_key
-- inputs: standardised.contact, golden.crosswalk
-- why:    what survivorship chooses from; the employer is already a golden organisation here
select
    crosswalk.golden_id,
    contact.*,
    employer.golden_id as organisation_golden_id
from standardised.contact as contact
inner join golden.crosswalk as crosswalk on contact.record_key = crosswalk.record_key and crosswalk.entity = 'contact'
left join golden.crosswalk as employer
    on contact.organisation_key = employer.record_key and employer.entity = 'organisation'
