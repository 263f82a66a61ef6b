-- golden.provenance: where every golden cell comes from, and what lost.
-- grain:  one row per golden cell that has a value
-- key:    golden_id, field
-- inputs: golden.organisation_provenance, golden.contact_provenance
-- why:    one table for both entities: golden ids carry their entity; in their order, so that the cells of one golden
--         record are found without reading the others (`halosync why`)
select golden_id, field, value, record_key, rule, losers from golden.organisation_provenance
union all
select golden_id, field, value, record_key, rule, losers from golden.contact_provenance
order by golden_id, field
