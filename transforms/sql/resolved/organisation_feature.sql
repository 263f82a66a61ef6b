-- resolved.organisation_feature: what matching looks at, one narrow row per organisation, values by their number.
-- grain:  one row per source record
-- key:    rid
-- inputs: standardised.organisation, resolved.organisation_value
-- why:    rid follows the order of record_key, so nothing downstream depends on the order of arrival
with usable as (
    select value_id, field, value, bucket from resolved.organisation_value where not is_generic
)

select
    cast(row_number() over (order by organisation.record_key) as bigint) as rid,
    organisation.record_key,
    organisation.source,
    organisation.name_fold,
    name_value.value_id as name_id,
    name_value.bucket as name_bucket,
    site_value.value as site,
    site_value.value_id as site_id,
    site_value.bucket as site_bucket,
    phone_value.value_id as phone_id,
    phone_value.bucket as phone_bucket,
    linkedin_value.value_id as linkedin_id,
    street_value.value_id as street_id,
    street_value.bucket as street_bucket,
    postcode_value.value_id as postcode_id,
    postcode_value.bucket as postcode_bucket,
    city_value.value_id as city_id,
    city_value.bucket as city_bucket,
    external_value.value_id as external_id,
    organisation.country
from standardised.organisation as organisation
left join usable as name_value on organisation.name_fold = name_value.value and name_value.field = 'name'
left join usable as site_value
    on coalesce(organisation.domain, organisation.email_domain) = site_value.value and site_value.field = 'site'
left join usable as phone_value on organisation.phone = phone_value.value and phone_value.field = 'phone'
left join usable as linkedin_value
    on organisation.linkedin_slug = linkedin_value.value and linkedin_value.field = 'linkedin'
left join usable as street_value on organisation.street_fold = street_value.value and street_value.field = 'street'
left join usable as postcode_value
    on organisation.postcode_fold = postcode_value.value and postcode_value.field = 'postcode'
left join usable as city_value on organisation.city_fold = city_value.value and city_value.field = 'city'
left join usable as external_value on organisation.external_id = external_value.value and external_value.field = 'external'
