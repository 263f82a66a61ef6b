-- resolved.contact_value: what contacts say in compared fields, each distinct value once, and how common it is.
-- grain:  one row per field and value
-- key:    field, value
-- inputs: standardised.contact, resolved.organisation_cluster
-- why:    how rare a value is must be known before it is weighed. A phone or mailbox said of people with three
--         different initials belongs to nobody: learned, not listed
with said as (
    select 'first' as field, first_fold as value, cast(null as varchar) as owner from standardised.contact
    union all
    select 'last' as field, last_fold as value, cast(null as varchar) as owner from standardised.contact
    union all
    select 'email' as field, email as value, last_fold as owner from standardised.contact
    union all
    select 'phone' as field, phone as value, last_fold as owner from standardised.contact
    union all
    select 'phone' as field, mobile as value, last_fold as owner from standardised.contact
    union all
    select 'linkedin' as field, linkedin_slug as value, cast(null as varchar) as owner from standardised.contact
    union all
    select 'born' as field, date_of_birth as value, cast(null as varchar) as owner from standardised.contact
    union all
    select 'street' as field, street_fold as value, cast(null as varchar) as owner from standardised.contact
    union all
    select 'postcode' as field, postcode_fold as value, cast(null as varchar) as owner from standardised.contact
    union all
    select 'city' as field, city_fold as value, cast(null as varchar) as owner from standardised.contact
    union all
    select 'title' as field, title_fold as value, cast(null as varchar) as owner from standardised.contact
    union all
    select 'external' as field, external_id as value, cast(null as varchar) as owner from standardised.contact
    union all
    select 'organisation' as field, organisation_cluster.cluster_key as value, cast(null as varchar) as owner
    from standardised.contact as contact
    inner join resolved.organisation_cluster as organisation_cluster
        on contact.organisation_key = organisation_cluster.record_key
),

begun as (
    select field, value, substr(owner, 1, 1) as beginning, count(*) as records
    from said
    where value is not null
    group by field, value, substr(owner, 1, 1)
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
    counted.field in ('phone', 'email') and (
        counted.initials >= 3
        or (counted.field = 'email' and regexp_matches(
            counted.value,
            '^(info|sales|admin|office|contact|support|hello|enquiries|mail|hr|jobs|accounts|marketing|service|team|reception|noreply|no-reply|test)@'
        ))
    ) as is_generic
from counted
inner join totals on counted.field = totals.field
