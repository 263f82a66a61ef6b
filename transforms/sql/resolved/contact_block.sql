-- resolved.contact_block: the blocks inside which records are compared.
-- grain:  one row per record and block
-- key:    block_id, rid
-- inputs: resolved.contact_key
-- why:    a block over 100 records is split by the rule's further key; what is still too large is skipped, and
--         counted in resolved.contact_block_report
with sized as (
    select rid, rule, key, refine, count(*) over (partition by rule, key) as records from resolved.contact_key
),

split as (
    select rid, rule, case when records > 100 then key || ' / ' || refine else key end as key from sized
),

grouped as (
    select rule, key, row_number() over (order by rule, key) as block_id
    from split
    where key is not null
    group by rule, key
    having count(*) between 2 and 100
)

select grouped.block_id, split.rid
from split
inner join grouped on split.rule = grouped.rule and split.key = grouped.key
