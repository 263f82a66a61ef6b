-- resolved.organisation_candidate: the pairs worth comparing, and the random sample from which chance agreement is learned.
-- grain:  one row per pair, sampled and blocked pairs apart
-- key:    l, r, is_sample
-- inputs: resolved.organisation_block, resolved.organisation_sample
-- why:    l < r by record_key, so a pair has one name
with met as (
    select block.rid as l, other.rid as r
    from resolved.organisation_block as block
    inner join resolved.organisation_block as other on block.block_id = other.block_id and block.rid < other.rid
)

select l, r, false as is_sample from met group by l, r
union all
select l, r, true as is_sample from resolved.organisation_sample
