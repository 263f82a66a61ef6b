"""The publisher: bring HaloPSA to the state of the ledger, organisations before contacts, one effect per change.

Belongs here: the order of a run, and planning and sending records slice by slice.
Does not: the protocol of one write (effects.py), lost outcomes (recover.py), existing records (adoption.py),
retiring (retire.py), field rules (merge.py, mapping.py).
Surprise: payloads are made at the moment of sending from the newest head; an outbox row is a reminder, not a message.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace

import sqlalchemy as sa
from sources.clock import Clock
from sources.http import VendorError

from assets.publishing import (
    adoption,
    audience,
    crosswalk,
    heads,
    linking,
    mapping,
    mirror,
    outbox,
    plan,
    reasons,
    recover,
    restoring,
    retire,
    updates,
    work,
)
from assets.publishing.crosswalk import Link
from assets.publishing.effects import Draft, EffectLog, Sent
from assets.publishing.halo import Halo
from assets.publishing.heads import Head
from assets.publishing.ledger import Ledger, chunked
from assets.publishing.merge import Value
from assets.publishing.outbox import Verdict
from assets.publishing.planned import Gate
from assets.publishing.rules import Rules, demo_rules
from assets.publishing.session import Progress, PublishResult, Session, Stopped, verdict_of
from assets.publishing.tables import mark
from assets.publishing.updates import Change

SLICE_ROWS = 50  # creates made durable together; after a death so many must be looked up at most
ROUNDS_MAX = 3  # a record proven absent is planned again in the same run, but not for ever
LEASE = "publish"
MUST_RECONCILE = "must_reconcile"  # a mark that a restore of the ledger sets and reconcile.py clears


def publish(
    ledger: Ledger,
    clock: Clock,
    halo: Halo,
    *,
    run_id: str,
    rules: Rules | None = None,
    progress: Progress = lambda label, done, total: None,
    time_s_max: float | None = None,
    gate: Gate = lambda draft: None,
    reach: Callable[[str], None] = lambda failpoint: None,
) -> PublishResult:
    """Publish everything that waits in the outbox. A run killed anywhere is taken up by the next one.

    `rules` are those of publishing.toml; without them everybody is published, as in the demo. `gate` is asked before
    each write and may refuse it. `time_s_max` bounds the run on `clock`; the rest stays in the outbox and is counted as
    `remaining`. `progress` gets (entity, done, total).

    Raises:
        LedgerBusy: another run is publishing.
    """
    with ledger.lease(LEASE) as lease:
        session = Session(
            ledger=ledger,
            clock=clock,
            halo=halo,
            log=EffectLog(ledger, clock, halo, lease, run_id, reach),
            reach=reach,
            progress=progress,
            rules=rules or demo_rules(),
            gate=gate,
            deadline_at=None if time_s_max is None else clock.time() + time_s_max,
        )
        with ledger.read() as connection:
            session.suspects = outbox.failed_before(connection)
        try:
            _require_mirror(session)
            recover.clear_up(session)
            linking.inherit_from_merged(session)
            restoring.fulfil(session)
            for entity in ("organisation", "contact"):
                if session.rules.mode_of(entity) == "off":
                    audience.close(session, entity, "upsert", reasons.SWITCHED_OFF)
                else:
                    _publish_entity(session, entity)
            for entity in ("contact", "organisation"):
                if session.rules.mode_of(entity) == "tracked":
                    retire.retire_entity(session, entity)
                else:
                    audience.close(session, entity, "retire", reasons.NOT_TRACKED)
            recover.clear_up(session)
            with ledger.transaction() as connection:
                work.renew_merges(connection, at=clock.now(), run_id=run_id)
        except (VendorError, Stopped) as error:
            session.result.problems.append(f"Publishing stopped early: {error}. What was not sent waits in the outbox.")
        return _concluded(session)


def _require_mirror(session: Session) -> None:
    """Without knowing what Halo holds, every create could double a record that people made."""
    with session.ledger.read() as connection:
        missing = mirror.never_walked(connection)
        walked_at = mirror.oldest_walk(connection)
        is_restored = connection.scalar(sa.select(mark.c.value).where(mark.c.name == MUST_RECONCILE))
    if is_restored:
        raise Stopped("The ledger was restored from a backup and HaloPSA may have moved on; first: halosync reconcile")
    if walked_at is not None and session.clock.now() - walked_at > session.rules.mirror_age_max:
        raise Stopped(
            f"What HaloPSA holds was last read on {walked_at:%Y-%m-%d %H:%M} UTC, longer ago than mirror_age_max_h "
            "allows; first: halosync reconcile"
        )
    if missing:
        raise Stopped(f"HaloPSA's {', '.join(missing)} were never read whole, so existing records cannot be told")


def _publish_entity(session: Session, entity: str) -> None:
    for round_ in range(ROUNDS_MAX):
        adoption.adopt(session, entity)
        if round_ == 0:
            audience.review(session, entity)
        with session.ledger.read() as connection:
            states = outbox.READY if round_ == 0 else outbox.UNSENT
            waiting = list(outbox.waiting(connection, entity, "upsert", states))
            last = outbox.forbidden(connection)  # else a client we may not write would stop the run before all others
        waiting.sort(key=last.__contains__)
        gathered: dict[str, list[Change]] = defaultdict(list)
        for done, ids in enumerate(chunked(waiting, SLICE_ROWS)):
            session.progress(entity, done * SLICE_ROWS, len(waiting))
            session.check_brakes()
            for change in _publish_slice(session, entity, ids):
                gathered[change.link.resource].append(change)
            if sum(map(len, gathered.values())) >= updates.GATHERED_MAX:
                updates.send_gathered(session, gathered)
                gathered.clear()
        updates.send_gathered(session, gathered)
        session.progress(entity, len(waiting), len(waiting))
        if not recover.clear_up(session):
            return


def _publish_slice(session: Session, entity: str, ids: list[str]) -> list[Change]:
    """Create what is missing, and give back what needs an update."""
    with session.ledger.read() as connection:
        found = heads.by_ids(connection, ids)
    verdicts: dict[str, Verdict] = {}
    changes: list[Change] = []
    todo = []
    for head in found.values():
        reason = session.adoption_holds.get(head.golden_id)
        if reason is None:
            todo.append(head)
        else:
            verdicts[head.golden_id] = Verdict(head.version, "held", reason)
    try:
        if entity == "organisation":
            changes += _stage(session, mapping.CLIENT, todo, _wanted(mapping.CLIENT, todo), verdicts)
            sited = linking.main_sites(session, [head for head in todo if head.golden_id not in verdicts], verdicts)
            changes += _stage(session, mapping.SITE, sited, _wanted(mapping.SITE, sited), verdicts)
        else:
            placed = linking.places(session, todo, verdicts)
            wanted = {
                head.golden_id: mapping.desired(
                    mapping.USER,
                    audience.released(session.rules.audience, head.content),
                    site_id=placed[head.golden_id],
                )
                for head in todo
                if head.golden_id in placed
            }
            changes += _stage(
                session, mapping.USER, [head for head in todo if head.golden_id in placed], wanted, verdicts
            )
        changes = [replace(change, is_held=change.head.golden_id in verdicts) for change in changes]
        unfinished = {change.head.golden_id for change in changes}
        for head in todo:
            if head.golden_id not in unfinished:
                verdicts.setdefault(head.golden_id, Verdict(head.version, "published"))
    except (VendorError, Stopped):
        session.settle(verdicts)
        raise
    session.settle(verdicts)
    return changes


def _wanted(resource: str, todo: list[Head]) -> dict[str, dict[str, Value]]:
    return {head.golden_id: mapping.desired(resource, head.content) for head in todo}


def _stage(
    session: Session,
    resource: str,
    todo: list[Head],
    wanted: Mapping[str, Mapping[str, Value]],
    verdicts: dict[str, Verdict],
) -> list[Change]:
    """Create what one resource of the slice lacks; gives back what seems to need an update."""
    with session.ledger.read() as connection:
        links = crosswalk.by_ids(connection, resource, [head.golden_id for head in todo])
        known = mirror.by_ids(connection, resource, [link.halo_id for link in links.values()])
        places = {site for one in wanted.values() if isinstance(site := one.get("site_id"), int)}
        prospect_sites = mirror.prospect_sites(connection, sorted(places))
    drafts: list[Draft] = []
    changes: list[Change] = []
    agreed: list[Link] = []
    stamp_field = session.stamp_field(resource) if todo else None
    owners = session.rules.owners_of(resource)
    mode = session.rules.mode_of(todo[0].entity) if todo else "off"
    for head in todo:
        link = links.get(head.golden_id)
        now = None if link is None else known.get(link.halo_id)
        decision = plan.decide(resource, wanted[head.golden_id], link, now, owners, can_stamp=stamp_field is not None)
        if isinstance(decision, plan.Hold):
            verdicts[head.golden_id] = Verdict(head.version, "held", decision.reason)
        elif isinstance(decision, plan.Create) and mode == "update_only":
            verdicts[head.golden_id] = Verdict(head.version, "suppressed", reasons.UPDATE_ONLY)
        elif isinstance(decision, plan.Create):
            is_prospect = decision.values.get("site_id") in prospect_sites
            drafts.append(_create_draft(head, resource, decision, stamp_field, is_prospect=is_prospect))
        elif link is not None and isinstance(decision, plan.Update):
            if resource == mapping.SITE and head.golden_id in session.fresh_sites:
                drafts.append(updates.draft_of(session, head, link, decision, now, {}))
            elif mode == "create_only":
                verdicts[head.golden_id] = Verdict(head.version, "suppressed", reasons.CREATE_ONLY)
            else:
                changes.append(Change(head, link, wanted[head.golden_id]))
        elif link is not None and isinstance(decision, plan.Nothing) and decision.agreed:
            agreed.append(linking.with_agreed(link, decision.agreed))
    if agreed:
        with session.ledger.transaction() as connection:
            crosswalk.save(connection, agreed, session.clock.now())
    _create(session, [draft for draft in drafts if draft.link is None], verdicts)
    verdicts |= updates.send_drafts(session, [draft for draft in drafts if draft.link is not None])
    return changes


def _create_draft(
    head: Head, resource: str, decision: plan.Create, stamp_field: int | None, *, is_prospect: bool
) -> Draft:
    """`is_prospect`: a user whose client is one, and is to be seen as one."""
    return Draft(
        golden_id=head.golden_id,
        entity=head.entity,
        version=head.version,
        resource=resource,
        operation="create",
        values=decision.values,
        body=plan.body_of_create(resource, decision, head.golden_id, stamp_field)
        | ({"is_prospect": True} if is_prospect else {}),
        is_stamping=stamp_field is not None,
    )


def _create(session: Session, drafts: list[Draft], verdicts: dict[str, Verdict]) -> None:
    """Send creates, one request each, between two commits for all of them."""
    drafts = session.admitted(drafts, verdicts)
    if not drafts:
        return
    ids = session.log.begin(drafts)
    done: list[Sent] = []
    try:
        for effect_id, draft in zip(ids, drafts, strict=True):
            session.check_brakes()
            done.append(session.send(effect_id, draft))
    except Stopped:
        session.log.settle(done, unsent=ids[len(done) :])
        verdicts |= {draft.golden_id: Verdict(draft.version, "pending") for draft in drafts[len(done) :]}
        verdicts |= {sent.draft.golden_id: verdict for sent in done if (verdict := verdict_of(sent)) is not None}
        raise
    session.log.settle(done)
    verdicts |= {sent.draft.golden_id: verdict for sent in done if (verdict := verdict_of(sent)) is not None}


def _concluded(session: Session) -> PublishResult:
    result = session.result
    tally = outbox.tally(session.ledger)
    result.created, result.updated = len(session.created), len(session.updated - session.created)
    result.held, result.rejected, result.unknown = tally["held"], tally["rejected"], tally["unknown"]
    result.suppressed = tally["suppressed"]
    result.remaining = tally["pending"] + tally["planned"]
    result.unchanged = max(0, tally["published"] - result.created - result.updated)
    result.waiting = [
        f"{state}: {count} {entity}{'s' if count > 1 else ''}: {sentence}."
        for state, entity, sentence, count in outbox.by_reason(session.ledger)
    ]
    if result.remaining:
        result.problems.append(f"{result.remaining} records wait in the outbox for the next run.")
    return result
