-- quality.work_list: R15, the twenty fixes that gain most records, with who does them and how to begin.
-- grain:  one row per fix
-- key:    number_id
-- inputs: quality.judged, quality.metric, quality.trend
-- why:    only numbers whose rows a person can mend. `before` is the number of the last night that had it: smaller now is
--         work done
select
    cast(row_number() over (order by judged.value desc, judged.number_id) as bigint) as place,
    judged.number_id,
    judged.section,
    judged.value as records_gained,
    case when trend.is_in_last_night then trend.last_value end as before,
    case
        when not coalesce(trend.is_in_last_night, false) then 'new'
        when judged.value < trend.last_value then 'under way'
        else 'open'
    end as state,
    metric.owner,
    replace(metric.command, '{id}', judged.number_id) as command
from quality.judged as judged
inner join quality.metric as metric on judged.metric = metric.metric
left join quality.trend as trend on judged.number_id = trend.number_id
where metric.owner is not null
  and judged.value > 0
  and (metric.work_field is null or regexp_matches(judged.field, metric.work_field))
  and judged.source <> 'golden'
qualify row_number() over (order by judged.value desc, judged.number_id) <= 20
