-- resolved.organisation_changed: organisations that are new, altered or gone since the tables were last made.
-- grain:  one row per source record
-- key:    rid
-- inputs: standardised.organisation, previous.organisation_feature, ops.organisation_decision, previous.organisation_decision
-- why:    all of them where nothing stood before, so a full run is an incremental one from nothing. A decision that
--         came or went concerns both its records
with decided as (
    select record_key_l as record_key from (
        select * from ops.organisation_decision except select * from previous.organisation_decision
    ) as fresh
    union all
    select record_key_r as record_key from (
        select * from ops.organisation_decision except select * from previous.organisation_decision
    ) as fresh
    union all
    select record_key_l as record_key from (
        select * from previous.organisation_decision except select * from ops.organisation_decision
    ) as revoked
    union all
    select record_key_r as record_key from (
        select * from previous.organisation_decision except select * from ops.organisation_decision
    ) as revoked
)

select organisation.rid, organisation.record_key, false as is_gone
from standardised.organisation as organisation
left join previous.organisation_feature as former on organisation.record_key = former.record_key
where
    former.record_key is null
    or former.content_hash is distinct from organisation.content_hash
    or former.organisation is distinct from cast(null as varchar)
    or organisation.record_key in (select record_key from decided)
union all
select former.rid, former.record_key, true as is_gone
from previous.organisation_feature as former
left join standardised.organisation as organisation on former.record_key = organisation.record_key
where organisation.record_key is null
