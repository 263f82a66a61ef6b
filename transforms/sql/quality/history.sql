-- quality.history: R13, every number of every night.
-- grain:  one row per night and number
-- key:    night, number_id
-- inputs: quality.judged, quality.night
-- why:    made again for the same night it replaces that night's rows, so a report may be repeated
select night.night, judged.section, judged.metric, judged.entity, judged.source, judged.field, judged.number_id, judged.value, judged.total, judged.severity
from quality.judged as judged
cross join quality.night as night
