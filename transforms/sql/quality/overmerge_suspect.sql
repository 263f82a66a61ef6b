-- quality.overmerge_suspect: R7, golden records that may be two entities, the most doubtful first.
-- grain:  one row per golden record of several records with anything against it
-- key:    entity, golden_id
-- inputs: quality.contact_cluster_shape, quality.organisation_cluster_shape
-- why:    points add up what a person would hold against the cluster; `why` says the heaviest point in words. Equal
--         points are ranked by what all pairs say together, the id breaks ties
with shape as (
    select 'contact' as entity, * from quality.contact_cluster_shape
    union all
    select 'organisation' as entity, * from quality.organisation_cluster_shape
),

pointed as (
    select
        entity,
        golden_id,
        records,
        mean_milli,
        weakest_milli,
        case when mean_milli <= 0 then 6 when mean_milli < 6000 then 2 else 0 end as points_mean,
        case when profiles > 1 then 4 else 0 end as points_profiles,
        case when suffixes > 1 then 3 else 0 end as points_suffixes,
        case when initials > 1 then 2 else 0 end as points_initials,
        case when mailboxes_beside > 0 then 2 else 0 end as points_mailboxes,
        case when names > 1 and sites > 1 then 3 when names > 1 then 1 else 0 end as points_names,
        case when weakest_milli <= -8000 then 3 when weakest_milli <= 0 then 2 else 0 end as points_weakest,
        case when pairs_unmet > 0 then 2 else 0 end as points_unmet,
        case when again > 0 then 1 else 0 end as points_again,
        case when records > 8 then 2 else 0 end as points_size,
        case when is_grown then 1 else 0 end as points_grown
    from shape
),

summed as (
    select
        *,
        points_mean + points_profiles + points_suffixes + points_initials + points_mailboxes + points_names
        + points_weakest + points_unmet + points_again + points_size + points_grown as points
    from pointed
)

select
    entity,
    golden_id,
    cast(points as bigint) as points,
    records,
    mean_milli,
    weakest_milli,
    case
        when points_mean = 6 then 'all its pairs together speak against one entity'
        when points_profiles > 0 then 'two different profiles in one cluster'
        when points_suffixes > 0 then 'two different name suffixes: Jr and Sr'
        when points_names = 3 then 'two names with two web domains'
        when points_weakest > 0 then 'two of its records speak against each other'
        when points_unmet > 0 then 'held together by a bridge: some of its records never met'
        when points_initials > 0 then 'two different initials'
        when points_mailboxes > 0 then 'two mailboxes at one domain'
        when points_size > 0 then 'unusually many records'
        when points_mean > 0 then 'its evidence is thin'
        when points_grown > 0 then 'it swallowed another golden record tonight'
        when points_again > 0 then 'one source holds it twice'
        else 'two spellings of its name'
    end as why,
    'halosync why ' || golden_id as command,
    cast(row_number() over (partition by entity order by points desc, mean_milli, golden_id) as bigint) as place,
    cast(count(*) over (partition by entity) as bigint) as suspects
from summed
where points > 0
