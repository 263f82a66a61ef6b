-- quality.flapping: R6, golden records that went back to a state they had left: A, then B, then A again.
-- grain:  one row per golden record
-- key:    golden_id
-- inputs: ops.feed
-- why:    two sources that overrule each other night after night; each turn is a write to HaloPSA for nothing
select feed.entity, feed.golden_id, cast(count(*) as bigint) as returns
from ops.feed as feed
inner join ops.feed as earlier
    on feed.golden_id = earlier.golden_id and feed.content_hash = earlier.content_hash and feed.version > earlier.version + 1
where feed.change_kind <> 'retired' and earlier.change_kind <> 'retired'
group by feed.entity, feed.golden_id
