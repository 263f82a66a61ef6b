"""The guard: a run that would do far more than usual is held before its first write.

Belongs here: measuring a foreseen run against the rules, and the sentence for each objection. Does not: foreseeing
(rehearsal.py), holding (applying.py).
Surprise: records are counted, not writes, for that is what a person thinks in; and a source is measured by the golden
records that name it, because the ledger knows nothing of raw rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from assets.publishing import mapping, mirror
from assets.publishing.ledger import Ledger
from assets.publishing.planned import PlannedEffect
from assets.publishing.rules import Limit, Rules
from assets.publishing.tables import crosswalk, head, outbox

ENTITIES = ("organisation", "contact")
OPERATIONS = ("creates", "updates", "retires")
_COUNTED_AS = {"create": "creates", "update": "updates", "restore": "updates", "deactivate": "retires"}
Counts = Mapping[str, Mapping[str, int]]  # entity -> operation -> records


@dataclass(frozen=True)
class Ground:
    """What a run is measured against. `linked`: golden records with a HaloPSA record; `sources`: live golden records
    that name a source; `read_at`: when the oldest part of the mirror was read, None where that is not known."""

    linked: dict[str, int]
    sources: dict[str, int]
    read_at: datetime | None


def ground(ledger: Ledger) -> Ground:
    with ledger.read() as connection:
        links = sa.select(crosswalk.c.resource, sa.func.count()).group_by(crosswalk.c.resource)
        by_resource: dict[str, int] = {row[0]: row[1] for row in connection.execute(links)}
        named: Counter[str] = Counter()
        groups = sa.select(head.c.sources, sa.func.count()).where(head.c.is_live).group_by(head.c.sources)
        for sources, count in connection.execute(groups):
            named.update(dict.fromkeys(filter(None, sources.split(",")), count))
        read_at = mirror.oldest_walk(connection)
    linked = {entity: by_resource.get(resource, 0) for entity, resource in mapping.MAIN_RESOURCE.items()}
    return Ground(linked, dict(sorted(named.items())), read_at)


def counts_of(effects: Iterable[PlannedEffect]) -> dict[str, dict[str, int]]:
    """Records per entity and operation; one that is created and then completed is a create."""
    done: dict[str, dict[str, str]] = {entity: {} for entity in ENTITIES}
    for effect in effects:
        operation = _COUNTED_AS[effect.operation]
        before = done[effect.entity].get(effect.golden_id)
        done[effect.entity][effect.golden_id] = "creates" if "creates" in (before, operation) else operation
    tallies = {entity: Counter(records.values()) for entity, records in done.items()}
    return {entity: {name: tally[name] for name in OPERATIONS} for entity, tally in tallies.items()}


def most_possible(ledger: Ledger) -> dict[str, dict[str, int]]:
    """The most a run could do, at the price of one query: every record that waits is created, and updated."""
    query = (
        sa.select(outbox.c.entity, outbox.c.action, sa.func.count())
        .where(outbox.c.state.in_(("pending", "planned", "held", "suppressed", "unknown")))
        .group_by(outbox.c.entity, outbox.c.action)
    )
    found = {entity: dict.fromkeys(OPERATIONS, 0) for entity in ENTITIES}
    with ledger.read() as connection:
        for entity, action, count in connection.execute(query):
            for operation in ("creates", "updates") if action == "upsert" else ("retires",):
                found[entity][operation] = count
    return found


def too_much(rules: Rules, counts: Counts, linked: Mapping[str, int]) -> list[str]:
    """One sentence for each limit that `counts` break."""
    found = []
    for entity in ENTITIES:
        for operation in OPERATIONS:
            count, limit = counts[entity][operation], getattr(rules.guard, operation)
            broken = _broken(count, linked[entity], limit, rules.guard.free) if rules.guard.is_on else None
            if broken:
                found.append(f"this run {operation} {count:,} {entity} records {broken}")
    return found


def unfit_ground(rules: Rules, now: Ground, sources_before: Mapping[str, int] | None, at: datetime) -> list[str]:
    """Why nothing should be published whatever it is: a source went away, or nobody knows what HaloPSA holds."""
    if not rules.guard.is_on:
        return []
    found = []
    for source, before in sorted((sources_before or {}).items()):
        count = now.sources.get(source, 0)
        lost = before - count
        if lost > rules.guard.free and (count == 0 or lost > before * rules.guard.source_shrink_max):
            share = f"the guard is {rules.guard.source_shrink_max:.0%}"
            found.append(
                f"{source} stands behind {count:,} golden records, at the last publishing {before:,} ({share})"
            )
    if now.read_at is not None and at - now.read_at > rules.mirror_age_max:
        hours = (at - now.read_at).total_seconds() / 3600
        found.append(f"HaloPSA was last read whole {hours:,.0f} hours ago (the guard is {rules.mirror_age_max_h:g})")
    return found


def _broken(count: int, linked: int, limit: Limit, free: int) -> str | None:
    if count > limit.count:
        return f"(the guard is {limit.count:,})"
    if limit.share is not None and count > free and count > linked * limit.share:
        share = f"{count / linked:.0%}; " if linked else ""
        return f"of {linked:,} in HaloPSA ({share}the guard is {limit.share:.0%})"
    return None
