-- quality.finding: R3, what is wrong or worthless in a source record, one reason code each.
-- grain:  one row per source record, field and reason
-- key:    entity, record_key, field, reason
-- inputs: standardised.contact, standardised.contact_input, standardised.organisation, standardised.organisation_input, quality.reference, quality.calling_code, resolved.contact_value, resolved.organisation_value
-- why:    unusable means the source said something of which nothing was left after cleaning. Codes only, no values
with prefix as (
    select distinct prefix from quality.calling_code
),

dialled as (
    select 'contact' as entity, record_key, source, 'phone' as field, phone, country from standardised.contact where phone is not null and country is not null
    union all
    select 'contact' as entity, record_key, source, 'mobile' as field, mobile as phone, country from standardised.contact where mobile is not null and country is not null
    union all
    select 'organisation' as entity, record_key, source, 'phone' as field, phone, country from standardised.organisation where phone is not null and country is not null
),

-- Calling codes are prefix-free: of one, two and three digits exactly one is a code.
coded as (
    select dialled.*, coalesce(one.prefix, two.prefix, three.prefix) as prefix
    from dialled
    left join prefix as one on substr(dialled.phone, 2, 1) = one.prefix
    left join prefix as two on substr(dialled.phone, 2, 2) = two.prefix
    left join prefix as three on substr(dialled.phone, 2, 3) = three.prefix
),

unusable as (
    select
        said.record_key,
        said.source,
        said.email is not null and kept.email is null as email,
        said.phone is not null and kept.phone is null as phone,
        said.mobile is not null and kept.mobile is null as mobile,
        said.linkedin_url is not null and kept.linkedin_url is null as linkedin_url,
        said.country is not null and kept.country is null as country,
        coalesce(said.first_name, said.last_name, said.full_name) is not null and kept.last_name is null as last_name
    from standardised.contact_input as said
    inner join standardised.contact as kept on said.record_key = kept.record_key
),

organisation_unusable as (
    select
        said.record_key,
        said.source,
        coalesce(said.domain, said.website) is not null and kept.domain is null as domain,
        said.phone is not null and kept.phone is null as phone,
        said.country is not null and kept.country is null as country,
        said.employees is not null and kept.employees_min is null as employees
    from standardised.organisation_input as said
    inner join standardised.organisation as kept on said.record_key = kept.record_key
)

select 'contact' as entity, record_key, source, 'email' as field, 'unusable' as reason from unusable where email
union all
select 'contact' as entity, record_key, source, 'phone' as field, 'unusable' as reason from unusable where phone
union all
select 'contact' as entity, record_key, source, 'mobile' as field, 'unusable' as reason from unusable where mobile
union all
select 'contact' as entity, record_key, source, 'linkedin_url' as field, 'unusable' as reason from unusable where linkedin_url
union all
select 'contact' as entity, record_key, source, 'country' as field, 'unusable' as reason from unusable where country
union all
select 'contact' as entity, record_key, source, 'last_name' as field, 'unusable' as reason from unusable where last_name
union all
select 'contact' as entity, contact.record_key, contact.source, 'email' as field, replace(reference.kind, ' ', '_') as reason
from standardised.contact as contact
inner join quality.reference as reference
    on contact.email_domain = reference.value and reference.kind in ('free mail', 'disposable')
where contact.email is not null
union all
select 'contact' as entity, contact.record_key, contact.source, 'email' as field, 'role_mailbox' as reason
from standardised.contact as contact
inner join quality.reference as reference on contact.email_local = reference.value and reference.kind = 'role mailbox'
where contact.email is not null
union all
select 'contact' as entity, record_key, source, 'email' as field, 'undeliverable' as reason
from standardised.contact
where email is not null and email_status = 'invalid'
union all
select 'contact' as entity, record_key, source, 'email' as field, 'unverified' as reason
from standardised.contact
where email is not null and (email_status is null or email_status in ('guessed', 'unknown'))
union all
select 'contact' as entity, contact.record_key, contact.source, 'phone' as field, 'generic' as reason
from standardised.contact as contact
inner join resolved.contact_value as generic on contact.phone = generic.value and generic.field = 'phone' and generic.is_generic
union all
select 'organisation' as entity, record_key, source, 'domain' as field, 'unusable' as reason from organisation_unusable where domain
union all
select 'organisation' as entity, record_key, source, 'phone' as field, 'unusable' as reason from organisation_unusable where phone
union all
select 'organisation' as entity, record_key, source, 'country' as field, 'unusable' as reason from organisation_unusable where country
union all
select 'organisation' as entity, record_key, source, 'employees' as field, 'unusable' as reason from organisation_unusable where employees
union all
select 'organisation' as entity, organisation.record_key, organisation.source, 'phone' as field, 'generic' as reason
from standardised.organisation as organisation
inner join resolved.organisation_value as generic on organisation.phone = generic.value and generic.field = 'phone' and generic.is_generic
union all
select coded.entity, coded.record_key, coded.source, coded.field, 'country_clash' as reason
from coded
left join quality.calling_code as calling_code on coded.prefix = calling_code.prefix and coded.country = calling_code.country
where coded.prefix is not null and calling_code.prefix is null
