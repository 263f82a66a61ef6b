-- standardised.apollo_contact: Apollo's people in the common columns.
-- grain:  one row per person of Apollo
-- key:    record_key
-- inputs: raw_apollo.contact, raw_apollo.organisation
-- why:    numbers hang under contact.phone_numbers in any order, of which four are looked at; a locked address is a
--         placeholder that claims to be verified, so address and status go together
with person as (
    select
        contact.id,
        contact.payload,
        json_extract_string(contact.payload, '$.organization_id') as organisation_id,
        case
            when json_extract_string(contact.payload, '$.email') not like 'email_not_unlocked@%'
                then json_extract_string(contact.payload, '$.email')
        end as email,
        coalesce(
            json_extract_string(contact.payload, '$.contact.phone_numbers[0].sanitized_number'),
            json_extract_string(contact.payload, '$.contact.phone_numbers[0].raw_number')
        ) as number_0,
        coalesce(
            json_extract_string(contact.payload, '$.contact.phone_numbers[1].sanitized_number'),
            json_extract_string(contact.payload, '$.contact.phone_numbers[1].raw_number')
        ) as number_1,
        coalesce(
            json_extract_string(contact.payload, '$.contact.phone_numbers[2].sanitized_number'),
            json_extract_string(contact.payload, '$.contact.phone_numbers[2].raw_number')
        ) as number_2,
        coalesce(
            json_extract_string(contact.payload, '$.contact.phone_numbers[3].sanitized_number'),
            json_extract_string(contact.payload, '$.contact.phone_numbers[3].raw_number')
        ) as number_3,
        coalesce(json_extract_string(contact.payload, '$.contact.phone_numbers[0].type'), 'work') as kind_0,
        coalesce(json_extract_string(contact.payload, '$.contact.phone_numbers[1].type'), 'work') as kind_1,
        coalesce(json_extract_string(contact.payload, '$.contact.phone_numbers[2].type'), 'work') as kind_2,
        coalesce(json_extract_string(contact.payload, '$.contact.phone_numbers[3].type'), 'work') as kind_3,
        json_extract_string(contact.payload, '$.contact.phone_numbers[0].dnc_status') as barred_0,
        json_extract_string(contact.payload, '$.contact.phone_numbers[1].dnc_status') as barred_1,
        json_extract_string(contact.payload, '$.contact.phone_numbers[2].dnc_status') as barred_2,
        json_extract_string(contact.payload, '$.contact.phone_numbers[3].dnc_status') as barred_3,
        cast(try_cast(contact.stamp as timestamptz) as timestamp) as source_updated_at
    from raw_apollo.contact as contact
),

numbered as (
    select
        person.*,
        case
            when number_0 is not null and kind_0 <> 'mobile' then 0
            when number_1 is not null and kind_1 <> 'mobile' then 1
            when number_2 is not null and kind_2 <> 'mobile' then 2
            when number_3 is not null and kind_3 <> 'mobile' then 3
        end as phone_position,
        case
            when number_0 is not null and kind_0 = 'mobile' then 0
            when number_1 is not null and kind_1 = 'mobile' then 1
            when number_2 is not null and kind_2 = 'mobile' then 2
            when number_3 is not null and kind_3 = 'mobile' then 3
        end as mobile_position
    from person
),

chosen as (
    select
        numbered.*,
        case phone_position
            when 0 then number_0
            when 1 then number_1
            when 2 then number_2
            when 3 then number_3
        end as phone,
        case phone_position
            when 0 then barred_0
            when 1 then barred_1
            when 2 then barred_2
            when 3 then barred_3
        end as phone_barred,
        case mobile_position
            when 0 then number_0
            when 1 then number_1
            when 2 then number_2
            when 3 then number_3
        end as mobile,
        case mobile_position
            when 0 then barred_0
            when 1 then barred_1
            when 2 then barred_2
            when 3 then barred_3
        end as mobile_barred
    from numbered
)

select
    'apollo:' || chosen.id as record_key,
    'apollo' as source,
    chosen.id as source_id,
    json_extract_string(chosen.payload, '$.first_name') as first_name,
    cast(null as varchar) as middle_name,
    json_extract_string(chosen.payload, '$.last_name') as last_name,
    cast(null as varchar) as name_suffix,
    json_extract_string(chosen.payload, '$.name') as full_name,
    chosen.email as email,
    chosen.phone as phone,
    chosen.mobile as mobile,
    json_extract_string(chosen.payload, '$.title') as job_title,
    coalesce(
        json_extract_string(chosen.payload, '$.organization.name'),
        json_extract_string(chosen.payload, '$.contact.organization_name')
    ) as organisation_name,
    coalesce(
        json_extract_string(chosen.payload, '$.organization.primary_domain'),
        json_extract_string(chosen.payload, '$.organization.website_url')
    ) as organisation_domain,
    json_extract_string(chosen.payload, '$.linkedin_url') as linkedin_url,
    json_extract_string(chosen.payload, '$.street_address') as street,
    json_extract_string(chosen.payload, '$.city') as city,
    json_extract_string(chosen.payload, '$.state') as state,
    json_extract_string(chosen.payload, '$.postal_code') as postcode,
    json_extract_string(chosen.payload, '$.country') as country,
    cast(null as varchar) as date_of_birth,
    cast(null as varchar) as external_id,
    'apollo:' || organisation.id as organisation_key,
    case
        when chosen.email is null then null
        when json_extract_string(chosen.payload, '$.email_status') = 'verified' then 'verified'
        when json_extract_string(chosen.payload, '$.email_status') in ('extrapolated', 'guessed') then 'guessed'
        when json_extract_string(chosen.payload, '$.email_status') in ('unavailable', 'bounced') then 'invalid'
        else 'unknown'
    end as email_status,
    json_extract_string(chosen.payload, '$.seniority') as seniority,
    json_extract_string(chosen.payload, '$.departments[0]') as department,
    case
        when chosen.phone_barred is not null then chosen.phone_barred not in ('not_dnc', 'none', 'allowed')
    end as phone_do_not_call,
    case
        when chosen.mobile_barred is not null then chosen.mobile_barred not in ('not_dnc', 'none', 'allowed')
    end as mobile_do_not_call,
    cast(null as varchar) as region,
    cast(null as varchar) as notice_date,
    chosen.source_updated_at as source_updated_at
from chosen
left join raw_apollo.organisation as organisation on chosen.organisation_id = organisation.id
