-- resolved.organisation_inside: the compared pairs inside each reopened component, what refinement judges.
-- grain:  one row per compared pair of one component
-- key:    component, l, r
-- inputs: resolved.organisation_component, resolved.organisation_pair, resolved.organisation_reopened, resolved.organisation_feature
-- why:    pairs below the threshold are kept here: they are what cuts a wrong bridge; what a pair tells goes
--         with it, so that groups can be weighed as a whole. Copies are judged as their first record is. An
--         employer named beside a contact (source:name:…, source:domain:…) is no record of that source: that it
--         writes one employer in two ways does not say "two", so such a pair is of no source ('')
with reopened as (
    select
        component.rid,
        component.component,
        case
            when substr(feature.record_key, length(feature.source) + 1, 6) = ':name:' then ''
            when substr(feature.record_key, length(feature.source) + 1, 8) = ':domain:' then ''
            else feature.source
        end as source
    from resolved.organisation_component as component
    inner join resolved.organisation_reopened as reopened on component.rid = reopened.rid
    inner join resolved.organisation_feature as feature on component.rid = feature.rid
    where component.rid = component.judged_as
)

select
    reopened.component,
    pair.l,
    pair.r,
    pair.weight,
    pair.pattern,
    least(reopened.source, other.source) as source_low,
    case when least(reopened.source, other.source) = '' then '' else greatest(reopened.source, other.source) end
        as source_high
from resolved.organisation_pair as pair
inner join reopened on pair.l = reopened.rid
inner join reopened as other on pair.r = other.rid and reopened.component = other.component
