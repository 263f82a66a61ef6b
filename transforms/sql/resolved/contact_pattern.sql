-- resolved.contact_pattern: each pair's comparison as one integer, four bits a feature.
-- grain:  one row per pair, sampled and blocked pairs apart
-- key:    l, r, is_sample
-- inputs: resolved.contact_candidate, resolved.contact_feature, resolved.contact_likeness
-- why:    what the levels mean is said once, in transforms/features.py; integers are equal on every engine
with levels as (
    select
        candidate.l,
        candidate.r,
        candidate.is_sample,
        cast(case
            when left_feature.first_fold = right_feature.last_fold and left_feature.last_fold = right_feature.first_fold and left_feature.first_fold != left_feature.last_fold then 11
            when left_feature.first_id is null or right_feature.first_id is null then 0
            when left_feature.first_id = right_feature.first_id then left_feature.first_bucket
            when first_likeness.likeness = 4 then 6
            when first_likeness.likeness = 2 then 7
            when first_likeness.likeness = 3 then 8
            when first_likeness.likeness = 1 then 9
            else 10
        end as bigint) as first_level,
        cast(case
            when left_feature.first_fold = right_feature.last_fold and left_feature.last_fold = right_feature.first_fold and left_feature.first_fold != left_feature.last_fold then 0
            when left_feature.last_id is null or right_feature.last_id is null then 0
            when left_feature.last_id = right_feature.last_id then left_feature.last_bucket
            when last_likeness.likeness = 4 then 6
            when last_likeness.likeness = 2 then 7
            when last_likeness.likeness = 3 then 8
            when last_likeness.likeness = 1 then 9
            else 10
        end as bigint) as last_level,
        cast(case
            when left_feature.middle_fold is null or right_feature.middle_fold is null then 0
            when left_feature.middle_fold = right_feature.middle_fold then 1
            when substr(left_feature.middle_fold, 1, 1) = substr(right_feature.middle_fold, 1, 1) then 2
            else 3
        end as bigint) as middle_level,
        cast(case
            when left_feature.suffix_fold is null or right_feature.suffix_fold is null then 0
            when left_feature.suffix_fold = right_feature.suffix_fold then 1
            else 2
        end as bigint) as suffix_level,
        cast(case
            when left_feature.organisation_id is null or right_feature.organisation_id is null then 0
            when left_feature.organisation_id = right_feature.organisation_id then left_feature.organisation_bucket
            when left_feature.employer_id = right_feature.employer_id or employer_likeness.likeness >= 1 then 6
            when left_feature.organisation_site = right_feature.organisation_site then 6
            else 7
        end as bigint) as organisation_level,
        cast(case
            when left_feature.email_local is null or right_feature.email_local is null then 0
            when left_feature.email_id = right_feature.email_id and (
                    left_feature.organisation_id = right_feature.organisation_id
                    or left_feature.employer_id = right_feature.employer_id
                    or left_feature.organisation_site = right_feature.organisation_site
                    or employer_likeness.likeness >= 1
                )
                then case when left_feature.email_initials <= 1 then 1 else 2 end
            when left_feature.email_id = right_feature.email_id then 9
            when left_feature.email_id is null or right_feature.email_id is null then 0
            when left_feature.email_domain = right_feature.email_domain
                then case
                    when (
                    left_feature.organisation_id = right_feature.organisation_id
                    or left_feature.employer_id = right_feature.employer_id
                    or left_feature.organisation_site = right_feature.organisation_site
                    or employer_likeness.likeness >= 1
                )
                        then case when local_likeness.likeness = 2 then 3 when local_likeness.likeness = 1 then 4 else 5 end
                    when local_likeness.likeness = 2 then 10
                    else 11
                end
            when left_feature.local_id = right_feature.local_id then 6
            when local_likeness.likeness = 2 then 7
            else 8
        end as bigint) as mail_level,
        cast(case
            when (left_feature.phone_id is null and left_feature.mobile_id is null) or (right_feature.phone_id is null and right_feature.mobile_id is null) then 0
            when left_feature.mobile_id = right_feature.mobile_id or left_feature.mobile_id = right_feature.phone_id then greatest(least(left_feature.mobile_initials, 2), 1)
            when left_feature.phone_id = right_feature.phone_id or left_feature.phone_id = right_feature.mobile_id then greatest(least(left_feature.phone_initials, 2), 1)
            else 3
        end as bigint) as phone_level,
        cast(case
            when left_feature.linkedin_id is null or right_feature.linkedin_id is null then 0
            when left_feature.linkedin_id = right_feature.linkedin_id then 1
            when linkedin_likeness.likeness >= 1 then 2
            else 3
        end as bigint) as linkedin_level,
        cast(case
            when left_feature.born_id is null or right_feature.born_id is null then 0
            when left_feature.born_id = right_feature.born_id then greatest(least(left_feature.born_bucket - 1, 3), 1)
            when born_likeness.likeness = 2 then 4
            when born_likeness.likeness = 1 then 5
            else 6
        end as bigint) as born_level,
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
            when left_feature.title_id is null or right_feature.title_id is null then 0
            when left_feature.title_id = right_feature.title_id then greatest(least(left_feature.title_bucket - 1, 3), 1)
            when title_likeness.likeness >= 1 then 4
            else 5
        end as bigint) as title_level,
        cast(case
            when left_feature.external_id is null or right_feature.external_id is null then 0
            when left_feature.external_id = right_feature.external_id then 1
            when external_likeness.likeness >= 1 then 2
            else 3
        end as bigint) as external_level
    from resolved.contact_candidate as candidate
    inner join resolved.contact_feature as left_feature on candidate.l = left_feature.rid
    inner join resolved.contact_feature as right_feature on candidate.r = right_feature.rid
    left join resolved.contact_likeness as first_likeness
        on first_likeness.l_id = least(left_feature.first_id, right_feature.first_id)
        and first_likeness.r_id = greatest(left_feature.first_id, right_feature.first_id)
    left join resolved.contact_likeness as last_likeness
        on last_likeness.l_id = least(left_feature.last_id, right_feature.last_id)
        and last_likeness.r_id = greatest(left_feature.last_id, right_feature.last_id)
    left join resolved.contact_likeness as local_likeness
        on local_likeness.l_id = least(left_feature.local_id, right_feature.local_id)
        and local_likeness.r_id = greatest(left_feature.local_id, right_feature.local_id)
    left join resolved.contact_likeness as born_likeness
        on born_likeness.l_id = least(left_feature.born_id, right_feature.born_id)
        and born_likeness.r_id = greatest(left_feature.born_id, right_feature.born_id)
    left join resolved.contact_likeness as street_likeness
        on street_likeness.l_id = least(left_feature.street_id, right_feature.street_id)
        and street_likeness.r_id = greatest(left_feature.street_id, right_feature.street_id)
    left join resolved.contact_likeness as postcode_likeness
        on postcode_likeness.l_id = least(left_feature.postcode_id, right_feature.postcode_id)
        and postcode_likeness.r_id = greatest(left_feature.postcode_id, right_feature.postcode_id)
    left join resolved.contact_likeness as city_likeness
        on city_likeness.l_id = least(left_feature.city_id, right_feature.city_id)
        and city_likeness.r_id = greatest(left_feature.city_id, right_feature.city_id)
    left join resolved.contact_likeness as title_likeness
        on title_likeness.l_id = least(left_feature.title_id, right_feature.title_id)
        and title_likeness.r_id = greatest(left_feature.title_id, right_feature.title_id)
    left join resolved.contact_likeness as external_likeness
        on external_likeness.l_id = least(left_feature.external_id, right_feature.external_id)
        and external_likeness.r_id = greatest(left_feature.external_id, right_feature.external_id)
    left join resolved.contact_likeness as linkedin_likeness
        on linkedin_likeness.l_id = least(left_feature.linkedin_id, right_feature.linkedin_id)
        and linkedin_likeness.r_id = greatest(left_feature.linkedin_id, right_feature.linkedin_id)
    left join resolved.contact_likeness as employer_likeness
        on employer_likeness.l_id = least(left_feature.employer_id, right_feature.employer_id)
        and employer_likeness.r_id = greatest(left_feature.employer_id, right_feature.employer_id)
)

select
    l,
    r,
    is_sample,
    first_level
    + last_level * 16
    + middle_level * 256
    + suffix_level * 4096
    + organisation_level * 65536
    + mail_level * 1048576
    + phone_level * 16777216
    + linkedin_level * 268435456
    + born_level * 4294967296
    + street_level * 68719476736
    + place_level * 1099511627776
    + title_level * 17592186044416
    + external_level * 281474976710656 as pattern
from levels
