-- quality.record_fate: where each row that a source sent, or implied, has come to.
-- grain:  one row per fetched row, quarantined row, or organisation that is named only beside a contact
-- key:    source, entity, source_id, fate, record_key
-- inputs: raw_apollo.contact, raw_apollo.organisation, raw_apollo.quarantine, raw_zoominfo.contact, raw_zoominfo.organisation, raw_zoominfo.quarantine, raw_uplead.contact, raw_uplead.organisation, raw_uplead.quarantine, raw_exports.contact, raw_exports.quarantine, standardised.contact, standardised.organisation, golden.crosswalk
-- why:    every row has exactly one fate, so the losses of the funnel are counted row by row and not by subtraction
with fetched as (
    select 'apollo' as source, 'contact' as entity, id from raw_apollo.contact
    union all
    select 'apollo' as source, 'organisation' as entity, id from raw_apollo.organisation
    union all
    select 'zoominfo' as source, 'contact' as entity, id from raw_zoominfo.contact
    union all
    select 'zoominfo' as source, 'organisation' as entity, id from raw_zoominfo.organisation
    union all
    select 'uplead' as source, 'contact' as entity, id from raw_uplead.contact
    union all
    select 'uplead' as source, 'organisation' as entity, id from raw_uplead.organisation
    union all
    select 'exports' as source, 'contact' as entity, id from raw_exports.contact
),

quarantined as (
    select 'apollo' as source, entity, id from raw_apollo.quarantine
    union all
    select 'zoominfo' as source, entity, id from raw_zoominfo.quarantine
    union all
    select 'uplead' as source, entity, id from raw_uplead.quarantine
    union all
    select 'exports' as source, entity, id from raw_exports.quarantine
),

standard as (
    select 'contact' as entity, source, source_id, record_key from standardised.contact
    union all
    select 'organisation' as entity, source, source_id, record_key from standardised.organisation
),

sent as (
    select
        coalesce(fetched.source, standard.source) as source,
        coalesce(fetched.entity, standard.entity) as entity,
        coalesce(fetched.id, standard.source_id) as source_id,
        standard.record_key,
        fetched.id is null as is_named
    from fetched
    full outer join standard
        on fetched.source = standard.source and fetched.entity = standard.entity and fetched.id = standard.source_id
)

select
    sent.source,
    sent.entity,
    sent.source_id,
    sent.record_key,
    crosswalk.golden_id,
    sent.is_named,
    case
        when sent.record_key is null then 'not_standardised'
        when crosswalk.golden_id is null then 'not_matched'
        else 'matched'
    end as fate
from sent
left join golden.crosswalk as crosswalk on sent.record_key = crosswalk.record_key and sent.entity = crosswalk.entity
union all
select source, entity, id as source_id, null as record_key, null as golden_id, false as is_named, 'quarantined' as fate
from quarantined
