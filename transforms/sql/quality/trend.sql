-- quality.trend: R13, what each number usually is, from up to 90 nights before this one.
-- grain:  one row per number that earlier nights have
-- key:    number_id
-- inputs: quality.history, quality.night
-- why:    median and median deviation, which a bad night does not move; weekdays and weekends apart where ten nights of the
--         kind are there. Numbers of a total are judged as a share of it, in millionths
with earlier as (
    select
        history.*,
        case when history.total > 0 then cast(history.value as double) / history.total * 1000000 else cast(history.value as double) end as level,
        dayofweek(history.night) in (0, 6) = (dayofweek(night.night) in (0, 6)) as is_alike
    from quality.history as history
    cross join quality.night as night
    where history.night < night.night and history.night >= night.night - interval 90 day
),

-- The nights there were, whether or not they had this number.
past as (
    select count(distinct night) as nights, count(distinct case when is_alike then night end) as nights_alike from earlier
),

chosen as (
    select earlier.* from earlier cross join past where past.nights_alike < 10 or earlier.is_alike
),

middle as (
    select number_id, median(level) as median from chosen group by number_id
)

select
    chosen.number_id,
    any_value(chosen.metric) as metric,
    any_value(chosen.entity) as entity,
    any_value(chosen.source) as source,
    any_value(chosen.field) as field,
    cast(count(*) as bigint) as nights,
    any_value(middle.median) as median,
    median(abs(chosen.level - middle.median)) as deviation,
    max_by(chosen.value, chosen.night) as last_value,
    max_by(chosen.total, chosen.night) as last_total,
    bool_or(chosen.night = last_night.night) as is_in_last_night
from chosen
inner join middle on chosen.number_id = middle.number_id
cross join (select max(night) as night from earlier) as last_night
group by chosen.number_id
