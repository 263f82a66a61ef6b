-- quality.agreement: R5, how often the sources of one golden record say the same, by field.
-- grain:  one row per entity, field, set of sources and pattern of agreement
-- key:    entity, field, sources, pattern
-- inputs: standardised.contact, standardised.organisation, golden.crosswalk
-- why:    a pattern names for each source, in their order, the first source that says the same: `apollo,apollo,zoominfo`
--         is two that agree against one. These counts are all that accuracy is estimated from (assets/quality/accuracy.py).
--         Of a source that holds the entity twice the first record speaks
with contact as (
    select
        crosswalk.golden_id,
        record.source,
        record.first_fold,
        record.last_fold,
        record.email,
        record.phone,
        record.mobile,
        record.title_fold,
        record.linkedin_slug,
        record.city_fold,
        record.country
    from standardised.contact as record
    inner join golden.crosswalk as crosswalk on record.record_key = crosswalk.record_key and crosswalk.entity = 'contact'
    qualify row_number() over (partition by crosswalk.golden_id, record.source order by record.record_key) = 1
),

organisation as (
    select
        crosswalk.golden_id,
        record.source,
        record.name_fold,
        record.domain,
        record.phone,
        record.city_fold,
        record.country,
        record.linkedin_slug
    from standardised.organisation as record
    inner join golden.crosswalk as crosswalk on record.record_key = crosswalk.record_key and crosswalk.entity = 'organisation'
    qualify row_number() over (partition by crosswalk.golden_id, record.source order by record.record_key) = 1
),

cell as (
    select
        'contact' as entity,
        contact.golden_id,
        contact.source,
        unnest([
            struct_pack(field := 'first_name', said := contact.first_fold),
            struct_pack(field := 'last_name', said := contact.last_fold),
            struct_pack(field := 'email', said := contact.email),
            struct_pack(field := 'phone', said := contact.phone),
            struct_pack(field := 'mobile', said := contact.mobile),
            struct_pack(field := 'job_title', said := contact.title_fold),
            struct_pack(field := 'linkedin_url', said := contact.linkedin_slug),
            struct_pack(field := 'city', said := contact.city_fold),
            struct_pack(field := 'country', said := contact.country)
        ], recursive := true)
    from contact
    union all
    select
        'organisation' as entity,
        organisation.golden_id,
        organisation.source,
        unnest([
            struct_pack(field := 'name', said := organisation.name_fold),
            struct_pack(field := 'domain', said := organisation.domain),
            struct_pack(field := 'phone', said := organisation.phone),
            struct_pack(field := 'city', said := organisation.city_fold),
            struct_pack(field := 'country', said := organisation.country),
            struct_pack(field := 'linkedin_url', said := organisation.linkedin_slug)
        ], recursive := true)
    from organisation
),

spoken as (
    select entity, golden_id, field, source, min(source) over (partition by entity, golden_id, field, said) as agrees_with
    from cell
    where said is not null
),

pattern as (
    select
        entity,
        golden_id,
        field,
        string_agg(source, ',' order by source) as sources,
        string_agg(agrees_with, ',' order by source) as pattern
    from spoken
    group by entity, golden_id, field
    having count(*) > 1
)

select entity, field, sources, pattern, cast(count(*) as bigint) as golden_count
from pattern
group by entity, field, sources, pattern
