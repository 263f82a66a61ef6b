-- resolved.organisation_reopened: the organisations whose cluster is judged again.
-- grain:  one row per source record, gone ones included
-- key:    rid
-- inputs: resolved.organisation_dirty, resolved.organisation_component, previous.organisation_cluster
-- why:    a dirty record touches the component it was in and the one it is in; no other cluster can change
with former_component as (
    select component
    from previous.organisation_cluster
    where component is not null and rid in (select rid from resolved.organisation_dirty)
    group by component
),

affected as (
    select rid from resolved.organisation_dirty
    union
    select rid from previous.organisation_cluster where component in (select component from former_component)
),

open_component as (
    select component from resolved.organisation_component where rid in (select rid from affected) group by component
)

select rid from affected
union
select rid from resolved.organisation_component where component in (select component from open_component)
