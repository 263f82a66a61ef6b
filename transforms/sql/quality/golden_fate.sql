-- quality.golden_fate: how far each golden record has come on its way into HaloPSA, and what stopped it.
-- grain:  one row per live golden record
-- key:    golden_id
-- inputs: golden.contact, golden.organisation, ops.outbox, ops.effect, raw_halopsa.client, raw_halopsa.user
-- why:    confirmed means read back: HaloPSA was read after our write and shows that record. `step` is the last step
--         that was reached, `reason` why not the next one; a reason is a sentence, whom it is about is cut off
with live as (
    select 'contact' as entity, golden_id, record_count from golden.contact
    union all
    select 'organisation' as entity, golden_id, record_count from golden.organisation
),

written as (
    select
        golden_id,
        bool_or(state = 'unknown') as is_unknown,
        bool_or(state = 'sending') as is_sending,
        bool_or(state = 'rejected') as is_rejected,
        bool_or(state = 'acked') as is_acked,
        max(case when state = 'acked' then settled_at end) as acked_at,
        max(case when state = 'acked' and resource in ('Client', 'Users') then halo_id end) as halo_id
    from ops.effect
    group by golden_id
),

read_back as (
    select 'organisation' as entity, id, fetched_at from raw_halopsa.client
    union all
    select 'contact' as entity, id, fetched_at from raw_halopsa.user
)

select
    live.entity,
    live.golden_id,
    live.record_count,
    case
        when outbox.golden_id is null or outbox.state in ('pending', 'held', 'suppressed') then 'golden'
        when written.golden_id is null then 'planned'
        when written.is_unknown or written.is_sending or outbox.state = 'rejected' or not written.is_acked then 'written'
        when read_back.id is null then 'acknowledged'
        else 'confirmed'
    end as step,
    case
        when outbox.golden_id is null then 'not in the outbox yet'
        when outbox.state = 'pending' then 'waits for the next publishing'
        when outbox.state in ('held', 'suppressed')
            then outbox.state || ': ' || split_part(coalesce(outbox.reason, 'no reason noted'), ' [', 1)
        when written.golden_id is null and outbox.state = 'published' then 'HaloPSA had it already'
        when written.golden_id is null then 'not written yet'
        when written.is_unknown then 'outcome unknown'
        when written.is_sending then 'no answer yet'
        when outbox.state = 'rejected' then 'rejected: ' || coalesce(outbox.error_class, 'no class noted')
        when not written.is_acked then 'not acknowledged'
        when read_back.id is null then 'not read back yet'
    end as reason
from live
left join ops.outbox as outbox on live.golden_id = outbox.golden_id
left join written on live.golden_id = written.golden_id
left join read_back
    on live.entity = read_back.entity
    and cast(written.halo_id as varchar) = read_back.id
    and read_back.fetched_at >= written.acked_at
