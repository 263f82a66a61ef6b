-- resolved.organisation_pattern: each pair's comparison as one integer, four bits a feature.
-- grain:  one row per pair, sampled and blocked pairs apart
-- key:    l, r, is_sample
-- inputs: resolved.organisation_candidate, resolved.organisation_feature, resolved.organisation_likeness
-- why:    what the levels mean is said once, in transforms/features.py; integers are equal on every engine
with levels as (
    select
        candidate.l,
        candidate.r,
        candidate.is_sample,
        cast(case
            when left_feature.name_id is null or right_feature.name_id is null then 0
            when left_feature.name_id = right_feature.name_id then left_feature.name_bucket
            when name_likeness.likeness = 5 then 11
            when name_likeness.likeness = 4 then 6
            when name_likeness.likeness = 3 then 7
            when name_likeness.likeness = 2 then 8
            when name_likeness.likeness = 1 then 9
            else 10
        end as bigint) as name_level,
        cast(case
            when left_feature.site_id is null or right_feature.site_id is null then 0
            when left_feature.site_id = right_feature.site_id then greatest(least(left_feature.site_bucket - 1, 3), 1)
            when site_likeness.likeness >= 1 then 4
            else 5
        end as bigint) as site_level,
        cast(case
            when left_feature.phone_id is null or right_feature.phone_id is null then 0
            when left_feature.phone_id = right_feature.phone_id then greatest(least(left_feature.phone_bucket - 1, 3), 1)
            else 4
        end as bigint) as phone_level,
        cast(case
            when left_feature.linkedin_id is null or right_feature.linkedin_id is null then 0
            when left_feature.linkedin_id = right_feature.linkedin_id then 1
            when linkedin_likeness.likeness >= 1 then 2
            else 3
        end as bigint) as linkedin_level,
        cast(case
            when left_feature.street_id is null or right_feature.street_id is null then 0
            when left_feature.street_id = right_feature.street_id then greatest(least(left_feature.street_bucket - 1, 3), 1)
            when street_likeness.likeness = 2 then 4
            when street_likeness.likeness = 1 then 5
            else 6
        end as bigint) as street_level,
        cast(case
            when left_feature.postcode_id = right_feature.postcode_id then greatest(least(left_feature.postcode_bucket - 1, 3), 1)
            when left_feature.city_id = right_feature.city_id and postcode_likeness.likeness >= 1 then 4
            when left_feature.city_id = right_feature.city_id then greatest(least(left_feature.city_bucket, 3), 1) + 4
            when postcode_likeness.likeness >= 1 then 8
            when left_feature.city_id is not null and right_feature.city_id is not null and city_likeness.likeness >= 1 then 9
            when (left_feature.city_id is not null and right_feature.city_id is not null) or (left_feature.postcode_id is not null and right_feature.postcode_id is not null) then 10
            else 0
        end as bigint) as place_level,
        cast(case
            when left_feature.country is null or right_feature.country is null then 0
            when left_feature.country = right_feature.country then 1
            else 2
        end as bigint) as country_level,
        cast(case
            when left_feature.external_id is null or right_feature.external_id is null then 0
            when left_feature.external_id = right_feature.external_id then 1
            when external_likeness.likeness >= 1 then 2
            else 3
        end as bigint) as external_level
    from resolved.organisation_candidate as candidate
    inner join resolved.organisation_feature as left_feature on candidate.l = left_feature.rid
    inner join resolved.organisation_feature as right_feature on candidate.r = right_feature.rid
    left join resolved.organisation_likeness as name_likeness
        on name_likeness.l_id = least(left_feature.name_id, right_feature.name_id)
        and name_likeness.r_id = greatest(left_feature.name_id, right_feature.name_id)
    left join resolved.organisation_likeness as site_likeness
        on site_likeness.l_id = least(left_feature.site_id, right_feature.site_id)
        and site_likeness.r_id = greatest(left_feature.site_id, right_feature.site_id)
    left join resolved.organisation_likeness as street_likeness
        on street_likeness.l_id = least(left_feature.street_id, right_feature.street_id)
        and street_likeness.r_id = greatest(left_feature.street_id, right_feature.street_id)
    left join resolved.organisation_likeness as postcode_likeness
        on postcode_likeness.l_id = least(left_feature.postcode_id, right_feature.postcode_id)
        and postcode_likeness.r_id = greatest(left_feature.postcode_id, right_feature.postcode_id)
    left join resolved.organisation_likeness as city_likeness
        on city_likeness.l_id = least(left_feature.city_id, right_feature.city_id)
        and city_likeness.r_id = greatest(left_feature.city_id, right_feature.city_id)
    left join resolved.organisation_likeness as external_likeness
        on external_likeness.l_id = least(left_feature.external_id, right_feature.external_id)
        and external_likeness.r_id = greatest(left_feature.external_id, right_feature.external_id)
    left join resolved.organisation_likeness as linkedin_likeness
        on linkedin_likeness.l_id = least(left_feature.linkedin_id, right_feature.linkedin_id)
        and linkedin_likeness.r_id = greatest(left_feature.linkedin_id, right_feature.linkedin_id)
)

select
    l,
    r,
    is_sample,
    name_level
    + site_level * 16
    + phone_level * 256
    + linkedin_level * 4096
    + street_level * 65536
    + place_level * 1048576
    + country_level * 16777216
    + external_level * 268435456 as pattern
from levels
