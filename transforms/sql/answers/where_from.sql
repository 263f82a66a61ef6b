-- answers.where_from: where does this value come from, and what lost to it?
-- grain:  one row per golden cell
-- key:    golden_id, field
-- inputs: golden.provenance
-- why:    a wrong value is mended at its source, or by a rule or a lock
select
    golden_id,
    field,
    value,
    split_part(record_key, ':', 1) as source,
    record_key,
    rule,
    json_array_length(losers) as losers
from golden.provenance
