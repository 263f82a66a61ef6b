-- quality.field_history: R12, which fields each source had sent, night by night.
-- grain:  one row per night, source, entity and field
-- key:    night, source, entity, field
-- inputs: quality.payload_field, quality.night
-- why:    made again for the same night it replaces that night's rows, so a report may be repeated
select night.night, payload_field.source, payload_field.entity, payload_field.field, payload_field.types
from quality.payload_field as payload_field
cross join quality.night as night
