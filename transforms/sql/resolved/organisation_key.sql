-- resolved.organisation_key: the keys under which organisations meet.
-- grain:  one row per organisation, rule and key
-- key:    rid, rule, key
-- inputs: resolved.organisation_feature, standardised.organisation
-- why:    many cheap keys: a pair is compared where it shares any of them; `refine` splits a block that is too large
with organisation as (
    select
        organisation_feature.*,
        standardised_organisation.street_fold,
        standardised_organisation.city_fold,
        standardised_organisation.postcode_fold,
        standardised_organisation.phone,
        standardised_organisation.email
    from resolved.organisation_feature as organisation_feature
    inner join standardised.organisation as standardised_organisation
        on organisation_feature.record_key = standardised_organisation.record_key
),

keyed as (
    select rid, 'site' as rule, site as key, substr(name_fold, 1, 4) as refine from organisation
    union all
    select rid, 'phone' as rule, cast(phone_id as varchar) as key, substr(name_fold, 1, 4) as refine from organisation
    union all
    select rid, 'linkedin' as rule, cast(linkedin_id as varchar) as key, substr(name_fold, 1, 4) as refine from organisation
    union all
    select rid, 'external' as rule, cast(external_id as varchar) as key, substr(name_fold, 1, 4) as refine from organisation
    union all
    select rid, 'name' as rule, name_fold as key, coalesce(postcode_fold, city_fold, street_fold, phone) as refine from organisation
    union all
    select rid, 'name_start' as rule, case when length(name_fold) >= 6 then substr(name_fold, 1, 6) || ' ' || coalesce(country, '') end as key, coalesce(city_fold, postcode_fold, street_fold) as refine from organisation
    union all
    select rid, 'name_squeezed' as rule, substr(regexp_replace(name_fold, '[^a-z0-9]', '', 'g'), 1, 12) as key, coalesce(city_fold, postcode_fold, street_fold) as refine from organisation
    union all
    select rid, 'name_city' as rule, substr(name_fold, 1, 5) || ' ' || city_fold as key, name_fold as refine from organisation
    union all
    select rid, 'name_postcode' as rule, substr(name_fold, 1, 3) || ' ' || postcode_fold as key, street_fold as refine from organisation
    union all
    select rid, 'word_city' as rule, split_part(name_fold, ' ', 2) || ' ' || city_fold as key, postcode_fold as refine from organisation
    union all
    select rid, 'postcode_street' as rule, postcode_fold || ' ' || substr(street_fold, 1, 6) as key, substr(name_fold, 1, 3) as refine from organisation
    union all
    select rid, 'street' as rule, street_fold as key, substr(name_fold, 1, 3) as refine from organisation
    union all
    select rid, 'street_name' as rule, regexp_extract(street_fold, '^[0-9]+', 0) || ' ' || substr(name_fold, 1, 3) as key, city_fold as refine from organisation
    union all
    select rid, 'street_start' as rule, case when length(street_fold) >= 8 then substr(street_fold, 1, 8) end as key, substr(name_fold, 1, 2) as refine from organisation
    union all
    select rid, 'email' as rule, email as key, substr(name_fold, 1, 4) as refine from organisation
)

select rid, rule, key, min(refine) as refine
from keyed
where key is not null and length(trim(key)) > 2
group by rid, rule, key
