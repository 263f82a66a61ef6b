-- quality.field_drift: R12, fields that are new, gone or of another type since the last night before this one.
-- grain:  one row per source, entity and field that drifted
-- key:    source, entity, field
-- inputs: quality.payload_field, quality.field_history, quality.night
-- why:    `new_ever` was never seen on any night; on the first night nothing has drifted
with last_night as (
    select max(field_history.night) as night
    from quality.field_history as field_history
    cross join quality.night as night
    where field_history.night < night.night
),

former as (
    select field_history.*
    from quality.field_history as field_history
    inner join last_night on field_history.night = last_night.night
),

ever as (
    select distinct field_history.source, field_history.entity, field_history.field
    from quality.field_history as field_history
    cross join quality.night as night
    where field_history.night < night.night
)

select
    coalesce(present.source, former.source) as source,
    coalesce(present.entity, former.entity) as entity,
    coalesce(present.field, former.field) as field,
    case
        when present.field is null then 'gone'
        when former.field is null and ever.field is null then 'new_ever'
        when former.field is null then 'back'
        else 'retyped'
    end as drift,
    former.types as types_before,
    present.types
from quality.payload_field as present
full outer join former on present.source = former.source and present.entity = former.entity and present.field = former.field
left join ever on present.source = ever.source and present.entity = ever.entity and present.field = ever.field
cross join last_night
where last_night.night is not null
  and (present.field is null or former.field is null or present.types is distinct from former.types)
