-- golden.organisation: what survives from each cluster, read off the provenance.
-- grain:  one row per golden organisation
-- key:    golden_id
-- inputs: golden.organisation_provenance, golden.organisation_member, golden.organisation_touched, changes.organisation_head, ops.run_moment
-- why:    updated_at moves only when the content hash does: a rebuild from nothing keeps it
with cell as (
    select
        golden_id,
        max(case when field = 'name' then value end) as name,
        max(case when field = 'domain' then value end) as domain,
        max(case when field = 'website' then value end) as website,
        max(case when field = 'phone' then value end) as phone,
        max(case when field = 'email' then value end) as email,
        max(case when field = 'street' then value end) as street,
        max(case when field = 'city' then value end) as city,
        max(case when field = 'state' then value end) as state,
        max(case when field = 'postcode' then value end) as postcode,
        max(case when field = 'country' then value end) as country,
        max(case when field = 'linkedin_url' then value end) as linkedin_url,
        max(case when field = 'industry' then value end) as industry,
        max(case when field = 'employees_min' then value end) as employees_min,
        max(case when field = 'employees_max' then value end) as employees_max
    from golden.organisation_provenance
    where golden_id in (select golden_id from golden.organisation_touched)
    group by golden_id
),

backing as (
    select
        golden_id,
        array_to_string(list_sort(list(distinct source)), ',') as sources,
        cast(count(*) as bigint) as record_count
    from golden.organisation_member
    group by golden_id
),

hashed as (
    select
        backing.golden_id,
        sha256(concat_ws(
            chr(31),
            backing.golden_id,
            coalesce(cell.name, chr(30)),
            coalesce(cell.domain, chr(30)),
            coalesce(cell.website, chr(30)),
            coalesce(cell.phone, chr(30)),
            coalesce(cell.email, chr(30)),
            coalesce(cell.street, chr(30)),
            coalesce(cell.city, chr(30)),
            coalesce(cell.state, chr(30)),
            coalesce(cell.postcode, chr(30)),
            coalesce(cell.country, chr(30)),
            coalesce(cell.linkedin_url, chr(30)),
            coalesce(cell.industry, chr(30)),
            coalesce(cell.employees_min, chr(30)),
            coalesce(cell.employees_max, chr(30)),
            backing.sources
        )) as content_hash
    from backing
    left join cell on backing.golden_id = cell.golden_id
)

select
    backing.golden_id,
    cell.name,
    cell.domain,
    cell.website,
    cell.phone,
    cell.email,
    cell.street,
    cell.city,
    cell.state,
    cell.postcode,
    cell.country,
    cell.linkedin_url,
    cell.industry,
    cast(cell.employees_min as bigint) as employees_min,
    cast(cell.employees_max as bigint) as employees_max,
    backing.sources,
    backing.record_count,
    hashed.content_hash,
    case
        when head.content_hash = hashed.content_hash then head.updated_at
        else run_moment.run_at
    end as updated_at
from backing
inner join hashed on backing.golden_id = hashed.golden_id
left join cell on backing.golden_id = cell.golden_id
left join changes.organisation_head as head on backing.golden_id = head.golden_id
cross join ops.run_moment as run_moment
