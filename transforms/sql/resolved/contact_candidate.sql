-- resolved.contact_candidate: the pairs worth comparing, and the random sample from which chance agreement is learned.
-- grain:  one row per pair, sampled and blocked pairs apart
-- key:    l, r, is_sample
-- inputs: resolved.contact_block, resolved.contact_sample, resolved.contact_dirty, resolved.contact_copy, resolved.contact_feature, ops.contact_decision
-- why:    l < r, so a pair has one name; a pair whose blocks together make fewer than four points is left out, one
--         that somebody decided on is always in; one of the two is dirty, for all other pairs stand already
with met as (
    select unnest(dirty_rids) as l, dirty_rids, clean_rids, points from resolved.contact_block where not is_skipped
),

among_dirty as (
    select l, unnest(dirty_rids) as r, points from met
),

with_clean as (
    select l, unnest(clean_rids) as r, points from met
),

pair as (
    select l, r, points from among_dirty where l < r
    union all
    select least(l, r) as l, greatest(l, r) as r, points from with_clean
    union all
    select first_rid as l, rid as r, 4 as points
    from resolved.contact_copy
    where
        rid in (select rid from resolved.contact_dirty)
        or first_rid in (select rid from resolved.contact_dirty)
    union all
    select
        least(left_feature.rid, right_feature.rid) as l,
        greatest(left_feature.rid, right_feature.rid) as r,
        4 as points
    from ops.contact_decision as decision
    inner join resolved.contact_feature as left_feature on decision.record_key_l = left_feature.record_key
    inner join resolved.contact_feature as right_feature on decision.record_key_r = right_feature.record_key
    where
        left_feature.rid in (select rid from resolved.contact_dirty)
        or right_feature.rid in (select rid from resolved.contact_dirty)
)

select l, r, false as is_sample from pair group by l, r having sum(points) >= 4
union all
select l, r, true as is_sample from resolved.contact_sample
