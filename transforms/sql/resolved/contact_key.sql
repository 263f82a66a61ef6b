-- resolved.contact_key: the keys under which contacts meet.
-- grain:  one row per contact, rule and key
-- key:    rid, rule, key
-- inputs: resolved.contact_feature, resolved.contact_changed
-- why:    many cheap keys: a pair is compared where the blocks it shares say enough (candidate); `refine` splits a
--         block that is too large. Names and initials are unordered, so that a swapped name meets its right form.
--         `copy` is no block (copy.sql): who says the same in every compared field, one that identifies among them
with feature as (
    select
        *,
        substr(last, 1, 1) || regexp_replace(substr(last, 2, 40), '[aeiouyhw ]', '', 'g') as last_sound
    from resolved.contact_feature
    where rid in (select rid from resolved.contact_changed)
),

keyed as (
    select rid, 'email' as rule, email as key, substr(first, 1, 1) as refine from feature
    union all
    select rid, 'linkedin' as rule, linkedin as key, substr(first, 1, 1) as refine from feature
    union all
    select rid, 'external' as rule, external as key, substr(first, 1, 1) as refine from feature
    union all
    select rid, 'phone' as rule, phone as key, substr(first, 1, 1) as refine from feature
    union all
    select rid, 'phone' as rule, case when mobile is distinct from phone then mobile end as key, substr(first, 1, 1) as refine from feature
    union all
    select rid, 'born' as rule, born as key, substr(first, 1, 1) as refine from feature
    union all
    select rid, 'local' as rule, case when length(local) >= 5 then local end as key, substr(last, 1, 2) as refine from feature
    union all
    select rid, 'names' as rule, least(first, last) || ' ' || greatest(first, last) as key, coalesce(organisation, city, substr(born, 1, 4)) as refine from feature
    union all
    select rid, 'last_organisation' as rule, last || '@' || organisation as key, substr(first, 1, 2) as refine from feature
    union all
    select rid, 'first_organisation' as rule, first || '@' || organisation as key, substr(last, 1, 2) as refine from feature
    union all
    select rid, 'last_employer' as rule, last || ' ' || substr(employer, 1, 6) as key, substr(first, 1, 2) as refine from feature
    union all
    select rid, 'mail_start' as rule, substr(local, 1, 5) || '@' || mail_domain as key, substr(first, 1, 1) as refine from feature
    union all
    select rid, 'first_last_sound' as rule, first || ' ' || last_sound as key, coalesce(organisation, city, substr(born, 1, 4)) as refine from feature
    union all
    select rid, 'first_city' as rule, first || ' ' || city as key, substr(last, 1, 2) as refine from feature
    union all
    select rid, 'last_city' as rule, last || ' ' || city as key, substr(first, 1, 2) as refine from feature
    union all
    select rid, 'first_city_year' as rule, first || ' ' || city || ' ' || substr(born, 1, 4) as key, substr(last, 1, 2) as refine from feature
    union all
    select rid, 'initial_city_year' as rule, substr(first, 1, 1) || ' ' || city || ' ' || substr(born, 1, 4) as key, substr(last, 1, 2) as refine from feature
    union all
    select rid, 'initial_sound_postcode' as rule, substr(first, 1, 1) || ' ' || last_sound || ' ' || postcode as key, first as refine from feature
    union all
    select rid, 'last_postcode' as rule, last || ' ' || postcode as key, substr(first, 1, 2) as refine from feature
    union all
    select rid, 'first_postcode' as rule, first || ' ' || postcode as key, substr(last, 1, 2) as refine from feature
    union all
    select rid, 'postcode_year' as rule, postcode || ' ' || substr(born, 1, 4) as key, substr(first, 1, 1) as refine from feature
    union all
    select rid, 'street_last' as rule, street || ' ' || substr(last, 1, 3) as key, substr(first, 1, 2) as refine from feature
    union all
    select rid, 'street_first' as rule, street || ' ' || substr(first, 1, 3) as key, substr(last, 1, 2) as refine from feature
    union all
    select rid, 'first_year' as rule, first || ' ' || substr(born, 1, 4) as key, substr(last, 1, 2) as refine from feature
    union all
    select rid, 'last_year' as rule, last || ' ' || substr(born, 1, 4) as key, substr(first, 1, 1) as refine from feature
    union all
    select rid, 'last_month' as rule, last || ' ' || substr(born, 6, 5) as key, substr(first, 1, 1) as refine from feature
    union all
    select
        rid,
        'copy' as rule,
        md5(concat_ws(
            chr(31),
            coalesce(first, ''),
            coalesce(middle, ''),
            coalesce(last, ''),
            coalesce(suffix, ''),
            coalesce(email, ''),
            coalesce(phone, ''),
            coalesce(mobile, ''),
            coalesce(linkedin, ''),
            coalesce(born, ''),
            coalesce(street, ''),
            coalesce(postcode, ''),
            coalesce(city, ''),
            coalesce(title, ''),
            coalesce(external, ''),
            coalesce(employer, ''),
            coalesce(site, ''),
            coalesce(organisation, '')
        )) as key,
        cast(null as varchar) as refine
    from feature
    where coalesce(first, last) is not null and coalesce(email, phone, mobile, linkedin, born, street, external) is not null
)

select rid, rule, key, refine, true as is_dirty
from keyed
where key is not null
