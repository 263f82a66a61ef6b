-- quality.completeness: R2, how many records have a value and how many a useful one, by field, source and segment.
-- grain:  one row per entity, source, segment kind, segment and field; source `golden` is what survives
-- key:    entity, source, segment_kind, segment, field
-- inputs: standardised.contact, standardised.organisation, golden.contact, golden.organisation, quality.finding, quality.night
-- why:    counts, not shares: no engine divides, whoever shows the table does. Useful is filled, with nothing found
--         against it, and not said by a record that its source last touched more than 540 days ago
with record as (
    select
        'contact' as entity,
        contact.record_key,
        contact.source,
        contact.country,
        contact.seniority as role,
        cast(null as varchar) as size,
        contact.source_updated_at is not null and contact.source_updated_at < night.as_of - interval 540 day as is_stale,
        [
            struct_pack(field := 'first_name', has := contact.first_name is not null),
            struct_pack(field := 'last_name', has := contact.last_name is not null),
            struct_pack(field := 'email', has := contact.email is not null),
            struct_pack(field := 'phone', has := contact.phone is not null),
            struct_pack(field := 'mobile', has := contact.mobile is not null),
            struct_pack(field := 'job_title', has := contact.job_title is not null),
            struct_pack(field := 'linkedin_url', has := contact.linkedin_url is not null),
            struct_pack(field := 'city', has := contact.city is not null),
            struct_pack(field := 'country', has := contact.country is not null),
            struct_pack(field := 'organisation', has := contact.organisation_key is not null)
        ] as cells
    from standardised.contact as contact
    cross join quality.night as night
    union all
    select
        'organisation' as entity,
        organisation.record_key,
        organisation.source,
        organisation.country,
        cast(null as varchar) as role,
        case
            when organisation.employees_min < 50 then '1-49'
            when organisation.employees_min < 250 then '50-249'
            when organisation.employees_min >= 250 then '250+'
        end as size,
        organisation.source_updated_at is not null and organisation.source_updated_at < night.as_of - interval 540 day as is_stale,
        [
            struct_pack(field := 'name', has := organisation.name is not null),
            struct_pack(field := 'domain', has := organisation.domain is not null),
            struct_pack(field := 'phone', has := organisation.phone is not null),
            struct_pack(field := 'street', has := organisation.street is not null),
            struct_pack(field := 'city', has := organisation.city is not null),
            struct_pack(field := 'country', has := organisation.country is not null),
            struct_pack(field := 'linkedin_url', has := organisation.linkedin_url is not null),
            struct_pack(field := 'industry', has := organisation.industry is not null),
            struct_pack(field := 'employees', has := organisation.employees_min is not null)
        ] as cells
    from standardised.organisation as organisation
    cross join quality.night as night
    union all
    select
        'contact' as entity,
        golden_id as record_key,
        'golden' as source,
        country,
        seniority as role,
        cast(null as varchar) as size,
        false as is_stale,
        [
            struct_pack(field := 'first_name', has := first_name is not null),
            struct_pack(field := 'last_name', has := last_name is not null),
            struct_pack(field := 'email', has := email is not null),
            struct_pack(field := 'phone', has := phone is not null),
            struct_pack(field := 'mobile', has := mobile is not null),
            struct_pack(field := 'job_title', has := job_title is not null),
            struct_pack(field := 'linkedin_url', has := linkedin_url is not null),
            struct_pack(field := 'city', has := city is not null),
            struct_pack(field := 'country', has := country is not null),
            struct_pack(field := 'organisation', has := organisation_golden_id is not null)
        ] as cells
    from golden.contact
    union all
    select
        'organisation' as entity,
        golden_id as record_key,
        'golden' as source,
        country,
        cast(null as varchar) as role,
        case when employees_min < 50 then '1-49' when employees_min < 250 then '50-249' when employees_min >= 250 then '250+' end as size,
        false as is_stale,
        [
            struct_pack(field := 'name', has := name is not null),
            struct_pack(field := 'domain', has := domain is not null),
            struct_pack(field := 'phone', has := phone is not null),
            struct_pack(field := 'street', has := street is not null),
            struct_pack(field := 'city', has := city is not null),
            struct_pack(field := 'country', has := country is not null),
            struct_pack(field := 'linkedin_url', has := linkedin_url is not null),
            struct_pack(field := 'industry', has := industry is not null),
            struct_pack(field := 'employees', has := employees_min is not null)
        ] as cells
    from golden.organisation
),

doubted as (
    select distinct entity, record_key, field from quality.finding where reason <> 'country_clash'
),

cell as (
    select entity, record_key, source, country, role, size, is_stale, unnest(cells, recursive := true) from record
),

judged as (
    select cell.*, cell.has and not cell.is_stale and doubted.field is null as is_useful
    from cell
    left join doubted on cell.entity = doubted.entity and cell.record_key = doubted.record_key and cell.field = doubted.field
)

select
    entity,
    source,
    case
        when grouping(country) = 0 then 'country'
        when grouping(role) = 0 then 'role'
        when grouping(size) = 0 then 'size'
        else 'all'
    end as segment_kind,
    coalesce(country, role, size, '') as segment,
    field,
    cast(count(*) as bigint) as records,
    cast(count(*) filter (where has) as bigint) as filled,
    cast(count(*) filter (where is_useful) as bigint) as useful
from judged
group by grouping sets (
    (entity, source, field), (entity, source, country, field), (entity, source, role, field), (entity, source, size, field)
)
having grouping(country) = 1 and grouping(role) = 1 and grouping(size) = 1 or coalesce(country, role, size) is not null
