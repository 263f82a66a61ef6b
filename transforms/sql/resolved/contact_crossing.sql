-- resolved.contact_crossing: unchanged contacts in a block that grew or shrank past a size that matters.
-- grain:  one row per source record
-- key:    rid
-- inputs: resolved.contact_key, resolved.contact_former_key, resolved.contact_changed
-- why:    what a block says depends on its size (block), so its members must be compared again when its class
--         changes, and copies when another is their first (copy). Not made in a full run, where all are compared
with touched as (
    select rule, key from resolved.contact_key where rid in (select rid from resolved.contact_changed)
    union
    select rule, key from resolved.contact_former_key
),

member as (
    select contact_key.rid, contact_key.rule, contact_key.key, contact_key.refine, changed.rid is not null as is_changed
    from resolved.contact_key as contact_key
    inner join touched on contact_key.rule = touched.rule and contact_key.key = touched.key
    left join resolved.contact_changed as changed on contact_key.rid = changed.rid
),

former_member as (
    select rid, rule, key, refine, false as is_changed from member where not is_changed
    union all
    select rid, rule, key, refine, true as is_changed from resolved.contact_former_key
),

sized as (
    select
        *,
        min(rid) over (partition by rule, key) as first_rid,
        count(*) over (partition by rule, key) as whole,
        count(*) over (partition by rule, key, refine) as part
    from member
),

former_sized as (
    select
        *,
        min(rid) over (partition by rule, key) as first_rid,
        count(*) over (partition by rule, key) as whole,
        count(*) over (partition by rule, key, refine) as part
    from former_member
),

classed as (
    select
        rid,
        rule,
        key,
        case
            when rule = 'copy' and whole > 16 then first_rid
            when whole <= 16 then 4
            when whole <= 32 then 2
            when whole <= 64 then 1
            when refine is null or part > 64 then 0
            when part <= 16 then 14
            when part <= 32 then 12
            else 11
        end as class
    from sized
    where not is_changed
),

former_classed as (
    select
        rid,
        rule,
        key,
        case
            when rule = 'copy' and whole > 16 then first_rid
            when whole <= 16 then 4
            when whole <= 32 then 2
            when whole <= 64 then 1
            when refine is null or part > 64 then 0
            when part <= 16 then 14
            when part <= 32 then 12
            else 11
        end as class
    from former_sized
    where not is_changed
)

select classed.rid
from classed
inner join former_classed
    on classed.rid = former_classed.rid and classed.rule = former_classed.rule and classed.key = former_classed.key
where classed.class != former_classed.class
group by classed.rid
