-- resolved.contact_value: what contacts say in compared fields, each distinct value once, and how common it is.
-- grain:  one row per field and value
-- key:    field, value
-- inputs: standardised.contact, resolved.organisation_cluster, ops.reference_value
-- why:    how rare a value is must be known before it is weighed. More than sixteen copies of one statement (copy) count
--         once: they tell of a loader that ran again, not of how people are called. A phone or mailbox used by surnames
--         with three different initials belongs to nobody: learned, not listed. It is the owners of one value that are
--         counted, so this holds for a thousand records as for a million, in whatever order they came: two directors
--         who share a line are two, a call centre is many. Role mailboxes are left out from the start
with stated as (
    select
        contact.first_fold,
        contact.middle_fold,
        contact.last_fold,
        contact.suffix_fold,
        case when role.value is null then contact.email end as email,
        contact.phone,
        contact.mobile,
        contact.linkedin_slug,
        contact.date_of_birth,
        contact.street_fold,
        contact.postcode_fold,
        contact.city_fold,
        contact.title_fold,
        contact.external_id,
        organisation_cluster.cluster_key as organisation
    from standardised.contact as contact
    left join ops.reference_value as role on contact.email_local = role.value and role.kind = 'role mailbox'
    left join resolved.organisation_cluster as organisation_cluster
        on contact.organisation_key = organisation_cluster.record_key
),

told as (
    select
        first_fold,
        middle_fold,
        last_fold,
        suffix_fold,
        email,
        phone,
        mobile,
        linkedin_slug,
        date_of_birth,
        street_fold,
        postcode_fold,
        city_fold,
        title_fold,
        external_id,
        organisation,
        case
            when count(*) > 16
                and coalesce(first_fold, last_fold) is not null
                and coalesce(email, phone, mobile, linkedin_slug, date_of_birth, street_fold, external_id) is not null
                then 1
            else count(*)
        end as records
    from stated
    group by
        first_fold,
        middle_fold,
        last_fold,
        suffix_fold,
        email,
        phone,
        mobile,
        linkedin_slug,
        date_of_birth,
        street_fold,
        postcode_fold,
        city_fold,
        title_fold,
        external_id,
        organisation
),

said as (
    select 'first' as field, first_fold as value, cast(null as varchar) as owner, records from told
    union all
    select 'last' as field, last_fold as value, cast(null as varchar) as owner, records from told
    union all
    select 'email' as field, email as value, last_fold as owner, records from told
    union all
    select 'phone' as field, phone as value, last_fold as owner, records from told
    union all
    select 'phone' as field, mobile as value, last_fold as owner, records from told
    union all
    select 'linkedin' as field, linkedin_slug as value, cast(null as varchar) as owner, records from told
    union all
    select 'born' as field, date_of_birth as value, cast(null as varchar) as owner, records from told
    union all
    select 'street' as field, street_fold as value, cast(null as varchar) as owner, records from told
    union all
    select 'postcode' as field, postcode_fold as value, cast(null as varchar) as owner, records from told
    union all
    select 'city' as field, city_fold as value, cast(null as varchar) as owner, records from told
    union all
    select 'title' as field, title_fold as value, cast(null as varchar) as owner, records from told
    union all
    select 'external' as field, external_id as value, cast(null as varchar) as owner, records from told
    union all
    select 'organisation' as field, organisation as value, cast(null as varchar) as owner, records from told
),

begun as (
    select field, value, substr(owner, 1, 1) as beginning, sum(records) as records
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
    counted.field in ('phone', 'email') and counted.initials >= 3 as is_generic
from counted
inner join totals on counted.field = totals.field
