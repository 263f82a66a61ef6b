-- standardised.organisation_named: organisations that a source names only beside a contact.
-- grain:  one row per employer of a source's contacts that the source has no record of
-- key:    record_key
-- inputs: standardised.contact, standardised.organisation_recorded
-- why:    after the kernel, since only folded names and registrable domains make one key of several spellings; the
--         spelling most contacts have is taken, the smallest on a tie. A contact's address is not its employer's
with employer as (
    select
        contact.organisation_key,
        contact.source,
        contact.organisation_name,
        contact.organisation_site,
        count(*) as contact_count
    from standardised.contact as contact
    left join standardised.organisation_recorded as organisation_recorded
        on contact.organisation_key = organisation_recorded.record_key
    where contact.organisation_key is not null and organisation_recorded.record_key is null
    group by contact.organisation_key, contact.source, contact.organisation_name, contact.organisation_site
),

ranked as (
    select
        employer.*,
        row_number() over (
            partition by employer.organisation_key
            order by
                case when employer.organisation_name is null then 1 else 0 end,
                employer.contact_count desc,
                employer.organisation_name nulls last,
                employer.organisation_site nulls last,
                employer.source
        ) as rank_number
    from employer
)

select
    ranked.organisation_key as record_key,
    ranked.source as source,
    substr(ranked.organisation_key, length(ranked.source) + 2) as source_id,
    ranked.organisation_name as name,
    case
        when ranked.organisation_key = ranked.source || ':domain:' || ranked.organisation_site
            then ranked.organisation_site
    end as domain,
    cast(null as varchar) as website,
    cast(null as varchar) as phone,
    cast(null as varchar) as email,
    cast(null as varchar) as street,
    cast(null as varchar) as city,
    cast(null as varchar) as state,
    cast(null as varchar) as postcode,
    cast(null as varchar) as country,
    cast(null as varchar) as linkedin_url,
    cast(null as varchar) as industry,
    cast(null as varchar) as employees,
    cast(null as varchar) as external_id,
    cast(null as varchar) as parent_key,
    cast(null as timestamp) as source_updated_at
from ranked
where ranked.rank_number = 1
