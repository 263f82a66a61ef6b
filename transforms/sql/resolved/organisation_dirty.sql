-- resolved.organisation_dirty: the organisations whose pairs are made again.
-- grain:  one row per source record, gone ones included
-- key:    rid
-- inputs: resolved.organisation_changed, resolved.organisation_crossing
-- why:    every other pair stays as it was
select rid from resolved.organisation_changed
union
select rid from resolved.organisation_crossing
