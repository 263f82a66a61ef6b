-- resolved.organisation_crossing: unchanged organisations in a block that grew or shrank past a size that matters.
-- grain:  one row per source record
-- key:    rid
-- inputs: resolved.organisation_key, resolved.organisation_former_key, resolved.organisation_changed
-- why:    what a block says depends on its size (block), so its members must be compared again when its class
--         changes, and copies when another is their first (copy). Not made in a full run, where all are compared
with touched as (
    select rule, key from resolved.organisation_key where rid in (select rid from resolved.organisation_changed)
    union
    select rule, key from resolved.organisation_former_key
),

unchanged as (
    select organisation_key.rid, organisation_key.rule, organisation_key.key, organisation_key.refine
    from resolved.organisation_key as organisation_key
    inner join touched on organisation_key.rule = touched.rule and organisation_key.key = touched.key
    where organisation_key.rid not in (select rid from resolved.organisation_changed)
),

member as (
    select true as is_former, false as is_changed, rid, rule, key, refine from unchanged
    union all
    select true as is_former, true as is_changed, rid, rule, key, refine from resolved.organisation_former_key
    union all
    select false as is_former, false as is_changed, rid, rule, key, refine from unchanged
    union all
    select false as is_former, true as is_changed, rid, rule, key, refine
    from resolved.organisation_key
    where rid in (select rid from resolved.organisation_changed)
),

sized as (
    select
        *,
        min(rid) over (partition by is_former, rule, key) as first_rid,
        count(*) over (partition by is_former, rule, key) as whole,
        count(*) over (partition by is_former, rule, key, refine) as part
    from member
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

crossed as (
    select rid from classed group by rid, rule, key having min(class) != max(class)
)

select rid from crossed group by rid
