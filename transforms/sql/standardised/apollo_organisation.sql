-- standardised.apollo_organisation: Apollo's companies in the common columns.
-- grain:  one row per company of Apollo
-- key:    record_key
-- inputs: raw_apollo.organisation
-- why:    a company's row carries no time of change, so source_updated_at stays null rather than pretend the load time
select
    'apollo:' || organisation.id as record_key,
    'apollo' as source,
    organisation.id as source_id,
    json_extract_string(organisation.payload, '$.name') as name,
    coalesce(
        json_extract_string(organisation.payload, '$.primary_domain'),
        json_extract_string(organisation.payload, '$.domain')
    ) as domain,
    json_extract_string(organisation.payload, '$.website_url') as website,
    coalesce(
        json_extract_string(organisation.payload, '$.sanitized_phone'),
        json_extract_string(organisation.payload, '$.primary_phone.sanitized_number'),
        json_extract_string(organisation.payload, '$.phone')
    ) as phone,
    cast(null as varchar) as email,
    json_extract_string(organisation.payload, '$.street_address') as street,
    json_extract_string(organisation.payload, '$.city') as city,
    json_extract_string(organisation.payload, '$.state') as state,
    json_extract_string(organisation.payload, '$.postal_code') as postcode,
    json_extract_string(organisation.payload, '$.country') as country,
    json_extract_string(organisation.payload, '$.linkedin_url') as linkedin_url,
    json_extract_string(organisation.payload, '$.industry') as industry,
    json_extract_string(organisation.payload, '$.estimated_num_employees') as employees,
    cast(null as varchar) as external_id,
    'apollo:' || parent.id as parent_key,
    cast(null as timestamp) as source_updated_at
from raw_apollo.organisation as organisation
left join raw_apollo.organisation as parent
    on json_extract_string(organisation.payload, '$.owned_by_organization_id') = parent.id
