-- standardised.exports_organisation: employers out of files that were downloaded from the vendors' web pages.
-- grain:  one row per company of one vendor's files, by its number, else its website, else its name as typed
-- key:    record_key
-- inputs: raw_exports.contact
-- why:    the files repeat a company on each of its people; the row with the smallest id speaks for it. Two spellings
--         are two rows here and meet when organisations are resolved
with sheet as (
    select
        contact.id,
        contact.payload,
        json_extract_string(contact.payload, '$.vendor') as vendor,
        coalesce(
            json_extract_string(contact.payload, '$."Apollo Account Id"'),
            json_extract_string(contact.payload, '$."ZoomInfo Company ID"'),
            json_extract_string(contact.payload, '$."Company ID"')
        ) as organisation_id,
        coalesce(
            json_extract_string(contact.payload, '$."Website"'),
            json_extract_string(contact.payload, '$."Domain"')
        ) as organisation_domain,
        coalesce(
            json_extract_string(contact.payload, '$."Company"'),
            json_extract_string(contact.payload, '$."Company Name"'),
            json_extract_string(contact.payload, '$."Company Name for Emails"')
        ) as organisation_name
    from raw_exports.contact as contact
),

keyed as (
    select
        sheet.*,
        'exports:' || sheet.vendor || ':company:' || coalesce(
            sheet.organisation_id,
            substr(sha256(coalesce(sheet.organisation_domain, sheet.organisation_name)), 1, 24)
        ) as record_key
    from sheet
),

ranked as (
    select
        keyed.*,
        row_number() over (partition by keyed.record_key order by keyed.id) as rank_number
    from keyed
    where keyed.record_key is not null
)

select
    ranked.record_key as record_key,
    'exports' as source,
    substr(ranked.record_key, 9) as source_id,
    ranked.organisation_name as name,
    json_extract_string(ranked.payload, '$."Domain"') as domain,
    json_extract_string(ranked.payload, '$."Website"') as website,
    coalesce(
        json_extract_string(ranked.payload, '$."Company Phone"'),
        json_extract_string(ranked.payload, '$."Company HQ Phone"'),
        json_extract_string(ranked.payload, '$."Corporate Phone"')
    ) as phone,
    cast(null as varchar) as email,
    coalesce(
        json_extract_string(ranked.payload, '$."Company Address"'),
        json_extract_string(ranked.payload, '$."Company Street Address"')
    ) as street,
    json_extract_string(ranked.payload, '$."Company City"') as city,
    json_extract_string(ranked.payload, '$."Company State"') as state,
    coalesce(
        json_extract_string(ranked.payload, '$."Company Zip Code"'),
        json_extract_string(ranked.payload, '$."Company Zip"')
    ) as postcode,
    json_extract_string(ranked.payload, '$."Company Country"') as country,
    coalesce(
        json_extract_string(ranked.payload, '$."Company Linkedin Url"'),
        json_extract_string(ranked.payload, '$."LinkedIn Company Profile URL"'),
        json_extract_string(ranked.payload, '$."Company LinkedIn URL"')
    ) as linkedin_url,
    coalesce(
        json_extract_string(ranked.payload, '$."Industry"'),
        json_extract_string(ranked.payload, '$."Primary Industry"')
    ) as industry,
    coalesce(
        json_extract_string(ranked.payload, '$."# Employees"'),
        json_extract_string(ranked.payload, '$."Employees"'),
        json_extract_string(ranked.payload, '$."Employee Range"')
    ) as employees,
    cast(null as varchar) as external_id,
    cast(null as varchar) as parent_key,
    cast(null as timestamp) as source_updated_at
from ranked
where ranked.rank_number = 1
