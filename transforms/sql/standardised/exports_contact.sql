-- standardised.exports_contact: people out of files that were downloaded from the vendors' web pages.
-- grain:  one row per row of a file
-- key:    record_key
-- inputs: raw_exports.contact
-- why:    a payload's keys are the file's headings, in the one spelling that the source gives them. No heading means
--         two things at two vendors, so each column takes the first that is there; only what is known of an e-mail is
--         read vendor by vendor
with sheet as (
    select
        contact.id,
        contact.payload,
        json_extract_string(contact.payload, '$.vendor') as vendor,
        coalesce(
            json_extract_string(contact.payload, '$."Email"'),
            json_extract_string(contact.payload, '$."Email Address"')
        ) as email,
        json_extract_string(contact.payload, '$."Email Status"') as email_status,
        json_extract_string(contact.payload, '$."Do Not Call"') as do_not_call,
        try_cast(json_extract_string(contact.payload, '$."Contact Accuracy Score"') as double) as score,
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
)

select
    'exports:' || sheet.id as record_key,
    'exports' as source,
    sheet.id as source_id,
    json_extract_string(sheet.payload, '$."First Name"') as first_name,
    json_extract_string(sheet.payload, '$."Middle Name"') as middle_name,
    json_extract_string(sheet.payload, '$."Last Name"') as last_name,
    json_extract_string(sheet.payload, '$."Suffix"') as name_suffix,
    cast(null as varchar) as full_name,
    sheet.email as email,
    coalesce(
        json_extract_string(sheet.payload, '$."Work Direct Phone"'),
        json_extract_string(sheet.payload, '$."Direct Phone Number"'),
        json_extract_string(sheet.payload, '$."Phone Number"'),
        json_extract_string(sheet.payload, '$."Other Phone"'),
        json_extract_string(sheet.payload, '$."Home Phone"')
    ) as phone,
    coalesce(
        json_extract_string(sheet.payload, '$."Mobile Phone"'),
        json_extract_string(sheet.payload, '$."Mobile phone"'),
        json_extract_string(sheet.payload, '$."Mobile Direct Dial"')
    ) as mobile,
    coalesce(
        json_extract_string(sheet.payload, '$."Title"'),
        json_extract_string(sheet.payload, '$."Job Title"')
    ) as job_title,
    sheet.organisation_name as organisation_name,
    sheet.organisation_domain as organisation_domain,
    coalesce(
        json_extract_string(sheet.payload, '$."Person Linkedin Url"'),
        json_extract_string(sheet.payload, '$."LinkedIn Contact Profile URL"'),
        json_extract_string(sheet.payload, '$."LinkedIn URL"')
    ) as linkedin_url,
    json_extract_string(sheet.payload, '$."Person Street"') as street,
    coalesce(
        json_extract_string(sheet.payload, '$."Person City"'),
        json_extract_string(sheet.payload, '$."City"')
    ) as city,
    coalesce(
        json_extract_string(sheet.payload, '$."Person State"'),
        json_extract_string(sheet.payload, '$."State"')
    ) as state,
    json_extract_string(sheet.payload, '$."Person Zip Code"') as postcode,
    json_extract_string(sheet.payload, '$."Country"') as country,
    cast(null as varchar) as date_of_birth,
    cast(null as varchar) as external_id,
    'exports:' || sheet.vendor || ':company:' || coalesce(
        sheet.organisation_id,
        substr(sha256(coalesce(sheet.organisation_domain, sheet.organisation_name)), 1, 24)
    ) as organisation_key,
    case
        when sheet.email is null or sheet.email like 'email_not_unlocked@%' then null
        when sheet.vendor = 'zoominfo' and sheet.score >= 85 then 'verified'
        when sheet.vendor = 'zoominfo' and sheet.score >= 75 then 'guessed'
        when sheet.email_status in ('Verified', 'verified', 'Valid', 'valid') then 'verified'
        when sheet.email_status in ('Accept All', 'Accept-All', 'accept_all', 'Catch-all', 'Catch All') then 'risky'
        when sheet.email_status in ('Extrapolated', 'extrapolated', 'Guessed', 'guessed', 'User Managed') then 'guessed'
        when sheet.email_status in ('Invalid', 'invalid', 'Unavailable', 'unavailable', 'Bounced') then 'invalid'
        else 'unknown'
    end as email_status,
    coalesce(
        json_extract_string(sheet.payload, '$."Seniority"'),
        json_extract_string(sheet.payload, '$."Management Level"'),
        json_extract_string(sheet.payload, '$."Job Title Hierarchy Level"')
    ) as seniority,
    coalesce(
        json_extract_string(sheet.payload, '$."Departments"'),
        json_extract_string(sheet.payload, '$."Department"'),
        json_extract_string(sheet.payload, '$."Job Function"')
    ) as department,
    case
        when sheet.do_not_call in ('true', 'True', 'TRUE', 'Yes', 'yes', 'Y', '1') then true
        when sheet.do_not_call in ('false', 'False', 'FALSE', 'No', 'no', 'N', '0') then false
    end as phone_do_not_call,
    case
        when sheet.do_not_call in ('true', 'True', 'TRUE', 'Yes', 'yes', 'Y', '1') then true
        when sheet.do_not_call in ('false', 'False', 'FALSE', 'No', 'no', 'N', '0') then false
    end as mobile_do_not_call,
    cast(null as varchar) as region,
    json_extract_string(sheet.payload, '$."Notice Provided Date"') as notice_date,
    cast(null as timestamp) as source_updated_at
from sheet
