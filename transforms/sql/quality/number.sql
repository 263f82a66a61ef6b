-- quality.number: every number of the report, in one shape.
-- grain:  one row per metric, entity, source and field
-- key:    metric, entity, source, field
-- inputs: quality.funnel, quality.funnel_balance, quality.completeness, quality.finding, quality.duplicate, quality.source_overlap, quality.conflict, quality.flapping, quality.overmerge_suspect, quality.undermerge_suspect, quality.weight_histogram, quality.freshness, quality.age_curve, quality.publish_health, quality.field_drift, quality.privacy, standardised.contact, standardised.organisation, golden.contact, golden.organisation, golden.lineage, golden.provenance, golden.crosswalk, resolved.contact_estimate, resolved.organisation_estimate, resolved.contact_unmet, resolved.organisation_unmet, resolved.contact_block_report, resolved.organisation_block_report, resolved.contact_value, resolved.organisation_value, raw_apollo.quarantine, raw_zoominfo.quarantine, raw_uplead.quarantine, raw_exports.quarantine, raw_halopsa.quarantine, ops.credit, ops.run, quality.night
-- why:    whole numbers only, a share as a value of a total, an estimate in millionths: so two implementations can be
--         compared to the unit. Where it does not apply, a dimension is empty and never null
with golden as (
    select 'contact' as entity, count(*) as records from golden.contact
    union all
    select 'organisation' as entity, count(*) as records from golden.organisation
),

sourced as (
    select 'contact' as entity, source, count(*) as records from standardised.contact group by source
    union all
    select 'organisation' as entity, source, count(*) as records from standardised.organisation group by source
),

quarantined as (
    select 'apollo' as source, entity, field, reason from raw_apollo.quarantine
    union all
    select 'zoominfo' as source, entity, field, reason from raw_zoominfo.quarantine
    union all
    select 'uplead' as source, entity, field, reason from raw_uplead.quarantine
    union all
    select 'exports' as source, entity, field, reason from raw_exports.quarantine
    union all
    select 'halopsa' as source, entity, field, reason from raw_halopsa.quarantine
),

estimate as (
    select 'contact' as entity, measure, value, low, high from resolved.contact_estimate
    union all
    select 'organisation' as entity, measure, value, low, high from resolved.organisation_estimate
),

unmet as (
    select 'contact' as entity, met_share from resolved.contact_unmet
    union all
    select 'organisation' as entity, met_share from resolved.organisation_unmet
),

block_report as (
    select 'contact' as entity, skipped_blocks, skipped_pairs from resolved.contact_block_report
    union all
    select 'organisation' as entity, skipped_blocks, skipped_pairs from resolved.organisation_block_report
),

generic as (
    select 'contact' as entity, field from resolved.contact_value where is_generic
    union all
    select 'organisation' as entity, field from resolved.organisation_value where is_generic
),

said as (
    select step as metric, entity, source, '' as field, value, cast(null as bigint) as total
    from quality.funnel
    where kind = 'stands'
    union all
    select 'lost' as metric, entity, source, step || ': ' || reason as field, value, null as total
    from quality.funnel
    where kind = 'loss'
    union all
    select 'gained' as metric, entity, source, reason as field, value, null as total
    from quality.funnel
    where kind = 'gain'
    union all
    select 'unexplained' as metric, entity, source, cast(place as varchar) as field, abs(unexplained) as value, null as total
    from quality.funnel_balance
    union all
    select 'missing' as metric, entity, source, field, records - filled as value, records as total
    from quality.completeness
    where segment_kind = 'all'
    union all
    select 'not_useful' as metric, entity, source, field, records - useful as value, records as total
    from quality.completeness
    where segment_kind = 'all'
    union all
    select 'invalid' as metric, finding.entity, finding.source, finding.field || '.' || finding.reason as field, count(*) as value, any_value(sourced.records) as total
    from quality.finding as finding
    inner join sourced on finding.entity = sourced.entity and finding.source = sourced.source
    group by finding.entity, finding.source, finding.field || '.' || finding.reason
    union all
    select 'generic_values' as metric, entity, '' as source, field, count(*) as value, null as total
    from generic
    group by entity, field
    union all
    select 'duplicate' as metric, duplicate.entity, duplicate.source, duplicate.kind as field, count(*) as value, any_value(golden.records) as total
    from quality.duplicate as duplicate
    inner join golden on duplicate.entity = golden.entity
    group by duplicate.entity, duplicate.source, duplicate.kind
    union all
    select 'estimated_' || measure as metric, entity, '' as source, 'value' as field, cast(round(value * 1000000) as bigint) as value, null as total
    from estimate
    union all
    select 'estimated_' || measure as metric, entity, '' as source, 'low' as field, cast(round(low * 1000000) as bigint) as value, null as total
    from estimate
    union all
    select 'estimated_' || measure as metric, entity, '' as source, 'high' as field, cast(round(high * 1000000) as bigint) as value, null as total
    from estimate
    union all
    select 'overlap' as metric, source_overlap.entity, '' as source, source_overlap.sources as field, source_overlap.golden_count as value, golden.records as total
    from quality.source_overlap as source_overlap
    inner join golden on source_overlap.entity = golden.entity
    union all
    select 'credits' as metric, '' as entity, source, '' as field, cast(round(sum(credits)) as bigint) as value, null as total
    from ops.credit
    group by source
    union all
    select 'verified' as metric, 'contact' as entity, source, 'email' as field, count(*) as value, null as total
    from standardised.contact
    where email_status = 'verified'
    group by source
    union all
    select 'contested' as metric, entity, '' as source, field, sum(contested) as value, sum(cells) as total
    from quality.conflict
    group by entity, field
    union all
    select 'outvoted' as metric, entity, '' as source, field, sum(outvoted) as value, sum(cells) as total
    from quality.conflict
    group by entity, field
    union all
    select 'decided_by' as metric, entity, '' as source, rule as field, sum(cells) as value, null as total
    from quality.conflict
    group by entity, rule
    union all
    select 'won' as metric, crosswalk.entity, split_part(provenance.record_key, ':', 1) as source, '' as field, count(*) as value, null as total
    from golden.provenance as provenance
    inner join golden.crosswalk as crosswalk
        on provenance.record_key = crosswalk.record_key and provenance.golden_id = crosswalk.golden_id
    where provenance.losers <> '[]'
    group by crosswalk.entity, split_part(provenance.record_key, ':', 1)
    union all
    select 'flapping' as metric, entity, '' as source, '' as field, count(*) as value, null as total
    from quality.flapping
    group by entity
    union all
    select 'overmerge' as metric, entity, '' as source, why as field, count(*) as value, null as total
    from quality.overmerge_suspect
    group by entity, why
    union all
    select 'undermerge' as metric, entity, '' as source, kind as field, count(*) as value, null as total
    from quality.undermerge_suspect
    group by entity, kind
    union all
    select 'pairs' as metric, entity, '' as source, '' as field, sum(pairs) as value, null as total
    from quality.weight_histogram
    group by entity
    union all
    select 'pairs_inside' as metric, entity, '' as source, '' as field, sum(inside) as value, sum(pairs) as total
    from quality.weight_histogram
    group by entity
    union all
    select 'pairs_at_the_cut' as metric, entity, '' as source, '' as field, sum(at_the_cut) as value, sum(pairs) as total
    from quality.weight_histogram
    group by entity
    union all
    select 'skipped_pairs' as metric, entity, '' as source, '' as field, sum(skipped_pairs) as value, null as total
    from block_report
    group by entity
    union all
    select 'recall_lost_to_blocking' as metric, entity, '' as source, '' as field, cast(round((1 - met_share) * 1000000) as bigint) as value, null as total
    from unmet
    union all
    select 'lineage' as metric, case when golden_id like 'con!_%' escape '!' then 'contact' else 'organisation' end as entity, '' as source, event as field, count(*) as value, null as total
    from golden.lineage
    group by case when golden_id like 'con!_%' escape '!' then 'contact' else 'organisation' end, event
    union all
    select 'age_hours' as metric, '' as entity, source, '' as field, age_hours as value, null as total from quality.freshness where age_hours is not null
    union all
    select 'quiet_hours' as metric, '' as entity, source, '' as field, quiet_hours as value, null as total from quality.freshness where quiet_hours is not null
    union all
    select 'digest' as metric, '' as entity, source, '' as field, digest as value, null as total from quality.freshness where digest is not null and source <> 'exports'
    union all
    select 'run_age_hours' as metric, '' as entity, '' as source, run.kind as field, date_diff('hour', max(cast(run.started_at as timestamp)), any_value(night.as_of)) as value, null as total
    from ops.run as run
    cross join quality.night as night
    where run.kind = 'full_sync'
    group by run.kind
    union all
    select 'runs' as metric, '' as entity, '' as source, run.kind || ' ' || run.state as field, count(*) as value, null as total
    from ops.run as run
    cross join quality.night as night
    where cast(run.started_at as timestamp) > night.as_of - interval 24 hour
    group by run.kind || ' ' || run.state
    union all
    select 'age' as metric, entity, source, age as field, records as value, null as total from quality.age_curve
    union all
    select publish_health.kind as metric, publish_health.entity, '' as source, publish_health.class as field, publish_health.records as value, null as total
    from quality.publish_health as publish_health
    union all
    select 'backlog_hours' as metric, entity, '' as source, kind as field, max(oldest_hours) as value, null as total
    from quality.publish_health
    where kind in ('outbox_pending', 'outbox_planned', 'effect_unknown', 'effect_sending') and oldest_hours is not null
    group by entity, kind
    union all
    select 'work_hours' as metric, entity, '' as source, kind as field, max(oldest_hours) as value, null as total
    from quality.publish_health
    where kind like 'work!_%' escape '!'
    group by entity, kind
    union all
    select 'quarantined' as metric, entity, source, field || ': ' || reason as field, count(*) as value, null as total
    from quarantined
    group by entity, source, field || ': ' || reason
    union all
    select 'field_drift' as metric, entity, source, drift as field, count(*) as value, null as total
    from quality.field_drift
    group by entity, source, drift
    union all
    select 'residents' as metric, 'contact' as entity, '' as source, region as field, contacts as value, null as total from quality.privacy
    union all
    select 'notice_due' as metric, 'contact' as entity, '' as source, region as field, notice_due as value, contacts as total from quality.privacy
    union all
    select 'do_not_call' as metric, 'contact' as entity, '' as source, region as field, do_not_call as value, contacts as total from quality.privacy
    union all
    select 'do_not_call_unknown' as metric, 'contact' as entity, '' as source, region as field, do_not_call_unknown as value, with_number as total from quality.privacy
)

select
    metric,
    coalesce(entity, '') as entity,
    coalesce(source, '') as source,
    coalesce(field, '') as field,
    rtrim(metric || '/' || coalesce(entity, '') || '/' || coalesce(source, '') || '/' || coalesce(field, ''), '/') as number_id,
    cast(value as bigint) as value,
    cast(total as bigint) as total
from said
