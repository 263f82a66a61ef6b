-- resolved.organisation_value: what organisations say in compared fields, each distinct value once, and how common it is.
-- grain:  one row per field and value
-- key:    field, value
-- inputs: standardised.organisation, ops.reference_value
-- why:    how rare a value is must be known before it is weighed. More than sixteen copies of one statement (copy) count
--         once: they tell of a loader that ran again. A site or phone under names with eight different beginnings
--         belongs to nobody: learned, not listed. It is the names of one value that are counted, so this holds for a
--         thousand records as for a million, in whatever order they came. Hosts shared by all are left out from the start
with stated as (
    select
        organisation.name_fold,
        case when shared.value is null then organisation.domain end as domain,
        case when shared_mail.value is null then organisation.email_domain end as email_domain,
        organisation.phone,
        organisation.email,
        organisation.linkedin_slug,
        organisation.street_fold,
        organisation.postcode_fold,
        organisation.city_fold,
        organisation.external_id
    from standardised.organisation as organisation
    left join ops.reference_value as shared on organisation.domain = shared.value and shared.kind = 'shared host'
    left join ops.reference_value as shared_mail
        on organisation.email_domain = shared_mail.value and shared_mail.kind = 'shared host'
),

told as (
    select
        name_fold,
        domain,
        email_domain,
        phone,
        email,
        linkedin_slug,
        street_fold,
        postcode_fold,
        city_fold,
        external_id,
        case
            when count(*) > 16
                and name_fold is not null
                and coalesce(domain, email_domain, phone, email, linkedin_slug, street_fold, external_id) is not null
                then 1
            else count(*)
        end as records
    from stated
    group by
        name_fold,
        domain,
        email_domain,
        phone,
        email,
        linkedin_slug,
        street_fold,
        postcode_fold,
        city_fold,
        external_id
),

said as (
    select 'name' as field, name_fold as value, cast(null as varchar) as owner, records from told
    union all
    select 'site' as field, coalesce(domain, email_domain) as value, name_fold as owner, records from told
    union all
    select 'phone' as field, phone as value, name_fold as owner, records from told
    union all
    select 'email' as field, email as value, name_fold as owner, records from told
    union all
    select 'linkedin' as field, linkedin_slug as value, cast(null as varchar) as owner, records from told
    union all
    select 'street' as field, street_fold as value, cast(null as varchar) as owner, records from told
    union all
    select 'postcode' as field, postcode_fold as value, cast(null as varchar) as owner, records from told
    union all
    select 'city' as field, city_fold as value, cast(null as varchar) as owner, records from told
    union all
    select 'external' as field, external_id as value, cast(null as varchar) as owner, records from told
),

begun as (
    select field, value, substr(owner, 1, 3) as beginning, sum(records) as records
    from said
    where value is not null
    group by field, value, substr(owner, 1, 3)
),

counted as (
    select field, value, sum(records) as records, count(beginning) as initials from begun group by field, value
),

totals as (
    select field, sum(records) as records_total from counted group by field
)

select
    counted.field,
    counted.value,
    cast(counted.records as bigint) as records,
    cast(least(counted.initials, 100) as bigint) as initials,
    cast(case
        when counted.records * 32 >= totals.records_total then 1
        when counted.records * 256 >= totals.records_total then 2
        when counted.records * 2048 >= totals.records_total then 3
        when counted.records * 16384 >= totals.records_total then 4
        else 5
    end as bigint) as bucket,
    counted.field in ('phone', 'site', 'email') and counted.initials >= 8 as is_generic
from counted
inner join totals on counted.field = totals.field
