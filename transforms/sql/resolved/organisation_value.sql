-- resolved.organisation_value: what organisations say in compared fields, each distinct value once, and how common it is.
-- grain:  one row per field and value
-- key:    field, value
-- inputs: standardised.organisation
-- why:    how rare a value is must be known before it is weighed. A site or phone under names with many
--         different beginnings belongs to nobody: learned, not listed
with said as (
    select 'name' as field, name_fold as value, cast(null as varchar) as owner from standardised.organisation
    union all
    select 'site' as field, coalesce(domain, email_domain) as value, name_fold as owner from standardised.organisation
    union all
    select 'phone' as field, phone as value, name_fold as owner from standardised.organisation
    union all
    select 'email' as field, email as value, name_fold as owner from standardised.organisation
    union all
    select 'linkedin' as field, linkedin_slug as value, cast(null as varchar) as owner from standardised.organisation
    union all
    select 'street' as field, street_fold as value, cast(null as varchar) as owner from standardised.organisation
    union all
    select 'postcode' as field, postcode_fold as value, cast(null as varchar) as owner from standardised.organisation
    union all
    select 'city' as field, city_fold as value, cast(null as varchar) as owner from standardised.organisation
    union all
    select 'external' as field, external_id as value, cast(null as varchar) as owner from standardised.organisation
),

begun as (
    select field, value, substr(owner, 1, 3) as beginning, count(*) as records
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
    (counted.field in ('phone', 'site', 'email') and counted.initials >= 8)
    or (counted.field = 'site' and regexp_matches(
        counted.value,
        '^(gmail|googlemail|yahoo|hotmail|outlook|live|msn|icloud|me|mac|aol|gmx|web|mail|comcast|sbcglobal|verizon|att|btinternet|proton|protonmail|facebook|linkedin)[.]'
    )) as is_generic
from counted
inner join totals on counted.field = totals.field
