-- standardised.zoominfo_organisation: ZoomInfo's companies in the common columns.
-- grain:  one row per company of ZoomInfo
-- key:    record_key
-- inputs: raw_zoominfo.organisation
-- why:    a parent number of 0 means none, and joins to nothing; the exact head count is preferred to its band
select
    'zoominfo:' || organisation.id as record_key,
    'zoominfo' as source,
    organisation.id as source_id,
    json_extract_string(organisation.payload, '$.attributes.name') as name,
    json_extract_string(organisation.payload, '$.attributes.domainList[0]') as domain,
    json_extract_string(organisation.payload, '$.attributes.website') as website,
    json_extract_string(organisation.payload, '$.attributes.phone') as phone,
    cast(null as varchar) as email,
    json_extract_string(organisation.payload, '$.attributes.street') as street,
    json_extract_string(organisation.payload, '$.attributes.city') as city,
    json_extract_string(organisation.payload, '$.attributes.state') as state,
    json_extract_string(organisation.payload, '$.attributes.zipCode') as postcode,
    json_extract_string(organisation.payload, '$.attributes.country') as country,
    nullif(
        regexp_extract(
            json_extract_string(organisation.payload, '$.attributes.socialMediaUrls'),
            '(?i)[^" ]*linkedin[.]com/[^" ]*',
            0
        ),
        ''
    ) as linkedin_url,
    json_extract_string(organisation.payload, '$.attributes.primaryIndustry[0]') as industry,
    coalesce(
        json_extract_string(organisation.payload, '$.attributes.employeeCount'),
        json_extract_string(organisation.payload, '$.attributes.employeeRange')
    ) as employees,
    cast(null as varchar) as external_id,
    'zoominfo:' || parent.id as parent_key,
    cast(
        try_cast(json_extract_string(organisation.payload, '$.attributes.lastUpdatedDate') as timestamptz) as timestamp
    ) as source_updated_at
from raw_zoominfo.organisation as organisation
left join raw_zoominfo.organisation as parent
    on json_extract_string(organisation.payload, '$.attributes.parentId') = parent.id
