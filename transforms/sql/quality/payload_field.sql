-- quality.payload_field: R12, the fields that each source sends, with the types they come in.
-- grain:  one row per source, entity and field
-- key:    source, entity, field
-- inputs: raw_apollo.contact, raw_apollo.organisation, raw_zoominfo.contact, raw_zoominfo.organisation, raw_uplead.contact, raw_uplead.organisation
-- why:    the first level only, which is where vendors add and rename. A sheet of exports has headings of its own and is
--         read by many spellings, so files are left out
with raw as (
    select 'apollo' as source, 'contact' as entity, payload from raw_apollo.contact
    union all
    select 'apollo' as source, 'organisation' as entity, payload from raw_apollo.organisation
    union all
    select 'zoominfo' as source, 'contact' as entity, payload from raw_zoominfo.contact
    union all
    select 'zoominfo' as source, 'organisation' as entity, payload from raw_zoominfo.organisation
    union all
    select 'uplead' as source, 'contact' as entity, payload from raw_uplead.contact
    union all
    select 'uplead' as source, 'organisation' as entity, payload from raw_uplead.organisation
),

keyed as (
    select source, entity, payload, unnest(json_keys(payload)) as field from raw
),

typed as (
    select source, entity, field, json_type(json_extract(payload, '$."' || field || '"')) as type from keyed
)

select
    source,
    entity,
    field,
    cast(count(*) as bigint) as records,
    string_agg(distinct type, ',' order by type) filter (where type <> 'NULL') as types
from typed
group by source, entity, field
