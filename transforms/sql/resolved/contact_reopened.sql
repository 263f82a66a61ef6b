-- resolved.contact_reopened: the contacts whose cluster is judged again.
-- grain:  one row per source record, gone ones included
-- key:    rid
-- inputs: resolved.contact_dirty, resolved.contact_component, previous.contact_cluster
-- why:    a dirty record touches the component it was in and the one it is in; no other cluster can change
with former_component as (
    select component
    from previous.contact_cluster
    where component is not null and rid in (select rid from resolved.contact_dirty)
    group by component
),

affected as (
    select rid from resolved.contact_dirty
    union
    select rid from previous.contact_cluster where component in (select component from former_component)
),

open_component as (
    select component from resolved.contact_component where rid in (select rid from affected) group by component
)

select rid from affected
union
select rid from resolved.contact_component where component in (select component from open_component)
