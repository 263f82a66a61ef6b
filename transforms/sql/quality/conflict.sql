-- quality.conflict: R6, where sources contradicted each other and which rule decided.
-- grain:  one row per entity, field and rule
-- key:    entity, field, rule
-- inputs: golden.provenance
-- why:    outvoted is a cell whose losers agree with each other twice or more: the value that lost has more voices than
--         the one that won, which is where survivorship may be regretted
with cell as (
    select
        case when provenance.golden_id like 'con!_%' escape '!' then 'contact' else 'organisation' end as entity,
        provenance.golden_id,
        provenance.field,
        provenance.rule,
        coalesce(provenance.losers, '[]') as losers
    from golden.provenance as provenance
),

lost as (
    select golden_id, field, unnest(cast(json_extract_string(losers, '$[*][1]') as varchar[])) as value
    from cell
    where losers <> '[]'
),

outvoted as (
    select distinct golden_id, field
    from (select golden_id, field, value from lost group by golden_id, field, value having count(*) > 1) as twice
)

select
    cell.entity,
    cell.field,
    cell.rule,
    cast(count(*) as bigint) as cells,
    cast(count(*) filter (where cell.losers <> '[]') as bigint) as contested,
    cast(count(outvoted.golden_id) as bigint) as outvoted
from cell
left join outvoted on cell.golden_id = outvoted.golden_id and cell.field = outvoted.field
group by cell.entity, cell.field, cell.rule
