-- resolved.contact_block: the blocks inside which contacts meet.
-- grain:  one row per open block of two records or more
-- key:    rule, key, part
-- inputs: resolved.contact_open_key
-- why:    a block over 64 records is split by the rule's further key; a part that is still larger is kept here as
--         skipped, so that what it may cost can be counted. `points` is what it says to share this block: a pair needs
--         four, from one block of up to 16 or from several larger ones (Papadakis and others, "Meta-blocking", 2014)
with sized as (
    select rule, key, count(*) as records
    from resolved.contact_open_key
    where rule != 'copy'
    group by rule, key
    having count(*) > 1
),

member as (
    select
        open_key.rule,
        open_key.key,
        case when sized.records > 64 then coalesce(open_key.refine, '') else '' end as part,
        open_key.rid,
        open_key.is_dirty,
        sized.records > 64 as is_split,
        sized.records > 64 and open_key.refine is null as is_unsplit
    from resolved.contact_open_key as open_key
    inner join sized on open_key.rule = sized.rule and open_key.key = sized.key
)

select
    rule,
    key,
    part,
    list(rid) filter (where is_dirty) as dirty_rids,
    list(rid) filter (where not is_dirty) as clean_rids,
    cast(count(*) as bigint) as records,
    bool_or(is_split) as is_split,
    bool_or(is_unsplit) or count(*) > 64 as is_skipped,
    cast(case when count(*) <= 16 then 4 when count(*) <= 32 then 2 else 1 end as bigint) as points
from member
group by rule, key, part
having count(*) > 1 and bool_or(is_dirty)
