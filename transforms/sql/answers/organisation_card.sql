-- answers.organisation_card: what is this organisation, how many people do we know there, is it in HaloPSA?
-- grain:  one row per golden organisation
-- key:    golden_id
-- inputs: golden.organisation, golden.contact, ops.crosswalk, ops.outbox
-- why:    what people look up most, without a join
with people as (
    select organisation_golden_id, count(*) as contacts
    from golden.contact
    group by organisation_golden_id
)

select
    organisation.golden_id,
    organisation.name,
    organisation.domain,
    organisation.city,
    organisation.country,
    organisation.industry,
    organisation.employees_min,
    organisation.employees_max,
    coalesce(people.contacts, 0) as contacts,
    link.halo_id,
    outbox.state as halo_state,
    organisation.sources,
    organisation.updated_at
from golden.organisation as organisation
left join people on organisation.golden_id = people.organisation_golden_id
left join ops.crosswalk as link on organisation.golden_id = link.golden_id and link.resource = 'Client'
left join ops.outbox as outbox on organisation.golden_id = outbox.golden_id and outbox.action = 'upsert'
