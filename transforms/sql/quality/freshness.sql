-- quality.freshness: R10, when each source was last read, when it last brought anything new, and a digest of what it says.
-- grain:  one row per source
-- key:    source
-- inputs: raw_apollo.contact, raw_apollo.organisation, raw_zoominfo.contact, raw_zoominfo.organisation, raw_uplead.contact, raw_uplead.organisation, raw_exports.contact, ops.freshness, quality.night
-- why:    read without trouble and something new are two things: a vendor may be well and quiet. The digest is the
--         exclusive or of 60 bits of every content hash: exact, and whatever order the rows are in
with raw as (
    select 'apollo' as source, content_hash, fetched_at from raw_apollo.contact
    union all
    select 'apollo' as source, content_hash, fetched_at from raw_apollo.organisation
    union all
    select 'zoominfo' as source, content_hash, fetched_at from raw_zoominfo.contact
    union all
    select 'zoominfo' as source, content_hash, fetched_at from raw_zoominfo.organisation
    union all
    select 'uplead' as source, content_hash, fetched_at from raw_uplead.contact
    union all
    select 'uplead' as source, content_hash, fetched_at from raw_uplead.organisation
    union all
    select 'exports' as source, content_hash, fetched_at from raw_exports.contact
),

told as (
    select
        source,
        count(*) as records,
        max(fetched_at) as newest_at,
        bit_xor(cast('0x' || substr(content_hash, 1, 15) as bigint)) as digest
    from raw
    group by source
)

select
    coalesce(told.source, freshness.source) as source,
    cast(coalesce(told.records, 0) as bigint) as records,
    freshness.read_at,
    told.newest_at,
    cast(date_diff('hour', cast(freshness.read_at as timestamp), night.as_of) as bigint) as age_hours,
    cast(date_diff('hour', cast(told.newest_at as timestamp), night.as_of) as bigint) as quiet_hours,
    cast(told.digest as bigint) as digest
from told
full outer join ops.freshness as freshness on told.source = freshness.source
cross join quality.night as night
