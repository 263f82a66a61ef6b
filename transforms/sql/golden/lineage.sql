-- golden.lineage: the events in the life of golden ids that this run found.
-- grain:  one row per golden id, event and other golden id
-- key:    golden_id, event, other_id
-- inputs: golden.organisation_lineage, golden.contact_lineage
-- why:    the delta of this run; the whole history is the ledger's
select lineage.golden_id, lineage.event, lineage.other_id, lineage."at" from golden.organisation_lineage as lineage
union all
select lineage.golden_id, lineage.event, lineage.other_id, lineage."at" from golden.contact_lineage as lineage
