-- resolved.contact_copy: exact copies beyond sixteen, each with the first record of its kind.
-- grain:  one row per source record that says what sixteen others and more say, but for the first of them
-- key:    rid
-- inputs: resolved.contact_key, resolved.contact_feature, ops.contact_decision
-- why:    so many copies overflow every block they share and would never meet. Each is compared to the first alone
--         (candidate) and judged as it is (component); one that somebody decided on is judged by itself
with decided as (
    select record_key_l as record_key from ops.contact_decision
    union
    select record_key_r as record_key from ops.contact_decision
),

many as (
    select key, min(rid) as first_rid
    from resolved.contact_key
    where rule = 'copy'
    group by key
    having count(*) > 16
)

select
    feature.rid,
    many.first_rid,
    decided.record_key is not null as is_decided
from many
inner join resolved.contact_key as copy_key on many.key = copy_key.key and copy_key.rule = 'copy'
inner join resolved.contact_feature as feature on copy_key.rid = feature.rid
left join decided on feature.record_key = decided.record_key
where feature.rid != many.first_rid
