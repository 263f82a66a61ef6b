-- standardised.zoominfo_contact: ZoomInfo's people in the common columns.
-- grain:  one row per person of ZoomInfo
-- key:    record_key
-- inputs: raw_zoominfo.contact, raw_zoominfo.organisation
-- why:    the raw id is the person asked for; an item's own id was seen to be the company's. ZoomInfo grades a person,
--         not an address: a score of 85 and more is its "high" and counts as verified, 75 to 84 as guessed, less as
--         unknown. A profile stands anywhere in a list of links, so it is looked for in the text of the list
with person as (
    select
        contact.id,
        contact.payload,
        json_extract_string(contact.payload, '$.attributes.company.id') as organisation_id,
        json_extract_string(contact.payload, '$.attributes.email') as email,
        try_cast(json_extract_string(contact.payload, '$.attributes.contactAccuracyScore') as double) as score,
        regexp_extract(
            json_extract_string(contact.payload, '$.attributes.externalUrls'), '(?i)[^" ]*linkedin[.]com/[^" ]*', 0
        ) as linkedin_url
    from raw_zoominfo.contact as contact
)

select
    'zoominfo:' || person.id as record_key,
    'zoominfo' as source,
    person.id as source_id,
    json_extract_string(person.payload, '$.attributes.firstName') as first_name,
    json_extract_string(person.payload, '$.attributes.middleName') as middle_name,
    json_extract_string(person.payload, '$.attributes.lastName') as last_name,
    json_extract_string(person.payload, '$.attributes.suffix') as name_suffix,
    cast(null as varchar) as full_name,
    person.email as email,
    json_extract_string(person.payload, '$.attributes.phone') as phone,
    json_extract_string(person.payload, '$.attributes.mobilePhone') as mobile,
    json_extract_string(person.payload, '$.attributes.jobTitle') as job_title,
    json_extract_string(person.payload, '$.attributes.company.name') as organisation_name,
    json_extract_string(person.payload, '$.attributes.company.website') as organisation_domain,
    nullif(person.linkedin_url, '') as linkedin_url,
    json_extract_string(person.payload, '$.attributes.street') as street,
    json_extract_string(person.payload, '$.attributes.city') as city,
    json_extract_string(person.payload, '$.attributes.state') as state,
    json_extract_string(person.payload, '$.attributes.zipCode') as postcode,
    json_extract_string(person.payload, '$.attributes.country') as country,
    cast(null as varchar) as date_of_birth,
    cast(null as varchar) as external_id,
    'zoominfo:' || organisation.id as organisation_key,
    case
        when person.email is null then null
        when person.score >= 85 then 'verified'
        when person.score >= 75 then 'guessed'
        else 'unknown'
    end as email_status,
    coalesce(
        json_extract_string(person.payload, '$.attributes.managementLevel[0]'),
        json_extract_string(person.payload, '$.attributes.managementLevel')
    ) as seniority,
    coalesce(
        json_extract_string(person.payload, '$.attributes.jobFunction.department'),
        json_extract_string(person.payload, '$.attributes.jobFunction[0].department'),
        json_extract_string(person.payload, '$.attributes.jobFunction.name'),
        json_extract_string(person.payload, '$.attributes.jobFunction[0].name')
    ) as department,
    try_cast(json_extract_string(person.payload, '$.attributes.directPhoneDoNotCall') as boolean) as phone_do_not_call,
    try_cast(json_extract_string(person.payload, '$.attributes.mobilePhoneDoNotCall') as boolean) as mobile_do_not_call,
    case
        when json_extract_string(person.payload, '$.attributes.withinEu') = 'true' then 'eu'
        when json_extract_string(person.payload, '$.attributes.withinCalifornia') = 'true' then 'california'
        when json_extract_string(person.payload, '$.attributes.withinCanada') = 'true' then 'canada'
    end as region,
    json_extract_string(person.payload, '$.attributes.noticeProvidedDate') as notice_date,
    cast(
        try_cast(json_extract_string(person.payload, '$.attributes.lastUpdatedDate') as timestamptz) as timestamp
    ) as source_updated_at
from person
left join raw_zoominfo.organisation as organisation on person.organisation_id = organisation.id
