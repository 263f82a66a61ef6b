-- answers.disagreement: on which fields do the sources disagree?
-- grain:  one row per field and winning source that has cells with a loser
-- key:    field, source
-- inputs: golden.provenance
-- why:    shows what an order of sources in the survivorship rules decides, and how often
select
    field,
    split_part(record_key, ':', 1) as source,
    count(*) as cells,
    count(*) filter (where json_array_length(losers) > 0) as disputed
from golden.provenance
where record_key is not null
group by field, split_part(record_key, ':', 1)
