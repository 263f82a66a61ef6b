-- answers.spent: what did each source cost, by day?
-- grain:  one row per source and day
-- key:    source, day
-- inputs: ops.credit
-- why:    `halosync credits` puts it beside verified contacts
select source, cast(spent_at as date) as day, sum(records) as records, sum(credits) as credits
from ops.credit
group by source, cast(spent_at as date)
