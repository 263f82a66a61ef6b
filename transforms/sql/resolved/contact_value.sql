-- resolved.contact_value: what contacts say, each distinct value of a compared field once, with how common it is.
-- grain:  one row per field and value
-- key:    value_id
-- inputs: standardised.contact, resolved.organisation_cluster
-- why:    strings are compared once per distinct pair of values, and how rare a value is must be known before weighing.
--         A phone or mailbox said of people with three different initials belongs to nobody: learned, not listed.
with said as (
    select 'first' as field, first_fold as value, last_fold as owner from standardised.contact
    union all
    select 'last' as field, last_fold as value, last_fold as owner from standardised.contact
    union all
    select 'email' as field, email as value, last_fold as owner from standardised.contact
    union all
    select 'local' as field, email_local as value, last_fold as owner from standardised.contact
    union all
    select 'phone' as field, phone as value, last_fold as owner from standardised.contact
    union all
    select 'phone' as field, mobile as value, last_fold as owner from standardised.contact
    union all
    select 'linkedin' as field, linkedin_slug as value, last_fold as owner from standardised.contact
    union all
    select 'born' as field, date_of_birth as value, last_fold as owner from standardised.contact
    union all
    select 'street' as field, street_fold as value, last_fold as owner from standardised.contact
    union all
    select 'postcode' as field, postcode_fold as value, last_fold as owner from standardised.contact
    union all
    select 'city' as field, city_fold as value, last_fold as owner from standardised.contact
    union all
    select 'title' as field, title_fold as value, last_fold as owner from standardised.contact
    union all
    select 'external' as field, external_id as value, last_fold as owner from standardised.contact
    union all
    select 'employer' as field, organisation_fold as value, last_fold as owner from standardised.contact
    union all
    select 'organisation' as field, organisation_cluster.cluster_key as value, contact.last_fold as owner
    from standardised.contact as contact
    inner join resolved.organisation_cluster as organisation_cluster
        on contact.organisation_key = organisation_cluster.record_key
),

counted as (
    select
        field,
        value,
        count(*) as records,
        count(distinct substr(owner, 1, 1)) as initials
    from said
    where value is not null
    group by field, value
),

totals as (
    select field, sum(records) as records_total from counted group by field
)

select
    cast(row_number() over (order by counted.field, counted.value) as bigint) as value_id,
    counted.field,
    counted.value,
    cast(counted.records as bigint) as records,
    cast(counted.initials as bigint) as initials,
    case
        when counted.records * 32 >= totals.records_total then 1
        when counted.records * 256 >= totals.records_total then 2
        when counted.records * 2048 >= totals.records_total then 3
        when counted.records * 16384 >= totals.records_total then 4
        else 5
    end as bucket,
    counted.field in ('phone', 'email') and (
        counted.initials >= 3
        or (counted.field = 'email' and regexp_matches(
            counted.value,
            '^(info|sales|admin|office|contact|support|hello|enquiries|mail|hr|jobs|accounts|marketing|service|team|reception|noreply|no-reply|test)@'
        ))
    ) as is_generic
from counted
inner join totals on counted.field = totals.field
