-- resolved.contact_feature: what matching looks at, one narrow row per contact, values by their number.
-- grain:  one row per source record
-- key:    rid
-- inputs: standardised.contact, resolved.organisation_cluster, resolved.contact_value
-- why:    rid follows the order of record_key, so nothing downstream depends on the order of arrival; generic phones
--         and mailboxes are null here, so that they are evidence nowhere
with usable as (
    select value_id, field, value, bucket, initials from resolved.contact_value where not is_generic
)

select
    cast(row_number() over (order by contact.record_key) as bigint) as rid,
    contact.record_key,
    contact.source,
    contact.first_fold,
    contact.last_fold,
    contact.middle_fold,
    contact.suffix_fold,
    first_value.value_id as first_id,
    first_value.bucket as first_bucket,
    last_value.value_id as last_id,
    last_value.bucket as last_bucket,
    email_value.value_id as email_id,
    email_value.initials as email_initials,
    local_value.value_id as local_id,
    local_value.bucket as local_bucket,
    contact.email_domain,
    contact.email_local,
    phone_value.value_id as phone_id,
    phone_value.initials as phone_initials,
    mobile_value.value_id as mobile_id,
    mobile_value.initials as mobile_initials,
    linkedin_value.value_id as linkedin_id,
    born_value.value_id as born_id,
    born_value.bucket as born_bucket,
    contact.date_of_birth,
    street_value.value_id as street_id,
    street_value.bucket as street_bucket,
    postcode_value.value_id as postcode_id,
    postcode_value.bucket as postcode_bucket,
    city_value.value_id as city_id,
    city_value.bucket as city_bucket,
    title_value.value_id as title_id,
    title_value.bucket as title_bucket,
    external_value.value_id as external_id,
    employer_value.value_id as employer_id,
    organisation_value.value_id as organisation_id,
    organisation_value.bucket as organisation_bucket,
    contact.organisation_site,
    contact.organisation_fold
from standardised.contact as contact
left join usable as first_value on contact.first_fold = first_value.value and first_value.field = 'first'
left join usable as last_value on contact.last_fold = last_value.value and last_value.field = 'last'
left join usable as email_value on contact.email = email_value.value and email_value.field = 'email'
left join usable as local_value on contact.email_local = local_value.value and local_value.field = 'local'
left join usable as phone_value on contact.phone = phone_value.value and phone_value.field = 'phone'
left join usable as mobile_value on contact.mobile = mobile_value.value and mobile_value.field = 'phone'
left join usable as linkedin_value on contact.linkedin_slug = linkedin_value.value and linkedin_value.field = 'linkedin'
left join usable as born_value on contact.date_of_birth = born_value.value and born_value.field = 'born'
left join usable as street_value on contact.street_fold = street_value.value and street_value.field = 'street'
left join usable as postcode_value on contact.postcode_fold = postcode_value.value and postcode_value.field = 'postcode'
left join usable as city_value on contact.city_fold = city_value.value and city_value.field = 'city'
left join usable as title_value on contact.title_fold = title_value.value and title_value.field = 'title'
left join usable as external_value on contact.external_id = external_value.value and external_value.field = 'external'
left join usable as employer_value on contact.organisation_fold = employer_value.value and employer_value.field = 'employer'
left join resolved.organisation_cluster as organisation_cluster
    on contact.organisation_key = organisation_cluster.record_key
left join usable as organisation_value
    on organisation_cluster.cluster_key = organisation_value.value and organisation_value.field = 'organisation'
