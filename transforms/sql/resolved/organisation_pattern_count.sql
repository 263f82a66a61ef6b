-- resolved.organisation_pattern_count: how often each pattern occurs, by the sources of the pair.
-- grain:  one row per pattern, source pair and kind of pair
-- key:    is_sample, pattern, source_low, source_high
-- inputs: resolved.organisation_pattern, resolved.organisation_feature, resolved.organisation_copy
-- why:    all that training and calibration ever see of the pairs. Copies of one statement teach as much as sixteen do,
--         else a loader that ran again would decide what a true pair looks like
select
    pattern.is_sample,
    pattern.pattern,
    least(left_feature.source, right_feature.source) as source_low,
    greatest(left_feature.source, right_feature.source) as source_high,
    cast(count(*) - count(copied.rid) + least(count(copied.rid), 16) as bigint) as pairs
from resolved.organisation_pattern as pattern
inner join resolved.organisation_feature as left_feature on pattern.l = left_feature.rid
inner join resolved.organisation_feature as right_feature on pattern.r = right_feature.rid
left join resolved.organisation_copy as copied on pattern.r = copied.rid and pattern.l = copied.first_rid
group by
    pattern.is_sample,
    pattern.pattern,
    least(left_feature.source, right_feature.source),
    greatest(left_feature.source, right_feature.source)
