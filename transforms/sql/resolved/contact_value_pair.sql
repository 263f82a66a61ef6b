-- resolved.contact_value_pair: the distinct pairs of unequal values that the compared pairs need.
-- grain:  one row per field and unordered value pair
-- key:    l_id, r_id
-- inputs: resolved.contact_candidate, resolved.contact_feature, resolved.contact_value
-- why:    ten times fewer than the pairs of records; value ids are unique over all fields.
--         `facing` is materialised: asked field by field, the planner turns `!=` into a join of all with all
with facing as materialized (
    select
        cast(left_feature.first_id as integer) as first_l,
        cast(right_feature.first_id as integer) as first_r,
        cast(left_feature.last_id as integer) as last_l,
        cast(right_feature.last_id as integer) as last_r,
        cast(left_feature.local_id as integer) as local_l,
        cast(right_feature.local_id as integer) as local_r,
        cast(left_feature.born_id as integer) as born_l,
        cast(right_feature.born_id as integer) as born_r,
        cast(left_feature.street_id as integer) as street_l,
        cast(right_feature.street_id as integer) as street_r,
        cast(left_feature.postcode_id as integer) as postcode_l,
        cast(right_feature.postcode_id as integer) as postcode_r,
        cast(left_feature.city_id as integer) as city_l,
        cast(right_feature.city_id as integer) as city_r,
        cast(left_feature.title_id as integer) as title_l,
        cast(right_feature.title_id as integer) as title_r,
        cast(left_feature.external_id as integer) as external_l,
        cast(right_feature.external_id as integer) as external_r,
        cast(left_feature.linkedin_id as integer) as linkedin_l,
        cast(right_feature.linkedin_id as integer) as linkedin_r,
        cast(left_feature.employer_id as integer) as employer_l,
        cast(right_feature.employer_id as integer) as employer_r
    from resolved.contact_candidate as candidate
    inner join resolved.contact_feature as left_feature on candidate.l = left_feature.rid
    inner join resolved.contact_feature as right_feature on candidate.r = right_feature.rid
),

said as (
    select 'first' as field, first_l as l_id, first_r as r_id from facing where first_l != first_r
    union all
    select 'last' as field, last_l as l_id, last_r as r_id from facing where last_l != last_r
    union all
    select 'local' as field, local_l as l_id, local_r as r_id from facing where local_l != local_r
    union all
    select 'born' as field, born_l as l_id, born_r as r_id from facing where born_l != born_r
    union all
    select 'street' as field, street_l as l_id, street_r as r_id from facing where street_l != street_r
    union all
    select 'postcode' as field, postcode_l as l_id, postcode_r as r_id from facing where postcode_l != postcode_r
    union all
    select 'city' as field, city_l as l_id, city_r as r_id from facing where city_l != city_r
    union all
    select 'title' as field, title_l as l_id, title_r as r_id from facing where title_l != title_r
    union all
    select 'external' as field, external_l as l_id, external_r as r_id from facing where external_l != external_r
    union all
    select 'linkedin' as field, linkedin_l as l_id, linkedin_r as r_id from facing where linkedin_l != linkedin_r
    union all
    select 'employer' as field, employer_l as l_id, employer_r as r_id from facing where employer_l != employer_r
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
inner join resolved.contact_value as left_value on distinct_pair.l_id = left_value.value_id
inner join resolved.contact_value as right_value on distinct_pair.r_id = right_value.value_id
