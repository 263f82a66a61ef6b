"""Plans against what happened, in seeded worlds in which people and pipeline change things around a plan.

Belongs here: judging one world. Does not: making it (planned_world.py), the bench that runs thousands (its verb), the
promises of single cases (tests/assets/publishing/test_planning.py).
Surprise: what happened is judged twice: by the effects in the ledger, and by comparing every cell of the simulated
HaloPSA before and after; a write that no effect explains would show there.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assets.publishing import planned
from assets.publishing.planfile import Plan, PlanError

from orchestration.bench.planned_world import Row, World


@dataclass
class Verdict:
    """What one world showed; `faults` is empty where every promise held."""

    seed: int
    effects: int = 0
    drift: int = 0
    faults: list[str] = field(default_factory=list)


def judge(seed: int) -> Verdict:
    """Plan, let things move in half of the worlds, apply, and compare; then plan and apply until all is at rest."""
    with tempfile.TemporaryDirectory(prefix="halosync-") as folder:
        world = World(Path(folder), seed)
        try:
            return _judge(world, Verdict(seed))
        finally:
            world.ledger.close()


def _judge(world: World, verdict: Verdict) -> Verdict:
    world.move()
    world.move()
    plan = world.plan()
    verdict.effects = len(plan["effects"])
    is_quiet = world.dice.random() < 0.5
    if not is_quiet:
        world.move()
    _compare(world, plan, verdict, is_quiet=is_quiet)
    try:
        world.apply(plan)
        verdict.faults.append("a plan was applied twice")
    except PlanError:
        pass
    rest = world.plan()
    if is_quiet and rest["effects"]:
        verdict.faults.append(f"{len(rest['effects'])} effects were left after all was applied")
    _compare(world, rest, verdict, is_quiet=True)
    before = world.cells()
    last = world.plan()
    if last["effects"] or world.apply(last).result.writes or world.cells() != before:
        verdict.faults.append("a second apply wrote something")
    return verdict


def _compare(world: World, plan: Plan, verdict: Verdict, *, is_quiet: bool) -> None:
    before, mark = world.cells(), world.last_effect()
    applied = world.apply(plan)
    after, actual = world.cells(), world.effects_since(mark)
    predicted = {_key(item): {name: both["after"] for name, both in item["fields"].items()} for item in plan["effects"]}
    drifted = {(one.golden_id, one.resource, one.operation) for one in applied.drift if one.is_planned}
    verdict.drift += len(applied.drift)
    for key, values in actual.items():
        if predicted.get(key) != values:
            verdict.faults.append(f"{key} was written otherwise than planned")
    if set(predicted) - set(actual) != drifted:
        verdict.faults.append("what was not done is not what is listed as drift")
    if is_quiet and applied.drift:
        verdict.faults.append(f"drift although nothing moved: {applied.drift[0].reason}")
    unexplained = _changed(before, after) - world.explained(actual)
    if unexplained:
        verdict.faults.append(f"cells changed that no effect explains: {sorted(unexplained)[:3]}")


def _changed(before: dict[tuple[str, int, str], Any], after: dict[tuple[str, int, str], Any]) -> set[tuple[str, int]]:
    return {(key[0], key[1]) for key in before | after if before.get(key) != after.get(key)}


def _key(item: Row) -> planned.Key:
    return item["golden_id"], item["resource"], item["operation"]
