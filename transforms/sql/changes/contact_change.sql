-- changes.contact_change: golden contacts that are new, altered or gone since the last commit.
-- grain:  one row per golden contact whose content differs from its head
-- key:    golden_id
-- inputs: golden.contact, changes.contact_head
-- why:    compared by content hash, not updated_at: a rebuild from nothing must yield no rows
select
    coalesce(contact.golden_id, contact_head.golden_id) as golden_id,
    case
        when contact_head.golden_id is null then 'created'
        when contact.golden_id is null then 'retired'
        else 'altered'
    end as change_kind,
    contact.content_hash,
    contact.organisation_golden_id,
    contact.first_name,
    contact.middle_name,
    contact.last_name,
    contact.name_suffix,
    contact.email,
    contact.email_status,
    contact.phone,
    contact.phone_ext,
    contact.phone_do_not_call,
    contact.mobile,
    contact.mobile_do_not_call,
    contact.job_title,
    contact.seniority,
    contact.department,
    contact.linkedin_url,
    contact.street,
    contact.city,
    contact.state,
    contact.postcode,
    contact.country,
    contact.region,
    contact.notice_date,
    contact.sources,
    contact.record_count,
    contact.updated_at
from golden.contact as contact
full outer join changes.contact_head as contact_head on contact.golden_id = contact_head.golden_id
where contact.content_hash is distinct from contact_head.content_hash
