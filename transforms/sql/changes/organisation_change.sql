-- changes.organisation_change: golden organisations that are new, altered or gone since the last commit.
-- grain:  one row per golden organisation whose content differs from its head
-- key:    golden_id
-- inputs: golden.organisation, changes.organisation_head
-- why:    compared by content hash, not updated_at: a rebuild from nothing must yield no rows
select
    coalesce(organisation.golden_id, organisation_head.golden_id) as golden_id,
    case
        when organisation_head.golden_id is null then 'created'
        when organisation.golden_id is null then 'retired'
        else 'altered'
    end as change_kind,
    organisation.content_hash,
    organisation.name,
    organisation.domain,
    organisation.website,
    organisation.phone,
    organisation.email,
    organisation.street,
    organisation.city,
    organisation.state,
    organisation.postcode,
    organisation.country,
    organisation.linkedin_url,
    organisation.industry,
    organisation.employees_min,
    organisation.employees_max,
    organisation.sources,
    organisation.record_count,
    organisation.updated_at
from golden.organisation as organisation
full outer join changes.organisation_head as organisation_head on organisation.golden_id = organisation_head.golden_id
where organisation.content_hash is distinct from organisation_head.content_hash
