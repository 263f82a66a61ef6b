-- standardised.uplead_contact: UpLead's people in the common columns.
-- grain:  one row per person of UpLead
-- key:    record_key
-- inputs: raw_uplead.contact, raw_uplead.organisation
-- why:    `county` is not `country` and is not read; `gender` is never read. No record carries a time, so
--         source_updated_at is null: the time of loading would make UpLead the freshest source after every first load
with company_of_domain as (
    select
        json_extract_string(organisation.payload, '$.domain') as domain,
        min(organisation.id) as id
    from raw_uplead.organisation as organisation
    where json_extract_string(organisation.payload, '$.domain') is not null
    group by json_extract_string(organisation.payload, '$.domain')
)

select
    'uplead:' || contact.id as record_key,
    'uplead' as source,
    contact.id as source_id,
    json_extract_string(contact.payload, '$.first_name') as first_name,
    cast(null as varchar) as middle_name,
    json_extract_string(contact.payload, '$.last_name') as last_name,
    cast(null as varchar) as name_suffix,
    cast(null as varchar) as full_name,
    json_extract_string(contact.payload, '$.email') as email,
    json_extract_string(contact.payload, '$.phone_number') as phone,
    json_extract_string(contact.payload, '$.mobile_directdial') as mobile,
    json_extract_string(contact.payload, '$.title') as job_title,
    coalesce(
        json_extract_string(contact.payload, '$.company_name'),
        json_extract_string(contact.payload, '$.company.company_name')
    ) as organisation_name,
    coalesce(
        json_extract_string(contact.payload, '$.domain'),
        json_extract_string(contact.payload, '$.company.domain')
    ) as organisation_domain,
    json_extract_string(contact.payload, '$.linkedin_url') as linkedin_url,
    cast(null as varchar) as street,
    json_extract_string(contact.payload, '$.city') as city,
    json_extract_string(contact.payload, '$.state') as state,
    cast(null as varchar) as postcode,
    json_extract_string(contact.payload, '$.country') as country,
    cast(null as varchar) as date_of_birth,
    cast(null as varchar) as external_id,
    'uplead:' || coalesce(organisation.id, company_of_domain.id) as organisation_key,
    case
        when json_extract_string(contact.payload, '$.email') is null then null
        when json_extract_string(contact.payload, '$.email_status') = 'valid' then 'verified'
        when json_extract_string(contact.payload, '$.email_status') = 'accept_all' then 'risky'
        when json_extract_string(contact.payload, '$.email_status') = 'invalid' then 'invalid'
        else 'unknown'
    end as email_status,
    json_extract_string(contact.payload, '$.management_level') as seniority,
    coalesce(
        json_extract_string(contact.payload, '$.job_function'),
        json_extract_string(contact.payload, '$.job_sub_function')
    ) as department,
    cast(null as boolean) as phone_do_not_call,
    cast(null as boolean) as mobile_do_not_call,
    cast(null as varchar) as region,
    cast(null as varchar) as notice_date,
    cast(null as timestamp) as source_updated_at
from raw_uplead.contact as contact
left join raw_uplead.organisation as organisation
    on json_extract_string(contact.payload, '$.company.id') = organisation.id
left join company_of_domain
    on coalesce(
        json_extract_string(contact.payload, '$.domain'),
        json_extract_string(contact.payload, '$.company.domain')
    ) = company_of_domain.domain
