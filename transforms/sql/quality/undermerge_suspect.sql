-- quality.undermerge_suspect: R8, golden records that may be one entity, the likeliest first.
-- grain:  one row per pair of golden records with a pair of records near the cut, or over it and kept apart
-- key:    entity, golden_id_l, golden_id_r
-- inputs: resolved.contact_pair, resolved.organisation_pair, golden.crosswalk
-- why:    near miss: at most 4 bits below the cut. Kept apart: the pair alone says same, the cluster as a whole did not.
--         What a steward decided is no suspicion
with pair as (
    select 'contact' as entity, record_key_l, record_key_r, weight from resolved.contact_pair
    union all
    select 'organisation' as entity, record_key_l, record_key_r, weight from resolved.organisation_pair
)

select
    pair.entity,
    least(one.golden_id, two.golden_id) as golden_id_l,
    greatest(one.golden_id, two.golden_id) as golden_id_r,
    case when max(pair.weight) > 0 then 'kept_apart' else 'near_miss' end as kind,
    max(pair.weight) as weight_milli,
    cast(count(*) as bigint) as pairs,
    'halosync why ' || min(pair.record_key_l || ' ' || pair.record_key_r) || ' --entity ' || pair.entity as command
from pair
inner join golden.crosswalk as one on pair.record_key_l = one.record_key and pair.entity = one.entity
inner join golden.crosswalk as two on pair.record_key_r = two.record_key and pair.entity = two.entity
where pair.weight > -4000 and pair.weight < 1000000 and one.golden_id <> two.golden_id
group by pair.entity, least(one.golden_id, two.golden_id), greatest(one.golden_id, two.golden_id)
