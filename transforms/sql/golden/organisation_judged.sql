-- golden.organisation_judged: the organisations whose golden id is judged again, with their cluster.
-- grain:  one row per source record, gone ones included (no cluster)
-- key:    record_key
-- inputs: resolved.organisation_reopened, resolved.organisation_changed, resolved.organisation_cluster,
--         resolved.organisation_feature, ops.organisation_registry, ops.organisation_golden_id, previous.organisation_identity
-- why:    a record that came back claims the id it had, so whoever bears that id now is judged beside it
with reopened as (
    select cluster.record_key, cluster.cluster_key
    from resolved.organisation_cluster as cluster
    inner join resolved.organisation_reopened as reopened on cluster.rid = reopened.rid
    union all
    select record_key, cast(null as varchar) as cluster_key from resolved.organisation_changed where is_gone
    union
    select registry.record_key, cast(null as varchar) as cluster_key
    from ops.organisation_registry as registry
    inner join ops.organisation_golden_id as golden_id on registry.golden_id = golden_id.golden_id and golden_id.is_live
    left join resolved.organisation_feature as feature on registry.record_key = feature.record_key
    where feature.record_key is null
),

claimed as (
    select registry.golden_id
    from ops.organisation_registry as registry
    inner join reopened on registry.record_key = reopened.record_key
    group by registry.golden_id
),

rival as (
    select cluster.cluster_key
    from ops.organisation_registry as registry
    inner join claimed on registry.golden_id = claimed.golden_id
    inner join resolved.organisation_cluster as cluster on registry.record_key = cluster.record_key
    group by cluster.cluster_key
),

judged as (
    select record_key, cluster_key from reopened
    union
    select cluster.record_key, cluster.cluster_key
    from resolved.organisation_cluster as cluster
    inner join rival on cluster.cluster_key = rival.cluster_key
)

select judged.record_key, judged.cluster_key, former.golden_id as former_golden_id
from judged
left join previous.organisation_identity as former on judged.record_key = former.record_key
