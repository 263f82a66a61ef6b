-- answers.waiting_for_you: which decisions wait for a person?
-- grain:  one row per open work item
-- key:    item_id
-- inputs: ops.work_item
-- why:    each names the HaloPSA records it is about; it closes by itself once a run finds it settled
select item_id, kind, golden_id, resource, halo_id, other_halo_id, field, opened_at
from ops.work_item
where closed_at is null
