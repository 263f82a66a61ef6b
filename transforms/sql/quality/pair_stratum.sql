-- quality.pair_stratum: R4, the pairs from which a sample to label is drawn, by what was decided and how surely.
-- grain:  one row per compared pair, and per pair inside a golden record that was never compared
-- key:    entity, record_key_l, record_key_r
-- inputs: resolved.contact_pair, resolved.organisation_pair, golden.crosswalk
-- why:    strata are bins of the weight inside and outside of golden records; few labels say most where they are spent
--         near the cut. Read when it is asked for: at a million records it has millions of rows
with pair as (
    select 'contact' as entity, least(record_key_l, record_key_r) as record_key_l, greatest(record_key_l, record_key_r) as record_key_r, weight, pattern
    from resolved.contact_pair
    union all
    select 'organisation' as entity, least(record_key_l, record_key_r) as record_key_l, greatest(record_key_l, record_key_r) as record_key_r, weight, pattern
    from resolved.organisation_pair
),

inside as (
    select one.entity, one.record_key as record_key_l, two.record_key as record_key_r
    from golden.crosswalk as one
    inner join golden.crosswalk as two on one.entity = two.entity and one.golden_id = two.golden_id and one.record_key < two.record_key
)

select
    coalesce(pair.entity, inside.entity) as entity,
    coalesce(pair.record_key_l, inside.record_key_l) as record_key_l,
    coalesce(pair.record_key_r, inside.record_key_r) as record_key_r,
    pair.weight,
    pair.pattern,
    inside.entity is not null as is_inside,
    case when inside.entity is null then 'outside' else 'inside' end || ', ' || case
        when pair.weight is null then 'never compared'
        when pair.weight <= -12000 then 'under -12 bits'
        when pair.weight <= -6000 then '-12 to -6 bits'
        when pair.weight <= -3000 then '-6 to -3 bits'
        when pair.weight <= 0 then '-3 to 0 bits'
        when pair.weight <= 3000 then '0 to 3 bits'
        when pair.weight <= 6000 then '3 to 6 bits'
        when pair.weight <= 12000 then '6 to 12 bits'
        when pair.weight <= 24000 then '12 to 24 bits'
        else 'over 24 bits'
    end as stratum
from pair
full outer join inside
    on pair.entity = inside.entity and pair.record_key_l = inside.record_key_l and pair.record_key_r = inside.record_key_r
