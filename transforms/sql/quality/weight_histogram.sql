-- quality.weight_histogram: R9, the compared pairs by their weight, and how many of them lie inside golden records.
-- grain:  one row per entity and bin of three bits
-- key:    entity, bits_low
-- inputs: resolved.contact_pair, resolved.organisation_pair, golden.crosswalk
-- why:    a valley at the cut is a cut that holds; pairs piled up there would be decided by noise
with pair as (
    select 'contact' as entity, record_key_l, record_key_r, weight from resolved.contact_pair
    union all
    select 'organisation' as entity, record_key_l, record_key_r, weight from resolved.organisation_pair
)

select
    pair.entity,
    cast(3 * floor(greatest(least(pair.weight, 45000), -45000) / 3000.0) as bigint) as bits_low,
    cast(count(*) as bigint) as pairs,
    cast(count(*) filter (where one.golden_id = two.golden_id) as bigint) as inside,
    cast(count(*) filter (where abs(pair.weight) < 1000) as bigint) as at_the_cut
from pair
left join golden.crosswalk as one on pair.record_key_l = one.record_key and pair.entity = one.entity
left join golden.crosswalk as two on pair.record_key_r = two.record_key and pair.entity = two.entity
group by pair.entity, cast(3 * floor(greatest(least(pair.weight, 45000), -45000) / 3000.0) as bigint)
