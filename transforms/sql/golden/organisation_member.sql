-- golden.organisation_member: every organisation's source record beside the golden id it belongs to.
-- grain:  one row per source record
-- key:    record_key
-- inputs: standardised.organisation, golden.crosswalk, ops.lock
-- why:    what survivorship chooses from, with the locks that hang on each record
with held as (
    select
        steward.record_key,
        list(struct_pack(seq := steward.seq, field := steward.field, value := steward.value)) as locks
    from ops.lock as steward
    where steward.entity = 'organisation'
    group by steward.record_key
)

select
    crosswalk.golden_id,
    organisation.*,
    held.locks
from standardised.organisation as organisation
inner join golden.crosswalk as crosswalk
    on organisation.record_key = crosswalk.record_key and crosswalk.entity = 'organisation'
left join held on organisation.record_key = held.record_key
