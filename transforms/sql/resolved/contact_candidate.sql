-- resolved.contact_candidate: the pairs worth comparing, and the random sample from which chance agreement is learned.
-- grain:  one row per pair, sampled and blocked pairs apart
-- key:    l, r, is_sample
-- inputs: resolved.contact_block, resolved.contact_sample
-- why:    l < r, so a pair has one name; a pair whose blocks together make fewer than four points is left out
with met as (
    select unnest(rids) as l, rids, points from resolved.contact_block where not is_skipped
),

pair as (
    select l, unnest(rids) as r, points from met
)

select l, r, false as is_sample from pair where l < r group by l, r having sum(points) >= 4
union all
select l, r, true as is_sample from resolved.contact_sample
