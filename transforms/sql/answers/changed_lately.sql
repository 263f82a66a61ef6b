-- answers.changed_lately: what changed, in which run?
-- grain:  one row per change of a golden record
-- key:    golden_id, seq
-- inputs: ops.feed, ops.commit
-- why:    the feed tells pollers the same, in this order
select
    change.seq,
    moment.commit_ts,
    change.golden_id,
    change.entity,
    change.change_kind,
    moment.run_id
from ops.feed as change
inner join ops.commit as moment on change.seq = moment.seq
