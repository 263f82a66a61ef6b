-- resolved.organisation_pair: every compared pair with its weight: the evidence.
-- grain:  one row per compared pair
-- key:    l, r
-- inputs: resolved.organisation_pattern, resolved.organisation_weight, resolved.organisation_feature, ops.organisation_decision
-- why:    weight is in thousandths of a bit over the threshold: 0 is the cut, positive says same. What somebody
--         decided outweighs all evidence that any cluster can hold
with decision as (
    select
        least(left_feature.rid, right_feature.rid) as l,
        greatest(left_feature.rid, right_feature.rid) as r,
        bool_and(decision.is_same) as is_same
    from ops.organisation_decision as decision
    inner join resolved.organisation_feature as left_feature on decision.record_key_l = left_feature.record_key
    inner join resolved.organisation_feature as right_feature on decision.record_key_r = right_feature.record_key
    group by least(left_feature.rid, right_feature.rid), greatest(left_feature.rid, right_feature.rid)
)

select
    left_feature.record_key as record_key_l,
    right_feature.record_key as record_key_r,
    pattern.l,
    pattern.r,
    pattern.pattern,
    case
        when decision.is_same then 1000000000000
        when not decision.is_same then -1000000000000
        else pattern_weight.weight
    end as weight,
    case when decision.is_same then 1.0 when not decision.is_same then 0.0 else pattern_weight.probability end
        as probability
from resolved.organisation_pattern as pattern
inner join resolved.organisation_feature as left_feature on pattern.l = left_feature.rid
inner join resolved.organisation_feature as right_feature on pattern.r = right_feature.rid
inner join resolved.organisation_weight as pattern_weight
    on pattern.pattern = pattern_weight.pattern
    and least(left_feature.source, right_feature.source) = pattern_weight.source_low
    and greatest(left_feature.source, right_feature.source) = pattern_weight.source_high
left join decision on pattern.l = decision.l and pattern.r = decision.r
where not pattern.is_sample
