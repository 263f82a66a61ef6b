-- resolved.organisation_block_report: what blocking kept, split and skipped.
-- grain:  one row per rule
-- key:    rule
-- inputs: resolved.organisation_block
-- why:    nothing is dropped silently; skipped_pairs bounds what the caps may cost (pairs may still meet elsewhere)
select
    rule,
    cast(count(*) as bigint) as blocks,
    cast(sum(records) as bigint) as records,
    cast(max(records) as bigint) as records_max,
    cast(sum(case when is_skipped then 0 else records * (records - 1) // 2 end) as bigint) as pairs,
    cast(sum(case when is_split then 1 else 0 end) as bigint) as split_blocks,
    cast(sum(case when is_skipped then 1 else 0 end) as bigint) as skipped_blocks,
    cast(sum(case when is_skipped then records * (records - 1) // 2 else 0 end) as bigint) as skipped_pairs
from resolved.organisation_block
group by rule
