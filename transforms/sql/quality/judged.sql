-- quality.judged: every number with its section, its unit, what it usually is, and how grave it is.
-- grain:  one row per number, and per number that the last nights had and this one lacks
-- key:    number_id
-- inputs: quality.number, quality.frozen, quality.self_check, quality.metric, quality.trend
-- why:    a limit of the catalogue comes first; else, after seven nights, what lies outside of six robust deviations (and
--         of three roots of the count, which is what chance allows) is a warning. A number that vanished counts as zero
with present as (
    select metric, entity, source, field, number_id, value, total from quality.number
    union all
    select 'frozen_nights' as metric, entity, source, '' as field, 'frozen_nights/' || entity || '/' || source as number_id, nights as value, cast(null as bigint) as total
    from quality.frozen
    union all
    select 'self_check' as metric, '' as entity, '' as source, '' as field, 'self_check' as number_id, count(*) filter (where differs) as value, count(*) as total
    from quality.self_check
),

counted as (
    select * from present
    union all
    select metric, entity, source, field, number_id, cast(0 as bigint) as value, last_total as total
    from quality.trend
    where is_in_last_night and number_id not in (select number_id from present)
),

levelled as (
    select
        counted.*,
        metric.section,
        metric.unit,
        metric.error_above,
        metric.warn_above,
        metric.is_controlled and (metric.controlled_field is null or regexp_matches(counted.field, metric.controlled_field)) as is_controlled,
        trend.nights,
        trend.median,
        trend.deviation,
        case when counted.total > 0 then cast(counted.value as double) / counted.total * 1000000 else cast(counted.value as double) end as level,
        case
            when counted.total > 0 then 3 * sqrt(greatest(trend.median, 1000000.0 / counted.total) * greatest(1000000 - trend.median, 0) / counted.total)
            else 3 * sqrt(greatest(trend.median, 1))
        end as chance
    from counted
    inner join quality.metric as metric on counted.metric = metric.metric
    left join quality.trend as trend on counted.number_id = trend.number_id
),

bounded as (
    select *, greatest(6 * 1.4826 * deviation, chance, 0.02 * median) as slack from levelled
)

select
    section,
    metric,
    entity,
    source,
    field,
    number_id,
    value,
    total,
    unit,
    coalesce(nights, 0) as nights,
    median,
    case when nights >= 7 then median - slack end as limit_low,
    case when nights >= 7 then median + slack end as limit_high,
    case
        when value > error_above then 'error'
        when value > warn_above then 'warning'
        when is_controlled and nights >= 7 and abs(level - median) > slack then 'warning'
        else 'ok'
    end as severity,
    case
        when value > error_above then 'over the limit of ' || error_above
        when value > warn_above then 'over the limit of ' || warn_above
        when is_controlled and nights >= 7 and level - median > slack then 'higher than on ' || nights || ' nights before'
        when is_controlled and nights >= 7 and median - level > slack then 'lower than on ' || nights || ' nights before'
    end as reason
from bounded
