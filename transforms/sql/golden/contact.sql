-- golden.contact: what survives from each cluster, read off the provenance.
-- grain:  one row per golden contact
-- key:    golden_id
-- inputs: golden.contact_provenance, golden.contact_member, golden.contact_touched, changes.contact_head, ops.run_moment
-- why:    updated_at moves only when the content hash does: a rebuild from nothing keeps it
with cell as (
    select
        golden_id,
        max(case when field = 'organisation_golden_id' then value end) as organisation_golden_id,
        max(case when field = 'first_name' then value end) as first_name,
        max(case when field = 'middle_name' then value end) as middle_name,
        max(case when field = 'last_name' then value end) as last_name,
        max(case when field = 'name_suffix' then value end) as name_suffix,
        max(case when field = 'email' then value end) as email,
        max(case when field = 'email_status' then value end) as email_status,
        max(case when field = 'phone' then value end) as phone,
        max(case when field = 'phone_ext' then value end) as phone_ext,
        max(case when field = 'phone_do_not_call' then value end) as phone_do_not_call,
        max(case when field = 'mobile' then value end) as mobile,
        max(case when field = 'mobile_do_not_call' then value end) as mobile_do_not_call,
        max(case when field = 'job_title' then value end) as job_title,
        max(case when field = 'seniority' then value end) as seniority,
        max(case when field = 'department' then value end) as department,
        max(case when field = 'linkedin_url' then value end) as linkedin_url,
        max(case when field = 'street' then value end) as street,
        max(case when field = 'city' then value end) as city,
        max(case when field = 'state' then value end) as state,
        max(case when field = 'postcode' then value end) as postcode,
        max(case when field = 'country' then value end) as country,
        max(case when field = 'region' then value end) as region,
        max(case when field = 'notice_date' then value end) as notice_date
    from golden.contact_provenance
    where golden_id in (select golden_id from golden.contact_touched)
    group by golden_id
),

backing as (
    select
        golden_id,
        array_to_string(list_sort(list(distinct source)), ',') as sources,
        cast(count(*) as bigint) as record_count
    from golden.contact_member
    group by golden_id
),

hashed as (
    select
        backing.golden_id,
        sha256(concat_ws(
            chr(31),
            backing.golden_id,
            coalesce(cell.organisation_golden_id, chr(30)),
            coalesce(cell.first_name, chr(30)),
            coalesce(cell.middle_name, chr(30)),
            coalesce(cell.last_name, chr(30)),
            coalesce(cell.name_suffix, chr(30)),
            coalesce(cell.email, chr(30)),
            coalesce(cell.email_status, chr(30)),
            coalesce(cell.phone, chr(30)),
            coalesce(cell.phone_ext, chr(30)),
            coalesce(cell.phone_do_not_call, chr(30)),
            coalesce(cell.mobile, chr(30)),
            coalesce(cell.mobile_do_not_call, chr(30)),
            coalesce(cell.job_title, chr(30)),
            coalesce(cell.seniority, chr(30)),
            coalesce(cell.department, chr(30)),
            coalesce(cell.linkedin_url, chr(30)),
            coalesce(cell.street, chr(30)),
            coalesce(cell.city, chr(30)),
            coalesce(cell.state, chr(30)),
            coalesce(cell.postcode, chr(30)),
            coalesce(cell.country, chr(30)),
            coalesce(cell.region, chr(30)),
            coalesce(cell.notice_date, chr(30)),
            backing.sources
        )) as content_hash
    from backing
    left join cell on backing.golden_id = cell.golden_id
)

select
    backing.golden_id,
    cell.organisation_golden_id,
    cell.first_name,
    cell.middle_name,
    cell.last_name,
    cell.name_suffix,
    cell.email,
    cell.email_status,
    cell.phone,
    cell.phone_ext,
    cast(cell.phone_do_not_call as boolean) as phone_do_not_call,
    cell.mobile,
    cast(cell.mobile_do_not_call as boolean) as mobile_do_not_call,
    cell.job_title,
    cell.seniority,
    cell.department,
    cell.linkedin_url,
    cell.street,
    cell.city,
    cell.state,
    cell.postcode,
    cell.country,
    cell.region,
    cell.notice_date,
    backing.sources,
    backing.record_count,
    hashed.content_hash,
    case
        when head.content_hash = hashed.content_hash then head.updated_at
        else run_moment.run_at
    end as updated_at
from backing
inner join hashed on backing.golden_id = hashed.golden_id
left join cell on backing.golden_id = cell.golden_id
left join changes.contact_head as head on backing.golden_id = head.golden_id
cross join ops.run_moment as run_moment
