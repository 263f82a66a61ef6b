-- resolved.contact_key: the keys under which contacts meet.
-- grain:  one row per contact, rule and key
-- key:    rid, rule, key
-- inputs: resolved.contact_feature, standardised.contact
-- why:    many cheap keys: a pair is compared where it shares any of them; `refine` splits a block that is too large
with contact as (
    select
        contact_feature.*,
        standardised_contact.street_fold,
        standardised_contact.city_fold,
        standardised_contact.postcode_fold,
        substr(contact_feature.last_fold, 1, 1)
        || regexp_replace(substr(contact_feature.last_fold, 2, 40), '[aeiouyhw ]', '', 'g') as last_sound
    from resolved.contact_feature as contact_feature
    inner join standardised.contact as standardised_contact
        on contact_feature.record_key = standardised_contact.record_key
),

keyed as (
    select rid, 'email' as rule, cast(email_id as varchar) as key, substr(first_fold, 1, 1) as refine from contact
    union all
    select rid, 'linkedin' as rule, cast(linkedin_id as varchar) as key, substr(first_fold, 1, 1) as refine from contact
    union all
    select rid, 'external' as rule, cast(external_id as varchar) as key, substr(first_fold, 1, 1) as refine from contact
    union all
    select rid, 'phone' as rule, cast(phone_id as varchar) as key, substr(first_fold, 1, 1) as refine from contact
    union all
    select rid, 'phone' as rule, cast(mobile_id as varchar) as key, substr(first_fold, 1, 1) as refine from contact
    union all
    select rid, 'born' as rule, date_of_birth as key, substr(first_fold, 1, 1) as refine from contact
    union all
    select rid, 'local' as rule, case when length(email_local) >= 5 then cast(local_id as varchar) end as key, substr(last_fold, 1, 2) as refine from contact
    union all
    select rid, 'names' as rule, least(first_fold, last_fold) || ' ' || greatest(first_fold, last_fold) as key, coalesce(cast(organisation_id as varchar), city_fold, substr(date_of_birth, 1, 4)) as refine from contact
    union all
    select rid, 'last_organisation' as rule, last_fold || '@' || cast(organisation_id as varchar) as key, substr(first_fold, 1, 2) as refine from contact
    union all
    select rid, 'first_organisation' as rule, first_fold || '@' || cast(organisation_id as varchar) as key, substr(last_fold, 1, 2) as refine from contact
    union all
    select rid, 'last_employer' as rule, last_fold || ' ' || substr(organisation_fold, 1, 6) as key, substr(first_fold, 1, 2) as refine from contact
    union all
    select rid, 'short_employer' as rule, substr(first_fold, 1, 3) || substr(last_fold, 1, 2) || ' ' || substr(organisation_fold, 1, 6) as key, last_fold as refine from contact
    union all
    select rid, 'local_employer' as rule, email_local || ' ' || substr(organisation_fold, 1, 6) as key, last_fold as refine from contact
    union all
    select rid, 'initials_organisation' as rule, substr(first_fold, 1, 1) || substr(last_fold, 1, 1) || '@' || cast(organisation_id as varchar) as key, last_fold as refine from contact
    union all
    select rid, 'swapped_organisation' as rule, substr(last_fold, 1, 1) || substr(first_fold, 1, 1) || '@' || cast(organisation_id as varchar) as key, last_fold as refine from contact
    union all
    select rid, 'initial_last_city' as rule, substr(first_fold, 1, 1) || ' ' || last_fold || ' ' || city_fold as key, first_fold as refine from contact
    union all
    select rid, 'first_last_sound' as rule, first_fold || ' ' || last_sound as key, coalesce(cast(organisation_id as varchar), city_fold, substr(date_of_birth, 1, 4)) as refine from contact
    union all
    select rid, 'initial_sound_postcode' as rule, substr(first_fold, 1, 1) || ' ' || last_sound || ' ' || postcode_fold as key, first_fold as refine from contact
    union all
    select rid, 'last_postcode' as rule, last_fold || ' ' || postcode_fold as key, substr(first_fold, 1, 2) as refine from contact
    union all
    select rid, 'first_postcode' as rule, first_fold || ' ' || postcode_fold as key, substr(last_fold, 1, 2) as refine from contact
    union all
    select rid, 'street' as rule, street_fold || ' ' || substr(coalesce(last_fold, first_fold), 1, 1) as key, substr(first_fold, 1, 2) as refine from contact
    union all
    select rid, 'first_city_year' as rule, first_fold || ' ' || city_fold || ' ' || substr(date_of_birth, 1, 4) as key, substr(last_fold, 1, 2) as refine from contact
    union all
    select rid, 'first_city' as rule, first_fold || ' ' || city_fold as key, substr(last_fold, 1, 2) as refine from contact
    union all
    select rid, 'last_city' as rule, last_fold || ' ' || city_fold as key, substr(first_fold, 1, 2) as refine from contact
    union all
    select rid, 'first_year' as rule, first_fold || ' ' || substr(date_of_birth, 1, 4) as key, substr(last_fold, 1, 2) as refine from contact
    union all
    select rid, 'initial_city_year' as rule, substr(first_fold, 1, 1) || ' ' || city_fold || ' ' || substr(date_of_birth, 1, 4) as key, substr(last_fold, 1, 2) as refine from contact
    union all
    select rid, 'mail_start' as rule, substr(email_local, 1, 5) || '@' || email_domain as key, substr(first_fold, 1, 1) as refine from contact
    union all
    select rid, 'postcode_year' as rule, postcode_fold || ' ' || substr(date_of_birth, 1, 4) as key, substr(first_fold, 1, 1) as refine from contact
    union all
    select rid, 'last_year' as rule, last_fold || ' ' || substr(date_of_birth, 1, 4) as key, substr(first_fold, 1, 1) as refine from contact
    union all
    select rid, 'last_month' as rule, last_fold || ' ' || substr(date_of_birth, 6, 5) as key, substr(first_fold, 1, 1) as refine from contact
)

select rid, rule, key, min(refine) as refine
from keyed
where key is not null
group by rid, rule, key
