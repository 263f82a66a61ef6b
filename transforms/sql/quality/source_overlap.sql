-- quality.source_overlap: R5, which sources contribute together, by entity.
-- grain:  one row per entity and set of sources
-- key:    entity, sources
-- inputs: golden.contact, golden.organisation
-- why:    the overlap is what deduplication is for; a source without any overlap is a sign of broken keys
select 'contact' as entity, contact.sources, cast(count(*) as bigint) as golden_count, cast(sum(contact.record_count) as bigint) as record_count
from golden.contact as contact
group by contact.sources
union all
select 'organisation' as entity, organisation.sources, cast(count(*) as bigint) as golden_count, cast(sum(organisation.record_count) as bigint) as record_count
from golden.organisation as organisation
group by organisation.sources
