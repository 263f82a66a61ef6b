-- resolved.contact_feature: what matching looks at, one row per contact, under the names of the compared fields.
-- grain:  one row per source record
-- key:    rid
-- inputs: standardised.contact, resolved.organisation_cluster, resolved.contact_value, resolved.contact_changed, ops.reference_value
-- why:    generic phones and mailboxes, learned or listed, are null here, so that they are evidence nowhere
with generic as (
    select field, value from resolved.contact_value where is_generic
)

select
    contact.rid,
    contact.record_key,
    contact.content_hash,
    contact.source,
    contact.first_fold as first,
    contact.middle_fold as middle,
    contact.last_fold as last,
    contact.suffix_fold as suffix,
    case when generic_email.value is null and role.value is null then contact.email end as email,
    case when generic_email.value is null and role.value is null then contact.email_local end as local,
    case when generic_email.value is null and role.value is null then contact.email_domain end as mail_domain,
    case when generic_phone.value is null then contact.phone end as phone,
    case when generic_mobile.value is null then contact.mobile end as mobile,
    contact.linkedin_slug as linkedin,
    contact.date_of_birth as born,
    contact.street_fold as street,
    contact.postcode_fold as postcode,
    contact.city_fold as city,
    contact.title_fold as title,
    contact.external_id as external,
    contact.organisation_fold as employer,
    contact.organisation_site as site,
    organisation_cluster.cluster_key as organisation
from standardised.contact as contact
inner join resolved.contact_changed as changed on contact.rid = changed.rid and not changed.is_gone
left join generic as generic_email on contact.email = generic_email.value and generic_email.field = 'email'
left join ops.reference_value as role on contact.email_local = role.value and role.kind = 'role mailbox'
left join generic as generic_phone on contact.phone = generic_phone.value and generic_phone.field = 'phone'
left join generic as generic_mobile on contact.mobile = generic_mobile.value and generic_mobile.field = 'phone'
left join resolved.organisation_cluster as organisation_cluster
    on contact.organisation_key = organisation_cluster.record_key
