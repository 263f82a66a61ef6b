-- resolved.organisation_former_key: the keys that changed organisations had before.
-- grain:  one row per organisation, rule and key
-- key:    rid, rule, key
-- inputs: previous.organisation_key, resolved.organisation_changed
-- why:    the blocks a record has left changed as much as those it joined
select rid, rule, key, refine
from previous.organisation_key
where rid in (select rid from resolved.organisation_changed)
