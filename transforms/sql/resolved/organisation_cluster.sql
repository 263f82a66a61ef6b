-- resolved.organisation_cluster: which source records are one entity.
-- grain:  one row per source record, singletons included
-- key:    record_key
-- inputs: resolved.organisation_feature, resolved.organisation_group, resolved.organisation_component, resolved.organisation_reopened
-- why:    a cluster is named after its smallest record_key; golden ids come later (identity.py)
select
    feature.rid,
    feature.record_key,
    first_value(feature.record_key) over (
        partition by coalesce(refined.cluster_rid, component.judged_as, feature.rid) order by feature.record_key
    ) as cluster_key,
    component.component
from resolved.organisation_feature as feature
inner join resolved.organisation_reopened as reopened on feature.rid = reopened.rid
left join resolved.organisation_component as component on feature.rid = component.rid
left join resolved.organisation_group as refined on component.judged_as = refined.rid
