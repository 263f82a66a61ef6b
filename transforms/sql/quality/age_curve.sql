-- quality.age_curve: R10, how long ago the sources last touched their records.
-- grain:  one row per entity, source and age
-- key:    entity, source, age
-- inputs: standardised.contact, standardised.organisation, quality.night
-- why:    people change jobs at about 2 % a month, so of what is older than a year a fifth is expected to be wrong
with record as (
    select 'contact' as entity, source, source_updated_at from standardised.contact
    union all
    select 'organisation' as entity, source, source_updated_at from standardised.organisation
)

select
    record.entity,
    record.source,
    case
        when record.source_updated_at is null then 'unknown'
        when date_diff('day', record.source_updated_at, night.as_of) <= 30 then '0-30 days'
        when date_diff('day', record.source_updated_at, night.as_of) <= 90 then '31-90 days'
        when date_diff('day', record.source_updated_at, night.as_of) <= 180 then '91-180 days'
        when date_diff('day', record.source_updated_at, night.as_of) <= 365 then '181-365 days'
        else 'over a year'
    end as age,
    cast(count(*) as bigint) as records
from record
cross join quality.night as night
group by all
