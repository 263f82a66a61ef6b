-- golden.organisation_member: every organisation's source record beside the golden id it belongs to.
-- grain:  one row per source record
-- key:    record_key
-- inputs: standardised.organisation, golden.organisation_identity, golden.organisation_touched, ops.lock
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
    identity.golden_id,
    organisation.*,
    held.locks
from standardised.organisation as organisation
inner join golden.organisation_identity as identity on organisation.record_key = identity.record_key
inner join golden.organisation_touched as touched on identity.golden_id = touched.golden_id
left join held on organisation.record_key = held.record_key
