-- quality.subject: the ids behind a number: golden ids, record keys, fields. Read when it is asked for.
-- grain:  one row per number and subject; a subject may stand there twice where two of its rows count
-- key:    metric, entity, source, field, subject
-- inputs: quality.record_fate, quality.golden_fate, quality.finding, quality.duplicate, quality.flapping, quality.overmerge_suspect, quality.undermerge_suspect, quality.field_drift, standardised.contact, standardised.organisation, golden.contact, golden.organisation, golden.crosswalk, golden.provenance, golden.lineage, ops.outbox, ops.effect, ops.work_item, raw_apollo.quarantine, raw_zoominfo.quarantine, raw_uplead.quarantine, raw_exports.quarantine, raw_halopsa.quarantine
-- why:    as many rows as the number says: a test counts them. Ids only, never a value
with record as (
    select
        'contact' as entity,
        record_key as subject,
        source,
        unnest([
            struct_pack(field := 'first_name', has := first_name is not null),
            struct_pack(field := 'last_name', has := last_name is not null),
            struct_pack(field := 'email', has := email is not null),
            struct_pack(field := 'phone', has := phone is not null),
            struct_pack(field := 'mobile', has := mobile is not null),
            struct_pack(field := 'job_title', has := job_title is not null),
            struct_pack(field := 'linkedin_url', has := linkedin_url is not null),
            struct_pack(field := 'city', has := city is not null),
            struct_pack(field := 'country', has := country is not null),
            struct_pack(field := 'organisation', has := organisation_key is not null)
        ], recursive := true)
    from standardised.contact
    union all
    select
        'contact' as entity,
        golden_id as subject,
        'golden' as source,
        unnest([
            struct_pack(field := 'first_name', has := first_name is not null),
            struct_pack(field := 'last_name', has := last_name is not null),
            struct_pack(field := 'email', has := email is not null),
            struct_pack(field := 'phone', has := phone is not null),
            struct_pack(field := 'mobile', has := mobile is not null),
            struct_pack(field := 'job_title', has := job_title is not null),
            struct_pack(field := 'linkedin_url', has := linkedin_url is not null),
            struct_pack(field := 'city', has := city is not null),
            struct_pack(field := 'country', has := country is not null),
            struct_pack(field := 'organisation', has := organisation_golden_id is not null)
        ], recursive := true)
    from golden.contact
    union all
    select
        'organisation' as entity,
        record_key as subject,
        source,
        unnest([
            struct_pack(field := 'name', has := name is not null),
            struct_pack(field := 'domain', has := domain is not null),
            struct_pack(field := 'phone', has := phone is not null),
            struct_pack(field := 'street', has := street is not null),
            struct_pack(field := 'city', has := city is not null),
            struct_pack(field := 'country', has := country is not null),
            struct_pack(field := 'linkedin_url', has := linkedin_url is not null),
            struct_pack(field := 'industry', has := industry is not null),
            struct_pack(field := 'employees', has := employees_min is not null)
        ], recursive := true)
    from standardised.organisation
    union all
    select
        'organisation' as entity,
        golden_id as subject,
        'golden' as source,
        unnest([
            struct_pack(field := 'name', has := name is not null),
            struct_pack(field := 'domain', has := domain is not null),
            struct_pack(field := 'phone', has := phone is not null),
            struct_pack(field := 'street', has := street is not null),
            struct_pack(field := 'city', has := city is not null),
            struct_pack(field := 'country', has := country is not null),
            struct_pack(field := 'linkedin_url', has := linkedin_url is not null),
            struct_pack(field := 'industry', has := industry is not null),
            struct_pack(field := 'employees', has := employees_min is not null)
        ], recursive := true)
    from golden.organisation
),

step as (
    select 'golden' as step, 'planned' as following
    union all
    select 'planned' as step, 'written' as following
    union all
    select 'written' as step, 'acknowledged' as following
    union all
    select 'acknowledged' as step, 'confirmed' as following
),

quarantined as (
    select 'apollo' as source, entity, field, reason, id from raw_apollo.quarantine
    union all
    select 'zoominfo' as source, entity, field, reason, id from raw_zoominfo.quarantine
    union all
    select 'uplead' as source, entity, field, reason, id from raw_uplead.quarantine
    union all
    select 'exports' as source, entity, field, reason, id from raw_exports.quarantine
    union all
    select 'halopsa' as source, entity, field, reason, id from raw_halopsa.quarantine
),

cell as (
    select
        case when golden_id like 'con!_%' escape '!' then 'contact' else 'organisation' end as entity,
        golden_id,
        field,
        rule,
        record_key,
        losers
    from golden.provenance
)

select 'lost' as metric, entity, source, 'valid: ' || fate as field, source || ':' || source_id as subject
from quality.record_fate
where fate in ('quarantined', 'not_standardised')
union all
select 'lost' as metric, entity, source, 'matched: ' || fate as field, record_key as subject from quality.record_fate where fate = 'not_matched'
union all
select 'gained' as metric, entity, source, 'named beside a contact' as field, record_key as subject from quality.record_fate where is_named
union all
select 'lost' as metric, entity, '' as source, 'golden: joined with another record' as field, record_key as subject
from golden.crosswalk
qualify row_number() over (partition by entity, golden_id order by record_key) > 1
union all
select 'lost' as metric, golden_fate.entity, '' as source, step.following || ': ' || golden_fate.reason as field, golden_fate.golden_id as subject
from quality.golden_fate as golden_fate
inner join step on golden_fate.step = step.step
union all
select 'confirmed' as metric, entity, '' as source, '' as field, golden_id as subject from quality.golden_fate where step = 'confirmed'
union all
select 'missing' as metric, entity, source, field, subject from record where not has
union all
select 'invalid' as metric, entity, source, field || '.' || reason as field, record_key as subject from quality.finding
union all
select 'duplicate' as metric, entity, source, kind as field, subject from quality.duplicate
union all
select 'overlap' as metric, 'contact' as entity, '' as source, sources as field, golden_id as subject from golden.contact
union all
select 'overlap' as metric, 'organisation' as entity, '' as source, sources as field, golden_id as subject from golden.organisation
union all
select 'verified' as metric, 'contact' as entity, source, 'email' as field, record_key as subject from standardised.contact where email_status = 'verified'
union all
select 'contested' as metric, entity, '' as source, field, golden_id as subject from cell where losers <> '[]'
union all
select 'decided_by' as metric, entity, '' as source, rule as field, golden_id || ' ' || field as subject from cell
union all
select 'flapping' as metric, entity, '' as source, '' as field, golden_id as subject from quality.flapping
union all
select 'overmerge' as metric, entity, '' as source, why as field, golden_id as subject from quality.overmerge_suspect
union all
select 'undermerge' as metric, entity, '' as source, kind as field, golden_id_l || ' ' || golden_id_r as subject from quality.undermerge_suspect
union all
select 'lineage' as metric, case when golden_id like 'con!_%' escape '!' then 'contact' else 'organisation' end as entity, '' as source, event as field, golden_id as subject
from golden.lineage
union all
select 'outbox_' || state as metric, entity, '' as source, coalesce(error_class, '') as field, golden_id as subject from ops.outbox
union all
select 'effect_' || state as metric, entity, '' as source, '' as field, golden_id as subject from ops.effect where state <> 'acked'
union all
select 'work_' || kind as metric, coalesce(case when resource = 'Users' then 'contact' when resource is not null then 'organisation' end, '') as entity, '' as source, '' as field, coalesce(golden_id, 'HaloPSA ' || halo_id) as subject
from ops.work_item
where state in ('open', 'restoring')
union all
select 'quarantined' as metric, entity, source, field || ': ' || reason as field, source || ':' || id as subject from quarantined
union all
select 'field_drift' as metric, entity, source, drift as field, field as subject from quality.field_drift
union all
select 'residents' as metric, 'contact' as entity, '' as source, coalesce(region, 'other') as field, golden_id as subject from golden.contact
union all
select 'notice_due' as metric, 'contact' as entity, '' as source, region as field, golden_id as subject from golden.contact where region = 'eu' and notice_date is null
union all
select 'do_not_call' as metric, 'contact' as entity, '' as source, coalesce(region, 'other') as field, golden_id as subject from golden.contact where phone_do_not_call or mobile_do_not_call
union all
select 'do_not_call_unknown' as metric, 'contact' as entity, '' as source, coalesce(region, 'other') as field, golden_id as subject
from golden.contact
where phone is not null and phone_do_not_call is null or mobile is not null and mobile_do_not_call is null
