-- resolved.organisation_value_pair: the distinct pairs of unequal values that the compared pairs need.
-- grain:  one row per field and unordered value pair
-- key:    l_id, r_id
-- inputs: resolved.organisation_candidate, resolved.organisation_feature, resolved.organisation_value
-- why:    ten times fewer than the pairs of records; value ids are unique over all fields.
--         `facing` is materialised: asked field by field, the planner turns `!=` into a join of all with all
with facing as materialized (
    select
        cast(left_feature.name_id as integer) as name_l,
        cast(right_feature.name_id as integer) as name_r,
        cast(left_feature.site_id as integer) as site_l,
        cast(right_feature.site_id as integer) as site_r,
        cast(left_feature.street_id as integer) as street_l,
        cast(right_feature.street_id as integer) as street_r,
        cast(left_feature.postcode_id as integer) as postcode_l,
        cast(right_feature.postcode_id as integer) as postcode_r,
        cast(left_feature.city_id as integer) as city_l,
        cast(right_feature.city_id as integer) as city_r,
        cast(left_feature.external_id as integer) as external_l,
        cast(right_feature.external_id as integer) as external_r,
        cast(left_feature.linkedin_id as integer) as linkedin_l,
        cast(right_feature.linkedin_id as integer) as linkedin_r
    from resolved.organisation_candidate as candidate
    inner join resolved.organisation_feature as left_feature on candidate.l = left_feature.rid
    inner join resolved.organisation_feature as right_feature on candidate.r = right_feature.rid
),

said as (
    select 'name' as field, name_l as l_id, name_r as r_id from facing where name_l != name_r
    union all
    select 'site' as field, site_l as l_id, site_r as r_id from facing where site_l != site_r
    union all
    select 'street' as field, street_l as l_id, street_r as r_id from facing where street_l != street_r
    union all
    select 'postcode' as field, postcode_l as l_id, postcode_r as r_id from facing where postcode_l != postcode_r
    union all
    select 'city' as field, city_l as l_id, city_r as r_id from facing where city_l != city_r
    union all
    select 'external' as field, external_l as l_id, external_r as r_id from facing where external_l != external_r
    union all
    select 'linkedin' as field, linkedin_l as l_id, linkedin_r as r_id from facing where linkedin_l != linkedin_r
),

distinct_pair as (
    select field, least(l_id, r_id) as l_id, greatest(l_id, r_id) as r_id
    from said
    group by field, least(l_id, r_id), greatest(l_id, r_id)
)

select
    distinct_pair.field,
    cast(distinct_pair.l_id as bigint) as l_id,
    cast(distinct_pair.r_id as bigint) as r_id,
    left_value.value as l_value,
    right_value.value as r_value
from distinct_pair
inner join resolved.organisation_value as left_value on distinct_pair.l_id = left_value.value_id
inner join resolved.organisation_value as right_value on distinct_pair.r_id = right_value.value_id
