-- answers.only_here: what does each source bring that no other has?
-- grain:  one row per entity and source
-- key:    entity, source
-- inputs: golden.crosswalk
-- why:    what a subscription is worth: golden records that would be missing without it
with present as (
    select distinct golden_id, entity, split_part(record_key, ':', 1) as source from golden.crosswalk
),

counted as (
    select golden_id, entity, source, count(*) over (partition by golden_id) as sources from present
)

select
    entity,
    source,
    count(*) as golden_records,
    count(*) filter (where sources = 1) as only_here
from counted
group by entity, source
