-- standardised.organisation_recorded: organisations that sources hold a record of.
-- grain:  one row per organisation record of one source
-- key:    record_key
-- inputs: standardised.apollo_organisation,
--         standardised.zoominfo_organisation,
--         standardised.uplead_organisation,
--         standardised.exports_organisation
-- why:    organisation_input adds those that are only named beside a contact, and has to know these first
select
    apollo_organisation.record_key as record_key,
    apollo_organisation.source as source,
    apollo_organisation.source_id as source_id,
    apollo_organisation.name as name,
    apollo_organisation.domain as domain,
    apollo_organisation.website as website,
    apollo_organisation.phone as phone,
    apollo_organisation.email as email,
    apollo_organisation.street as street,
    apollo_organisation.city as city,
    apollo_organisation.state as state,
    apollo_organisation.postcode as postcode,
    apollo_organisation.country as country,
    apollo_organisation.linkedin_url as linkedin_url,
    apollo_organisation.industry as industry,
    apollo_organisation.employees as employees,
    apollo_organisation.external_id as external_id,
    apollo_organisation.parent_key as parent_key,
    apollo_organisation.source_updated_at as source_updated_at
from standardised.apollo_organisation as apollo_organisation
union all
select
    zoominfo_organisation.record_key as record_key,
    zoominfo_organisation.source as source,
    zoominfo_organisation.source_id as source_id,
    zoominfo_organisation.name as name,
    zoominfo_organisation.domain as domain,
    zoominfo_organisation.website as website,
    zoominfo_organisation.phone as phone,
    zoominfo_organisation.email as email,
    zoominfo_organisation.street as street,
    zoominfo_organisation.city as city,
    zoominfo_organisation.state as state,
    zoominfo_organisation.postcode as postcode,
    zoominfo_organisation.country as country,
    zoominfo_organisation.linkedin_url as linkedin_url,
    zoominfo_organisation.industry as industry,
    zoominfo_organisation.employees as employees,
    zoominfo_organisation.external_id as external_id,
    zoominfo_organisation.parent_key as parent_key,
    zoominfo_organisation.source_updated_at as source_updated_at
from standardised.zoominfo_organisation as zoominfo_organisation
union all
select
    uplead_organisation.record_key as record_key,
    uplead_organisation.source as source,
    uplead_organisation.source_id as source_id,
    uplead_organisation.name as name,
    uplead_organisation.domain as domain,
    uplead_organisation.website as website,
    uplead_organisation.phone as phone,
    uplead_organisation.email as email,
    uplead_organisation.street as street,
    uplead_organisation.city as city,
    uplead_organisation.state as state,
    uplead_organisation.postcode as postcode,
    uplead_organisation.country as country,
    uplead_organisation.linkedin_url as linkedin_url,
    uplead_organisation.industry as industry,
    uplead_organisation.employees as employees,
    uplead_organisation.external_id as external_id,
    uplead_organisation.parent_key as parent_key,
    uplead_organisation.source_updated_at as source_updated_at
from standardised.uplead_organisation as uplead_organisation
union all
select
    exports_organisation.record_key as record_key,
    exports_organisation.source as source,
    exports_organisation.source_id as source_id,
    exports_organisation.name as name,
    exports_organisation.domain as domain,
    exports_organisation.website as website,
    exports_organisation.phone as phone,
    exports_organisation.email as email,
    exports_organisation.street as street,
    exports_organisation.city as city,
    exports_organisation.state as state,
    exports_organisation.postcode as postcode,
    exports_organisation.country as country,
    exports_organisation.linkedin_url as linkedin_url,
    exports_organisation.industry as industry,
    exports_organisation.employees as employees,
    exports_organisation.external_id as external_id,
    exports_organisation.parent_key as parent_key,
    exports_organisation.source_updated_at as source_updated_at
from standardised.exports_organisation as exports_organisation
