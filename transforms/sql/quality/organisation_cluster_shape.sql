-- quality.organisation_cluster_shape: R7, what speaks for and against each cluster of two records or more.
-- grain:  one row per golden organisation of several records
-- key:    golden_id
-- inputs: standardised.organisation, golden.crosswalk, resolved.organisation_pair, resolved.organisation_unmet, golden.lineage
-- why:    all pairs count, the ones that blocking never brought together too: two clusters glued by one wrong edge have
--         many such pairs. One pair says at most 20 bits, so that a steward's word does not outweigh what all others say
with member as (
    select crosswalk.golden_id, record.*
    from standardised.organisation as record
    inner join golden.crosswalk as crosswalk on record.record_key = crosswalk.record_key and crosswalk.entity = 'organisation'
),

told as (
    select
        record.golden_id,
        count(*) as records,
        count(distinct record.source) as sources,
        cast(0 as bigint) as first_names,
        cast(0 as bigint) as initials,
        count(distinct record.name_fold) as names,
        cast(0 as bigint) as suffixes,
        count(distinct record.linkedin_slug) as profiles,
        count(distinct record.domain) as sites,
        cast(0 as bigint) as mailboxes_beside,
        count(distinct record.phone) as numbers,
        count(*) - count(distinct record.source) as again
    from member as record
    group by record.golden_id
    having count(*) > 1
),

inside as (
    select
        one.golden_id,
        count(*) as pairs_met,
        count(*) filter (where pair.weight <= 0) as pairs_against,
        min(greatest(least(pair.weight, 20000), -20000)) as weakest_milli,
        sum(greatest(least(pair.weight, 20000), -20000)) as met_milli
    from resolved.organisation_pair as pair
    inner join member as one on pair.l = one.rid
    inner join member as two on pair.r = two.rid and one.golden_id = two.golden_id
    group by one.golden_id
),

grown as (
    select distinct golden_id from (
        select case when event = 'merged_into' then other_id else golden_id end as golden_id from golden.lineage where event = 'merged_into'
    ) as merged
)

select
    told.*,
    cast(coalesce(inside.pairs_met, 0) as bigint) as pairs_met,
    cast(coalesce(inside.pairs_against, 0) as bigint) as pairs_against,
    cast(told.records * (told.records - 1) // 2 - coalesce(inside.pairs_met, 0) as bigint) as pairs_unmet,
    cast(coalesce(inside.weakest_milli, 0) as bigint) as weakest_milli,
    cast((coalesce(inside.met_milli, 0) + (told.records * (told.records - 1) // 2 - coalesce(inside.pairs_met, 0)) * unmet.never_met_milli)
        // (told.records * (told.records - 1) // 2) as bigint) as mean_milli,
    grown.golden_id is not null as is_grown
from told
cross join resolved.organisation_unmet as unmet
left join inside on told.golden_id = inside.golden_id
left join grown on told.golden_id = grown.golden_id
