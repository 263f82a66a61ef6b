-- golden.crosswalk: the golden record of every source record.
-- grain:  one row per source record
-- key:    record_key, entity
-- inputs: golden.organisation_identity, golden.contact_identity
-- why:    one table for both entities
select record_key, golden_id, 'organisation' as entity, since from golden.organisation_identity
union all
select record_key, golden_id, 'contact' as entity, since from golden.contact_identity
