-- quality.funnel_balance: R1, whether each step of the funnel is explained by the one before and its losses.
-- grain:  one row per entity, source and step
-- key:    entity, source, place
-- inputs: quality.funnel
-- why:    `unexplained` is what stood before, less losses, with gains, less what stands: it must be 0 everywhere
with stands as (
    select entity, source, place, value from quality.funnel where kind = 'stands'
),

moved as (
    select entity, source, place, sum(case when kind = 'gain' then value else -value end) as value
    from quality.funnel
    where kind in ('gain', 'loss')
    group by entity, source, place
),

-- What stands before a step; the sources become one at golden.
before as (
    select entity, source, place + 1 as place, value from stands where place in (1, 2)
    union all
    select entity, '' as source, 4 as place, sum(value) as value from stands where place = 3 group by entity
    union all
    select entity, source, place + 1 as place, value from stands where place between 4 and 7
),

place_of as (
    select entity, source, place from before
    union
    select entity, source, place from moved
    union
    select entity, source, place from stands where place > 1
)

select
    place_of.entity,
    place_of.source,
    place_of.place,
    cast(coalesce(before.value, 0) as bigint) as before,
    cast(coalesce(moved.value, 0) as bigint) as moved,
    cast(coalesce(stands.value, 0) as bigint) as stands,
    cast(coalesce(before.value, 0) + coalesce(moved.value, 0) - coalesce(stands.value, 0) as bigint) as unexplained
from place_of
left join before on place_of.entity = before.entity and place_of.source = before.source and place_of.place = before.place
left join moved on place_of.entity = moved.entity and place_of.source = moved.source and place_of.place = moved.place
left join stands on place_of.entity = stands.entity and place_of.source = stands.source and place_of.place = stands.place
