-- resolved.contact_block_report: what blocking kept, split and skipped.
-- grain:  one row per rule
-- key:    rule
-- inputs: resolved.contact_key
-- why:    nothing is dropped silently; skipped_pairs bounds what the caps may cost (pairs may still meet elsewhere)
with sized as (
    select rule, key, refine, count(*) over (partition by rule, key) as records from resolved.contact_key
),

split as (
    select
        rule,
        key,
        case when records > 100 then coalesce(refine, '') end as part,
        records > 100 and refine is null as is_unsplit,
        records > 100 as is_oversize
    from sized
),

block as (
    select rule, key, part, is_oversize, bool_or(is_unsplit) as is_unsplit, count(*) as records
    from split
    group by rule, key, part, is_oversize
)

select
    rule,
    cast(count(*) as bigint) as blocks,
    cast(sum(records) as bigint) as records,
    cast(max(records) as bigint) as records_max,
    cast(sum(case when is_oversize then 1 else 0 end) as bigint) as split_blocks,
    cast(sum(case when is_unsplit or records > 100 then 1 else 0 end) as bigint) as skipped_blocks,
    cast(sum(case when is_unsplit or records > 100 then records * (records - 1) // 2 else 0 end) as bigint) as skipped_pairs
from block
group by rule
