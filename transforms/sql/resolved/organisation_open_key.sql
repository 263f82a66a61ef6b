-- resolved.organisation_open_key: all keys of the blocks that a dirty organisation is in.
-- grain:  one row per organisation, rule and key
-- key:    rid, rule, key
-- inputs: resolved.organisation_key, resolved.organisation_dirty
-- why:    an incremental run opens no other block; in a full run this is the key table itself
with open_block as (
    select rule, key from resolved.organisation_key where rid in (select rid from resolved.organisation_dirty) group by rule, key
)

select
    organisation_key.rid,
    organisation_key.rule,
    organisation_key.key,
    organisation_key.refine,
    dirty.rid is not null as is_dirty
from resolved.organisation_key as organisation_key
inner join open_block on organisation_key.rule = open_block.rule and organisation_key.key = open_block.key
left join resolved.organisation_dirty as dirty on organisation_key.rid = dirty.rid
