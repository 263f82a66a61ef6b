-- resolved.contact_changed: contacts that are new, altered or gone since the tables were last made.
-- grain:  one row per source record
-- key:    rid
-- inputs: standardised.contact, resolved.organisation_cluster, previous.contact_feature, ops.contact_decision, previous.contact_decision
-- why:    all of them where nothing stood before, so a full run is an incremental one from nothing. A decision that
--         came or went concerns both its records; so does another employer its contacts
with decided as (
    select record_key_l as record_key from (
        select * from ops.contact_decision except select * from previous.contact_decision
    ) as fresh
    union all
    select record_key_r as record_key from (
        select * from ops.contact_decision except select * from previous.contact_decision
    ) as fresh
    union all
    select record_key_l as record_key from (
        select * from previous.contact_decision except select * from ops.contact_decision
    ) as revoked
    union all
    select record_key_r as record_key from (
        select * from previous.contact_decision except select * from ops.contact_decision
    ) as revoked
)

select contact.rid, contact.record_key, false as is_gone
from standardised.contact as contact
left join resolved.organisation_cluster as organisation_cluster
    on contact.organisation_key = organisation_cluster.record_key
left join previous.contact_feature as former on contact.record_key = former.record_key
where
    former.record_key is null
    or former.content_hash is distinct from contact.content_hash
    or former.organisation is distinct from organisation_cluster.cluster_key
    or contact.record_key in (select record_key from decided)
union all
select former.rid, former.record_key, true as is_gone
from previous.contact_feature as former
left join standardised.contact as contact on former.record_key = contact.record_key
where contact.record_key is null
