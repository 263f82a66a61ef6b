"""Planning, applying and publishing as whole acts: what the verbs and the asset call.

Belongs here: a plan made and kept, a plan applied once, a guarded run. Does not: foreseeing (rehearsal.py), measuring
(guard.py), publishing itself (publisher.py).
Surprise: `publish_guarded` decides each update on a fresh read and not on what was foreseen, so it never refuses a
record because HaloPSA moved in between; only `apply` is bound to a plan that somebody has read.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sources.clock import Clock

from assets.publishing import guard, outbox, planfile, plans, rehearsal, states
from assets.publishing.halo import Halo
from assets.publishing.ledger import Ledger, next_stamp
from assets.publishing.planfile import Plan, PlanError
from assets.publishing.planned import Checker, Key, Promise
from assets.publishing.publisher import LEASE, publish
from assets.publishing.rules import Rules
from assets.publishing.session import PublishResult

FIRST = "no plan was ever applied to this account; look at one (halosync plan --out FILE), then: halosync apply FILE"


class Held(Exception):
    """Nothing was sent, on purpose. Exit code 4."""

    def __init__(self, objections: list[str], remedy: str) -> None:
        self.objections = objections
        super().__init__(f"Held before the first write: {'; '.join(objections)}. Nothing was sent. {remedy}")


@dataclass(frozen=True)
class Drift:
    """A write that was planned and not sent, or would have been sent and was not planned."""

    golden_id: str
    resource: str
    operation: str
    reason: str
    is_planned: bool


@dataclass
class Applied:
    result: PublishResult
    drift: list[Drift] = field(default_factory=list)


def make_plan(
    ledger: Ledger, clock: Clock, halo: Halo, rules: Rules, *, with_values: bool = False, is_kept: bool = True
) -> Plan:
    """Foresee a run; nothing is written to HaloPSA. A plan that is kept can be applied, and its records are `planned`.

    Raises:
        LedgerBusy: a run is publishing; what it does would be missing from the plan.
        VendorError: HaloPSA could not be read.
    """
    secret = secrets.token_hex(32)
    with ledger.lease(LEASE):
        foreseen = rehearsal.rehearse(ledger, clock, halo, rules, is_exact=True)
    counts, ground = guard.counts_of(foreseen.effects), guard.ground(ledger)
    made_at = clock.now()
    plan = planfile.compose(
        foreseen.effects,
        secret=secret,
        nonce=secrets.token_hex(8),
        made_at=made_at,
        expires_at=made_at + rules.plan_age_max,
        counts=counts,
        states=foreseen.states,
        waiting=foreseen.waiting,
        problems=foreseen.problems,
        held_by=_objections(ledger, clock, rules, counts, ground),
        with_values=with_values,
    )
    if is_kept:
        with ledger.transaction() as connection:
            plans.add(
                connection,
                plan_id=plan["plan_id"],
                made_at=made_at,
                expires_at=made_at + rules.plan_age_max,
                records=counts,
                sources=ground.sources,
                secret=secret,
            )
            outbox.mark_planned(connection, sorted({effect.golden_id for effect in foreseen.effects}))
    return plan


def apply_plan(
    ledger: Ledger,
    clock: Clock,
    halo: Halo,
    rules: Rules,
    plan: Plan,
    *,
    run_id: str,
    is_overriding: bool = False,
    **options: Any,
) -> Applied:
    """Send exactly the effects of `plan`, once; records that drifted are left alone and listed.

    `options` go to `publish`: progress, time_s_max, reach.

    Raises:
        PlanError: the plan is used up, too old, or of another ledger.
        Held: the guard objects, and `is_overriding` is not set.
        LedgerBusy: another run is publishing.
    """
    ground = guard.ground(ledger)
    known = _usable(ledger, clock, plan)
    objections = _objections(ledger, clock, rules, plan["counts"], ground)
    if objections and not is_overriding:
        raise Held(objections, "If the plan is right: halosync apply FILE --override-guard.")
    promises = planfile.promises(plan)
    checker = Checker(ledger, promises, known.secret)
    with ledger.transaction() as connection:
        plans.begin(connection, known.plan_id, run_id=run_id)
    result = publish(ledger, clock, halo, run_id=run_id, rules=rules, gate=checker, **options)
    with ledger.transaction() as connection:
        plans.end(connection, known.plan_id, at=next_stamp(connection, clock), sources=ground.sources)
    return Applied(result, _drift(ledger, promises, checker))


def publish_guarded(
    ledger: Ledger,
    clock: Clock,
    halo: Halo,
    rules: Rules,
    *,
    run_id: str,
    is_overriding: bool = False,
    **options: Any,
) -> PublishResult:
    """Publish what waits, unless the guard objects to what a rehearsal on the mirror foresees.

    Raises:
        Held: the guard objects, or nothing was ever planned for this account; nothing was sent.
        LedgerBusy: another run is publishing.
    """
    with ledger.read() as connection:
        is_first = rules.plan_first and plans.is_first(connection)
        sources_before = plans.sources_before(connection)
    if is_first:
        raise Held([FIRST], "Until then changes wait in the outbox.")
    ground = guard.ground(ledger)
    counts: guard.Counts = guard.most_possible(ledger)
    if guard.too_much(rules, counts, ground.linked):
        counts = guard.counts_of(rehearsal.rehearse(ledger, clock, halo, rules, is_exact=False).effects)
    objections = _objections(ledger, clock, rules, counts, ground)
    if objections and not is_overriding:
        raise Held(
            objections,
            "Look at it: halosync plan. If it is right: halosync publish --override-guard. The guard is in the "
            "publishing rules (PUBLISHING_FILE).",
        )
    result = publish(ledger, clock, halo, run_id=run_id, rules=rules, **options)
    if result.writes or ground.sources != sources_before:
        with ledger.transaction() as connection:
            at = next_stamp(connection, clock)  # strictly later than the one before, so that the last is known
            plans.add(
                connection,
                plan_id=f"direct:{run_id}:{secrets.token_hex(4)}",
                made_at=at,
                expires_at=at,
                records=counts,
                sources=ground.sources,
                state="direct",
                run_id=run_id,
            )
    return result


def _objections(ledger: Ledger, clock: Clock, rules: Rules, counts: guard.Counts, ground: guard.Ground) -> list[str]:
    with ledger.read() as connection:
        before = plans.sources_before(connection)
    return [
        *guard.too_much(rules, counts, ground.linked),
        *guard.unfit_ground(rules, ground, before, clock.now()),
    ]


def _usable(ledger: Ledger, clock: Clock, plan: Plan) -> plans.Known:
    with ledger.read() as connection:
        known = plans.find(connection, plan["plan_id"])
    again = "Make a new one: halosync plan."
    if known is None:
        raise PlanError(f"This plan was made on another ledger. {again}")
    if known.state != "made":
        when = f" on {known.applied_at:%Y-%m-%d %H:%M} UTC" if known.applied_at else ""
        raise PlanError(f"This plan was applied already{when}; a plan is used once. {again}")
    if clock.now() > known.expires_at:
        raise PlanError(f"This plan expired on {known.expires_at:%Y-%m-%d %H:%M} UTC. {again}")
    return known


def _drift(ledger: Ledger, promises: Mapping[Key, Promise], checker: Checker) -> list[Drift]:
    """Refused writes, then planned ones that no longer came up, each with what is known of the record now."""
    refused = [Drift(*key, reason, is_planned=key in promises) for key, reason in checker.refused.items()]
    missing = [key for key in promises if key not in checker.passed and key not in checker.refused]
    with ledger.read() as connection:
        now = states.by_ids(connection, sorted({golden_id for golden_id, *_ in missing}))
    for key in missing:
        record = now.get(key[0])
        said = (
            "it is gone from golden" if record is None else f"{record.state}: {record.reason or 'nothing left to do'}"
        )
        refused.append(Drift(*key, f"no longer due, the record is {said}", is_planned=True))
    return sorted(refused, key=lambda one: (one.golden_id, one.resource, one.operation))
