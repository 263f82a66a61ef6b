-- answers.contact_card: who is this person, where do they work, and are they in HaloPSA?
-- grain:  one row per golden contact
-- key:    golden_id
-- inputs: golden.contact, golden.organisation, ops.crosswalk, ops.outbox
-- why:    what people look up most, without a join
select
    contact.golden_id,
    contact.first_name,
    contact.last_name,
    contact.job_title,
    contact.email,
    contact.email_status,
    contact.phone,
    contact.mobile,
    organisation.name as organisation_name,
    contact.organisation_golden_id,
    link.halo_id,
    outbox.state as halo_state,
    contact.sources,
    contact.updated_at
from golden.contact as contact
left join golden.organisation as organisation on contact.organisation_golden_id = organisation.golden_id
left join ops.crosswalk as link on contact.golden_id = link.golden_id and link.resource = 'Users'
left join ops.outbox as outbox on contact.golden_id = outbox.golden_id and outbox.action = 'upsert'
