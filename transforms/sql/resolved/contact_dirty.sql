-- resolved.contact_dirty: the contacts whose pairs are made again.
-- grain:  one row per source record, gone ones included
-- key:    rid
-- inputs: resolved.contact_changed, resolved.contact_crossing
-- why:    every other pair stays as it was
select rid from resolved.contact_changed
union
select rid from resolved.contact_crossing
