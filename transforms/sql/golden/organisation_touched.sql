-- golden.organisation_touched: the golden organisations that are made again, those that are no more included.
-- grain:  one row per golden id
-- key:    golden_id
-- inputs: golden.organisation_judged, golden.organisation_identity, ops.lock, previous.lock
-- why:    those a judged record belongs or belonged to, those a lock came to or left
with relocked as (
    select record_key from (select * from ops.lock except select * from previous.lock) as fresh
    where entity = 'organisation'
    union
    select record_key from (select * from previous.lock except select * from ops.lock) as revoked
    where entity = 'organisation'
)

select identity.golden_id
from golden.organisation_identity as identity
inner join golden.organisation_judged as judged on identity.record_key = judged.record_key
union
select former_golden_id as golden_id from golden.organisation_judged where former_golden_id is not null
union
select golden_id from golden.organisation_identity where record_key in (select record_key from relocked)
