-- quality.contact_completeness: how many golden contacts have a value, by field.
-- grain:  one row per field
-- key:    field
-- inputs: golden.contact
-- why:    counts, not shares: no engine divides, whoever shows the table does
select 'first_name' as field, count(*) as record_count, count(contact.first_name) as filled_count from golden.contact as contact
union all
select 'last_name' as field, count(*) as record_count, count(contact.last_name) as filled_count from golden.contact as contact
union all
select 'email' as field, count(*) as record_count, count(contact.email) as filled_count from golden.contact as contact
union all
select 'phone' as field, count(*) as record_count, count(contact.phone) as filled_count from golden.contact as contact
union all
select 'mobile' as field, count(*) as record_count, count(contact.mobile) as filled_count from golden.contact as contact
union all
select 'job_title' as field, count(*) as record_count, count(contact.job_title) as filled_count from golden.contact as contact
union all
select 'linkedin_url' as field, count(*) as record_count, count(contact.linkedin_url) as filled_count from golden.contact as contact
union all
select 'city' as field, count(*) as record_count, count(contact.city) as filled_count from golden.contact as contact
union all
select 'country' as field, count(*) as record_count, count(contact.country) as filled_count from golden.contact as contact
union all
select 'organisation_golden_id' as field, count(*) as record_count, count(contact.organisation_golden_id) as filled_count from golden.contact as contact
