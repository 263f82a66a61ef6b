-- golden.organisation_member: every organisation's source record beside the golden id it belongs to.
-- grain:  one row per source record
-- key:    record_key
-- inputs: standardised.organisation, golden.crosswalk
-- why:    what survivorship chooses from
select
    crosswalk.golden_id,
    organisation.*
from standardised.organisation as organisation
inner join golden.crosswalk as crosswalk
    on organisation.record_key = crosswalk.record_key and crosswalk.entity = 'organisation'
