-- answers.same_entity: which source records were taken for one?
-- grain:  one row per source record
-- key:    record_key, entity
-- inputs: golden.crosswalk
-- why:    `halosync why RECORD RECORD` tells the evidence
select
    golden_id,
    entity,
    record_key,
    split_part(record_key, ':', 1) as source,
    count(*) over (partition by golden_id) as record_count,
    since
from golden.crosswalk
