-- standardised.uplead_organisation: UpLead's companies in the common columns.
-- grain:  one row per company of UpLead
-- key:    record_key
-- inputs: raw_uplead.organisation
-- why:    sizes are bands as text and stay so here; the kernel makes bounds of them
select
    'uplead:' || organisation.id as record_key,
    'uplead' as source,
    organisation.id as source_id,
    json_extract_string(organisation.payload, '$.company_name') as name,
    json_extract_string(organisation.payload, '$.domain') as domain,
    cast(null as varchar) as website,
    json_extract_string(organisation.payload, '$.phone_number') as phone,
    cast(null as varchar) as email,
    json_extract_string(organisation.payload, '$.address') as street,
    json_extract_string(organisation.payload, '$.city') as city,
    json_extract_string(organisation.payload, '$.state') as state,
    json_extract_string(organisation.payload, '$.zip') as postcode,
    json_extract_string(organisation.payload, '$.country') as country,
    json_extract_string(organisation.payload, '$.linkedin_url') as linkedin_url,
    json_extract_string(organisation.payload, '$.industry') as industry,
    json_extract_string(organisation.payload, '$.employees') as employees,
    cast(null as varchar) as external_id,
    cast(null as varchar) as parent_key,
    cast(null as timestamp) as source_updated_at
from raw_uplead.organisation as organisation
