-- quality.organisation_completeness: how many golden organisations have a value, by field.
-- grain:  one row per field
-- key:    field
-- inputs: golden.organisation
-- why:    counts, not shares: no engine divides, whoever shows the table does
select 'name' as field, count(*) as record_count, count(organisation.name) as filled_count from golden.organisation as organisation
union all
select 'domain' as field, count(*) as record_count, count(organisation.domain) as filled_count from golden.organisation as organisation
union all
select 'phone' as field, count(*) as record_count, count(organisation.phone) as filled_count from golden.organisation as organisation
union all
select 'street' as field, count(*) as record_count, count(organisation.street) as filled_count from golden.organisation as organisation
union all
select 'city' as field, count(*) as record_count, count(organisation.city) as filled_count from golden.organisation as organisation
union all
select 'country' as field, count(*) as record_count, count(organisation.country) as filled_count from golden.organisation as organisation
union all
select 'linkedin_url' as field, count(*) as record_count, count(organisation.linkedin_url) as filled_count from golden.organisation as organisation
union all
select 'industry' as field, count(*) as record_count, count(organisation.industry) as filled_count from golden.organisation as organisation
union all
select 'employees_min' as field, count(*) as record_count, count(organisation.employees_min) as filled_count from golden.organisation as organisation
