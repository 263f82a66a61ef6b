-- resolved.organisation_outcome: how many pairs of each pattern and source pair exist, and how many lie inside clusters.
-- grain:  one row per pattern and source pair
-- key:    pattern, source_low, source_high
-- inputs: resolved.organisation_pair, resolved.organisation_feature, resolved.organisation_cluster
-- why:    all that the estimates of precision and recall need to know of the result
with placed as (
    select feature.rid, feature.source, cluster.cluster_key
    from resolved.organisation_feature as feature
    inner join resolved.organisation_cluster as cluster on feature.rid = cluster.rid
)

select
    pair.pattern,
    least(placed.source, other.source) as source_low,
    greatest(placed.source, other.source) as source_high,
    cast(count(*) as bigint) as pairs,
    cast(sum(case when placed.cluster_key = other.cluster_key then 1 else 0 end) as bigint) as inside
from resolved.organisation_pair as pair
inner join placed on pair.l = placed.rid
inner join placed as other on pair.r = other.rid
group by pair.pattern, least(placed.source, other.source), greatest(placed.source, other.source)
