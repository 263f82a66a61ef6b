-- resolved.contact_cluster: which source records are one entity.
-- grain:  one row per source record, singletons included
-- key:    record_key
-- inputs: resolved.contact_feature, resolved.contact_group
-- why:    a cluster is named after its smallest record_key; golden ids come later (identity.py)
select
    feature.record_key,
    first_value(feature.record_key) over (
        partition by coalesce(refined.cluster_rid, feature.rid) order by feature.record_key
    ) as cluster_key
from resolved.contact_feature as feature
left join resolved.contact_group as refined on feature.rid = refined.rid
