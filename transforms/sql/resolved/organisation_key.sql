-- resolved.organisation_key: the keys under which organisations meet.
-- grain:  one row per organisation, rule and key
-- key:    rid, rule, key
-- inputs: resolved.organisation_feature, resolved.organisation_changed
-- why:    many cheap keys: a pair is compared where the blocks it shares say enough (candidate); `refine` splits a
--         block that is too large. Names and initials are unordered, so that a swapped name meets its right form.
--         `copy` is no block (copy.sql): who says the same in every compared field, one that identifies among them
with feature as (
    select * from resolved.organisation_feature where rid in (select rid from resolved.organisation_changed)
),

keyed as (
    select rid, 'site' as rule, site as key, substr(name, 1, 4) as refine from feature
    union all
    select rid, 'phone' as rule, phone as key, substr(name, 1, 4) as refine from feature
    union all
    select rid, 'linkedin' as rule, linkedin as key, substr(name, 1, 4) as refine from feature
    union all
    select rid, 'external' as rule, external as key, substr(name, 1, 4) as refine from feature
    union all
    select rid, 'email' as rule, email as key, substr(name, 1, 4) as refine from feature
    union all
    select rid, 'name' as rule, name as key, coalesce(postcode, city, street, phone) as refine from feature
    union all
    select rid, 'name_start' as rule, case when length(name) >= 6 then substr(name, 1, 6) || ' ' || coalesce(country, '') end as key, coalesce(city, postcode, street) as refine from feature
    union all
    select rid, 'name_squeezed' as rule, substr(regexp_replace(name, '[^a-z0-9]', '', 'g'), 1, 12) as key, coalesce(city, postcode, street) as refine from feature
    union all
    select rid, 'name_city' as rule, substr(name, 1, 5) || ' ' || city as key, name as refine from feature
    union all
    select rid, 'name_postcode' as rule, substr(name, 1, 3) || ' ' || postcode as key, street as refine from feature
    union all
    select rid, 'word_city' as rule, nullif(split_part(name, ' ', 2), '') || ' ' || city as key, postcode as refine from feature
    union all
    select rid, 'postcode_street' as rule, postcode || ' ' || substr(street, 1, 6) as key, substr(name, 1, 3) as refine from feature
    union all
    select rid, 'street' as rule, street as key, substr(name, 1, 3) as refine from feature
    union all
    select rid, 'street_name' as rule, nullif(regexp_extract(street, '^[0-9]+', 0), '') || ' ' || substr(name, 1, 3) as key, city as refine from feature
    union all
    select rid, 'street_start' as rule, case when length(street) >= 8 then substr(street, 1, 8) end as key, substr(name, 1, 2) as refine from feature
    union all
    select
        rid,
        'copy' as rule,
        md5(concat_ws(
            chr(31),
            coalesce(name, ''),
            coalesce(site, ''),
            coalesce(phone, ''),
            coalesce(email, ''),
            coalesce(linkedin, ''),
            coalesce(street, ''),
            coalesce(postcode, ''),
            coalesce(city, ''),
            coalesce(country, ''),
            coalesce(external, '')
        )) as key,
        cast(null as varchar) as refine
    from feature
    where name is not null and coalesce(site, phone, email, linkedin, street, external) is not null
)

select rid, rule, key, refine, true as is_dirty
from keyed
where length(key) > 2
