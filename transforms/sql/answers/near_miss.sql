-- answers.near_miss: which pairs of contacts could be one, and were just not taken for one?
-- grain:  one row per compared pair in doubt, of two golden contacts
-- key:    record_key_l, record_key_r
-- inputs: resolved.contact_pair, golden.crosswalk
-- why:    the likeliest doubles left; look at them with `halosync why RECORD RECORD`
select
    pair.record_key_l,
    pair.record_key_r,
    pair.probability,
    one.golden_id,
    other.golden_id as other_id
from resolved.contact_pair as pair
inner join golden.crosswalk as one on pair.record_key_l = one.record_key and one.entity = 'contact'
inner join golden.crosswalk as other on pair.record_key_r = other.record_key and other.entity = 'contact'
where pair.probability >= 0.2 and one.golden_id != other.golden_id
