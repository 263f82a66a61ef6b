-- standardised.organisation_input: all organisations of all sources, recorded or only named.
-- grain:  one row per organisation of one source
-- key:    record_key
-- inputs: standardised.organisation_recorded, standardised.organisation_named
-- why:    every column is named in every branch; by position alone two columns of one type could change places
select
    organisation_recorded.record_key as record_key,
    organisation_recorded.source as source,
    organisation_recorded.source_id as source_id,
    organisation_recorded.name as name,
    organisation_recorded.domain as domain,
    organisation_recorded.website as website,
    organisation_recorded.phone as phone,
    organisation_recorded.email as email,
    organisation_recorded.street as street,
    organisation_recorded.city as city,
    organisation_recorded.state as state,
    organisation_recorded.postcode as postcode,
    organisation_recorded.country as country,
    organisation_recorded.linkedin_url as linkedin_url,
    organisation_recorded.industry as industry,
    organisation_recorded.employees as employees,
    organisation_recorded.external_id as external_id,
    organisation_recorded.parent_key as parent_key,
    organisation_recorded.source_updated_at as source_updated_at
from standardised.organisation_recorded as organisation_recorded
union all
select
    organisation_named.record_key as record_key,
    organisation_named.source as source,
    organisation_named.source_id as source_id,
    organisation_named.name as name,
    organisation_named.domain as domain,
    organisation_named.website as website,
    organisation_named.phone as phone,
    organisation_named.email as email,
    organisation_named.street as street,
    organisation_named.city as city,
    organisation_named.state as state,
    organisation_named.postcode as postcode,
    organisation_named.country as country,
    organisation_named.linkedin_url as linkedin_url,
    organisation_named.industry as industry,
    organisation_named.employees as employees,
    organisation_named.external_id as external_id,
    organisation_named.parent_key as parent_key,
    organisation_named.source_updated_at as source_updated_at
from standardised.organisation_named as organisation_named
