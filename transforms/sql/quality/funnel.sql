-- quality.funnel: R1, what came in, what was lost on the way into HaloPSA and why; adds up to the row.
-- grain:  one row per entity, source, step and reason
-- key:    entity, source, place, kind, reason
-- inputs: quality.record_fate, quality.golden_fate, standardised.contact, standardised.organisation, golden.crosswalk, golden.contact, golden.organisation, ops.effect
-- why:    `stands` rows are counted from the tables themselves, `loss` and `gain` rows from the fates: two counts that
--         must agree, so a row that vanishes between two tables shows as `unexplained` (funnel_balance.sql). From golden
--         on the sources are one, and `source` is empty
with matched as (
    select record_fate.entity, record_fate.source, crosswalk.golden_id
    from golden.crosswalk as crosswalk
    inner join quality.record_fate as record_fate
        on crosswalk.record_key = record_fate.record_key and crosswalk.entity = record_fate.entity
),

standing as (
    select entity, source, 1 as place, 'fetched' as step, count(*) as rows_counted
    from quality.record_fate
    where not is_named
    group by entity, source
    union all
    select 'contact' as entity, source, 2 as place, 'valid' as step, count(*) as rows_counted
    from standardised.contact
    group by source
    union all
    select 'organisation' as entity, source, 2 as place, 'valid' as step, count(*) as rows_counted
    from standardised.organisation
    group by source
    union all
    select entity, source, 3 as place, 'matched' as step, count(*) as rows_counted
    from matched
    group by entity, source
    union all
    select 'contact' as entity, '' as source, 4 as place, 'golden' as step, count(*) as rows_counted from golden.contact
    union all
    select 'organisation' as entity, '' as source, 4 as place, 'golden' as step, count(*) as rows_counted from golden.organisation
),

reached as (
    select entity, step, reason, count(*) as rows_counted
    from quality.golden_fate
    group by entity, step, reason
),

step as (
    select 4 as place, 'golden' as step
    union all
    select 5 as place, 'planned' as step
    union all
    select 6 as place, 'written' as step
    union all
    select 7 as place, 'acknowledged' as step
    union all
    select 8 as place, 'confirmed' as step
),

passed as (
    select standing.entity, later.place, later.step, coalesce(sum(reached.rows_counted), 0) as rows_counted
    from standing
    cross join step as later
    left join step as own on own.place >= later.place
    left join reached on reached.step = own.step and reached.entity = standing.entity
    where standing.place = 4 and later.place > 4
    group by standing.entity, later.place, later.step
)

select entity, source, place, step, 'stands' as kind, '' as reason, cast(rows_counted as bigint) as value from standing
union all
select entity, '' as source, place, step, 'stands' as kind, '' as reason, cast(rows_counted as bigint) as value from passed
union all
select entity, source, 2 as place, 'valid' as step, 'loss' as kind, fate as reason, cast(count(*) as bigint) as value
from quality.record_fate
where fate in ('quarantined', 'not_standardised')
group by entity, source, fate
union all
select entity, source, 2 as place, 'valid' as step, 'gain' as kind, 'named beside a contact' as reason, cast(count(*) as bigint) as value
from quality.record_fate
where is_named
group by entity, source
union all
select entity, source, 3 as place, 'matched' as step, 'loss' as kind, fate as reason, cast(count(*) as bigint) as value
from quality.record_fate
where fate = 'not_matched'
group by entity, source, fate
union all
select entity, '' as source, 4 as place, 'golden' as step, 'loss' as kind, 'joined with another record' as reason, cast(count(*) - count(distinct golden_id) as bigint) as value
from matched
group by entity
having count(*) > count(distinct golden_id)
union all
select reached.entity, '' as source, step.place + 1 as place, following.step, 'loss' as kind, reached.reason, cast(sum(reached.rows_counted) as bigint) as value
from reached
inner join step on reached.step = step.step
inner join step as following on following.place = step.place + 1
group by reached.entity, step.place, following.step, reached.reason
union all
select effect.entity, '' as source, 9 as place, 'no longer golden' as step, 'beside' as kind, 'written before it ended' as reason, cast(count(distinct effect.golden_id) as bigint) as value
from ops.effect as effect
where effect.golden_id not in (select golden_id from quality.golden_fate)
group by effect.entity
