-- resolved.contact_open_key: all keys of the blocks that a dirty contact is in.
-- grain:  one row per contact, rule and key
-- key:    rid, rule, key
-- inputs: resolved.contact_key, resolved.contact_dirty
-- why:    an incremental run opens no other block; in a full run this is the key table itself
with open_block as (
    select rule, key from resolved.contact_key where rid in (select rid from resolved.contact_dirty) group by rule, key
)

select
    contact_key.rid,
    contact_key.rule,
    contact_key.key,
    contact_key.refine,
    dirty.rid is not null as is_dirty
from resolved.contact_key as contact_key
inner join open_block on contact_key.rule = open_block.rule and contact_key.key = open_block.key
left join resolved.contact_dirty as dirty on contact_key.rid = dirty.rid
