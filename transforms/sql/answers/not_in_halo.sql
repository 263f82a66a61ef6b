-- answers.not_in_halo: what is not in HaloPSA, and why?
-- grain:  one row per golden record whose newest version HaloPSA does not have
-- key:    golden_id, action
-- inputs: ops.outbox
-- why:    the reason is a sentence with what to do; `suppressed` is by rule, `held` waits for a person
select golden_id, entity, action, state, reason, error_class, remedy, attempts
from ops.outbox
where state != 'published'
