"""Random histories in which people and pipeline edit the same records, and what came of every edit of a person.

Belongs here: making histories, and a judge that knows nothing of the merge: it remembers who set a value last.
Does not: the merge (assets/publishing/merge.py), receipts (publish.py).
Surprise: a person's value may be replaced in two cases only: golden had come to the same value in between, so that both
agreed, or the person had set back what we had written. Everything else is an edit lost.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from assets.publishing import mapping, plan
from assets.publishing.crosswalk import Link
from assets.publishing.effects import Draft, taken_over
from assets.publishing.linking import with_agreed
from assets.publishing.merge import Owner, Value
from assets.publishing.mirror import HaloRecord
from sources.halopsa.fields import USER_FIELDS

from orchestration.bench.publish_speed import Tenant

STEPS = 12
OWNERS: Mapping[str, Owner] = dict.fromkeys(mapping.FIELDS[mapping.USER], "pipeline")
FIELDS = ("full_name", "first_name", "last_name", "job_title", "phone", "department")
WORDS = (None, "a", "b", "c", "a long one", "another long one")
CUT = 6  # HaloPSA shortens; what it shows then is ours, not a person's edit


@dataclass
class Tally:
    """What happened in all histories; `lost` and `nulled` name seed and field."""

    histories: int = 0
    human_edits: int = 0
    writes: int = 0
    kept_from_us: int = 0
    lost: tuple[str, ...] = ()
    nulled: tuple[str, ...] = ()

    def figures(self) -> dict[str, Any]:
        """Plain data for a receipt."""
        return asdict(self)


class Judge:
    """Who set each field last. `theirs` holds values of people that nobody may replace."""

    def __init__(self, tally: Tally, label: str) -> None:
        self._tally = tally
        self._label = label
        self._ours: dict[Any, Value] = {}
        self.theirs: dict[Any, Value] = {}

    def edited(self, key: Any, value: Value) -> None:
        """A person set `value`; to put back what we wrote is no edit."""
        self._tally.human_edits += 1
        if value == self._ours.get(key):
            self.theirs.pop(key, None)
        else:
            self.theirs[key] = value

    def published(self, before: Mapping[Any, Value], after: Mapping[Any, Value], golden: Mapping[Any, Value]) -> None:
        """A publishing ended: HaloPSA held `before`, holds `after`, and golden wanted `golden`."""
        for key, value in after.items():
            was, wish = before.get(key), golden.get(key)
            if value != was:
                self._tally.writes += 1
                if value is None and was is not None:
                    self._tally.nulled += (f"{self._label} {key}",)
                if key in self.theirs:
                    self._tally.lost += (f"{self._label} {key}",)
                self._ours[key] = value
            elif key in self.theirs and wish == value and value is not None:
                self._ours[key] = value
                del self.theirs[key]  # both agree, so golden may move on
            elif key in self.theirs and wish is not None:
                self._tally.kept_from_us += 1


def merge_histories(count: int, *, seed: int = 0) -> Tally:
    """`count` histories of one record each, through the plan and the bookkeeping of a write, without HTTP."""
    tally = Tally()
    for number in range(seed, seed + count):
        _merge_history(random.Random(number), Judge(tally, f"seed {number}"))
        tally.histories += 1
    return tally


def _merge_history(dice: random.Random, judge: Judge) -> None:
    is_adopted = dice.random() < 0.5
    halo: dict[str, Value] = {name: dice.choice(WORDS) if is_adopted else None for name in FIELDS}
    golden: dict[str, Value] = dict.fromkeys(OWNERS)
    for name, value in halo.items():
        if value is not None:
            judge.edited(name, value)
    link = Link("con_1", mapping.USER, 7, origin="email" if is_adopted else "created")
    for _ in range(STEPS):
        turn = dice.random()
        name = dice.choice(FIELDS)
        if turn < 0.35:
            golden[name] = dice.choice(WORDS)
        elif turn < 0.6:
            value = dice.choice(WORDS)
            if value != halo[name]:
                halo[name] = value
                judge.edited(name, value)
        else:
            before = dict(halo)
            link = _published(link, halo, golden)
            judge.published(before, halo, golden)


def _published(link: Link, halo: dict[str, Value], golden: Mapping[str, Value]) -> Link:
    now = HaloRecord(mapping.USER, 7, 1, 1, link.golden_id, False, False, dict(halo))
    decision = plan.decide(mapping.USER, golden, link, now, OWNERS, can_stamp=False)
    if isinstance(decision, plan.Update):
        writes = decision.merge.writes
        draft = Draft(
            link.golden_id, "contact", 1, mapping.USER, "update", writes, {}, link, now, decision.merge.agreed
        )
        halo |= {name: value[:CUT] if isinstance(value, str) else value for name, value in writes.items()}
        return taken_over(draft, replace(now, fields=dict(halo)), is_reply=True)[0]
    return with_agreed(link, decision.agreed) if isinstance(decision, plan.Nothing) else link


# -- the whole publisher ------------------------------------------------------------------------------------------

_PEOPLE = 8
_EDITED = ("job_title", "phone", "department")


def publisher_histories(count: int, *, seed: int = 0) -> Tally:
    """`count` histories of eight people each on one simulated tenant, through ledger, publisher and HTTP in memory."""
    tally = Tally()
    with TemporaryDirectory(prefix="halosync-bench-") as folder:
        tenant = Tenant(Path(folder))
        tenant.run("organisation", {"organisation": {"org_1": {"name": "Acme Ltd", "domain": "acme.example"}}})
        for number in range(seed, seed + count):
            _publisher_history(tenant, random.Random(number), f"seed {number}", Judge(tally, f"seed {number}"))
            tally.histories += 1
    return tally


def _publisher_history(tenant: Tenant, dice: random.Random, label: str, judge: Judge) -> None:
    ids = [f"con_{label.split()[1]}_{number}" for number in range(_PEOPLE)]
    golden: dict[str, dict[str, Any]] = {name: _person(name) for name in ids}
    for _ in range(STEPS // 2):
        changed = {name: golden[name] for name in ids if dice.random() < 0.6 or not tenant.user_of(name)}
        for row in changed.values():
            row[dice.choice(_EDITED)] = dice.choice(WORDS)
        before = _held(tenant, ids)
        tenant.run(label, {"contact": {name: dict(row) for name, row in changed.items()}})
        judge.published(
            before, _held(tenant, ids), {(name, field): golden[name].get(field) for name in ids for field in _EDITED}
        )
        for name in ids:
            if dice.random() < 0.4:
                field, value = dice.choice(_EDITED), dice.choice(WORDS)
                user = tenant.user_of(name)
                if (user.get(USER_FIELDS[field]) or None) != value:
                    tenant.simulator.records.edit("Users", user["id"], USER_FIELDS[field], value or "")
                    judge.edited((name, field), value)


def _person(golden_id: str) -> dict[str, Any]:
    return {
        "first_name": "Pat",
        "last_name": golden_id,
        "email": f"{golden_id}@acme.example",
        "email_status": "verified",
        "organisation_golden_id": "org_1",
    }


def _held(tenant: Tenant, ids: list[str]) -> dict[Any, Value]:
    """What HaloPSA holds, by person and field; people it does not have yet hold nothing."""
    users = {name: tenant.user_of(name) for name in ids}
    return {(name, field): users[name].get(USER_FIELDS[field]) or None for name in ids for field in _EDITED}
