-- resolved.organisation_feature: what matching looks at, one row per organisation, under the names of the fields.
-- grain:  one row per source record
-- key:    rid
-- inputs: standardised.organisation, resolved.organisation_value, resolved.organisation_changed, ops.reference_value
-- why:    generic sites, phones and mailboxes, learned or listed, are null here, so that they are evidence nowhere
with generic as (
    select field, value from resolved.organisation_value where is_generic
),

sited as (
    select
        organisation.rid,
        coalesce(
            case when shared.value is null then organisation.domain end,
            case when shared_mail.value is null then organisation.email_domain end
        ) as site
    from standardised.organisation as organisation
    left join ops.reference_value as shared on organisation.domain = shared.value and shared.kind = 'shared host'
    left join ops.reference_value as shared_mail
        on organisation.email_domain = shared_mail.value and shared_mail.kind = 'shared host'
)

select
    organisation.rid,
    organisation.record_key,
    organisation.content_hash,
    organisation.source,
    organisation.name_fold as name,
    case when generic_site.value is null then sited.site end as site,
    case when generic_phone.value is null then organisation.phone end as phone,
    case when generic_email.value is null then organisation.email end as email,
    organisation.linkedin_slug as linkedin,
    organisation.street_fold as street,
    organisation.postcode_fold as postcode,
    organisation.city_fold as city,
    organisation.country,
    organisation.external_id as external,
    cast(null as varchar) as organisation
from standardised.organisation as organisation
inner join resolved.organisation_changed as changed on organisation.rid = changed.rid and not changed.is_gone
inner join sited on organisation.rid = sited.rid
left join generic as generic_site on sited.site = generic_site.value and generic_site.field = 'site'
left join generic as generic_phone on organisation.phone = generic_phone.value and generic_phone.field = 'phone'
left join generic as generic_email on organisation.email = generic_email.value and generic_email.field = 'email'
