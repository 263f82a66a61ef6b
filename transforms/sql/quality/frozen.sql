-- quality.frozen: R10, for how many nights in a row each source has said exactly the same.
-- grain:  one row per entity and source
-- key:    entity, source
-- inputs: quality.number, quality.history, quality.night
-- why:    a vendor that changes nothing for days has not become perfect: a filter, a page or a key has broken
select
    number.entity,
    number.source,
    cast(count(distinct history.night) as bigint) as nights
from quality.number as number
cross join quality.night as night
left join quality.history as history
    on number.number_id = history.number_id
    and history.night < night.night
    and history.value = number.value
    and history.night > coalesce(
        (
            select max(other.night)
            from quality.history as other
            where other.number_id = number.number_id and other.value <> number.value and other.night < night.night
        ),
        date '1970-01-01'
    )
where number.metric = 'digest'
group by number.entity, number.source
