-- resolved.organisation_pair: every compared pair with its weight: the evidence.
-- grain:  one row per compared pair
-- key:    l, r
-- inputs: resolved.organisation_pattern, resolved.organisation_weight, resolved.organisation_feature
-- why:    weight is in thousandths of a bit over the threshold: 0 is the cut, positive says same
select
    left_feature.record_key as record_key_l,
    right_feature.record_key as record_key_r,
    pattern.l,
    pattern.r,
    pattern.pattern,
    pattern_weight.weight,
    pattern_weight.probability
from resolved.organisation_pattern as pattern
inner join resolved.organisation_feature as left_feature on pattern.l = left_feature.rid
inner join resolved.organisation_feature as right_feature on pattern.r = right_feature.rid
inner join resolved.organisation_weight as pattern_weight
    on pattern.pattern = pattern_weight.pattern
    and least(left_feature.source, right_feature.source) = pattern_weight.source_low
    and greatest(left_feature.source, right_feature.source) = pattern_weight.source_high
where not pattern.is_sample
