-- resolved.contact_former_key: the keys that changed contacts had before.
-- grain:  one row per contact, rule and key
-- key:    rid, rule, key
-- inputs: previous.contact_key, resolved.contact_changed
-- why:    the blocks a record has left changed as much as those it joined
select rid, rule, key, refine
from previous.contact_key
where rid in (select rid from resolved.contact_changed)
