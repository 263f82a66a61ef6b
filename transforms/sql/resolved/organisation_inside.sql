-- resolved.organisation_inside: the compared pairs inside each component, what refinement judges.
-- grain:  one row per compared pair of one component
-- key:    component, l, r
-- inputs: resolved.organisation_component, resolved.organisation_pair
-- why:    pairs below the threshold are kept here: they are what cuts a wrong bridge
select
    component.component,
    pair.l,
    pair.r,
    pair.weight
from resolved.organisation_pair as pair
inner join resolved.organisation_component as component on pair.l = component.rid
inner join resolved.organisation_component as other on pair.r = other.rid and component.component = other.component
