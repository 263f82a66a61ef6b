-- quality.publish_health: R11, what is open between us and HaloPSA.
-- grain:  one row per kind, entity and class
-- key:    kind, entity, class
-- inputs: ops.outbox, ops.commit, ops.effect, ops.work_item, quality.night
-- why:    ages in whole hours up to the night's moment; a rejected class with first and last day tells a new fault from an
--         old one. Counts only: the sentences are in the funnel
select
    'outbox_' || outbox.state as kind,
    outbox.entity,
    coalesce(outbox.error_class, '') as class,
    cast(count(*) as bigint) as records,
    min(commit_log.commit_ts) as first_at,
    max(outbox.settled_at) as last_at,
    cast(date_diff('hour', min(cast(commit_log.commit_ts as timestamp)), any_value(night.as_of)) as bigint) as oldest_hours
from ops.outbox as outbox
cross join quality.night as night
left join ops.commit as commit_log on outbox.seq = commit_log.seq
group by outbox.state, outbox.entity, coalesce(outbox.error_class, '')
union all
select
    'effect_' || effect.state as kind,
    effect.entity,
    '' as class,
    cast(count(*) as bigint) as records,
    min(effect.sent_at) as first_at,
    max(effect.sent_at) as last_at,
    cast(date_diff('hour', min(cast(effect.sent_at as timestamp)), any_value(night.as_of)) as bigint) as oldest_hours
from ops.effect as effect
cross join quality.night as night
where effect.state <> 'acked'
group by effect.state, effect.entity
union all
select
    'work_' || work_item.kind as kind,
    coalesce(case when work_item.resource = 'Users' then 'contact' when work_item.resource is not null then 'organisation' end, '') as entity,
    '' as class,
    cast(count(*) as bigint) as records,
    min(work_item.opened_at) as first_at,
    max(work_item.opened_at) as last_at,
    cast(date_diff('hour', min(cast(work_item.opened_at as timestamp)), any_value(night.as_of)) as bigint) as oldest_hours
from ops.work_item as work_item
cross join quality.night as night
where work_item.state in ('open', 'restoring')
group by work_item.kind, coalesce(case when work_item.resource = 'Users' then 'contact' when work_item.resource is not null then 'organisation' end, '')
