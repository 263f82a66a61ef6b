"""Random histories in which people and pipeline edit the same records, and what came of every edit of a person.

Belongs here: making histories, and a judge that knows nothing of the merge: it remembers who set a value last.
Does not: the merge (assets/publishing/merge.py), looking back (overwritten.py), receipts (publish.py).
Surprise: one window no lock closes: a save between our read and our write of the same field. Such a value must be found
in HaloPSA's change log afterwards and be given back; it is no lost edit then. Else a person's value may be replaced in
two cases only: golden had come to the same value in between, so that both agreed, or the person had set back what we
had written. Everything else is an edit lost.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from assets.publishing import mapping, plan
from assets.publishing.crosswalk import Link
from assets.publishing.effects import Draft, taken_over
from assets.publishing.linking import with_agreed
from assets.publishing.merge import Owner, Value
from assets.publishing.mirror import HaloRecord
from assets.publishing.overwritten import Checked, Overwritten, Write, found_in
from sources.halopsa.audit import AuditEntry, Trail
from sources.halopsa.fields import USER_FIELDS, as_text
from sources.halopsa.simulator_names import AGENTS, API_AGENT, PERSON

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
    windows_made: int = 0  # a person saved a field between our read and our write of it
    windows_found: int = 0  # with the person's value, by HaloPSA's change log
    windows_restored: int = 0
    windows_in_doubt: int = 0  # found, but the log does not tell which of several fields; for a person to restore
    windows_wrong: tuple[str, ...] = ()  # missed, or found where there was none

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

    def gone_over(self, key: Any) -> None:
        """What a person just typed is about to be replaced by a write that was decided before."""
        self._tally.windows_made += 1
        self.theirs.pop(key, None)

    def found(self, made: Sequence[tuple[int, str, Value]], found: Sequence[Overwritten]) -> None:
        """What a look at HaloPSA's change log brought, beside what really happened."""
        left = list(made)
        for one in found:
            number = one.write.effect_id
            fits = [gone for gone in left if gone == (number, one.field, one.theirs)]
            fits = fits or [gone for gone in left if gone[2] == one.theirs and not one.is_sure]
            if not fits:
                self._tally.windows_wrong += (f"{self._label} found {one.field} behind write {number}",)
                continue
            left.remove(fits[0])
            self._tally.windows_found += 1
            self._tally.windows_in_doubt += not one.is_sure
        self._tally.windows_wrong += tuple(
            f"{self._label} missed {name} behind write {number}" for number, name, _ in left
        )

    def given_back(self, key: Any, value: Value) -> None:
        """A person's value stands again, and is theirs."""
        self._tally.windows_restored += 1
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


class _Log:
    """HaloPSA's change log of one record, the writes of ours, and what those really went over."""

    def __init__(self, *, is_named: bool) -> None:
        self.trail = Trail(is_whole=True, own_agent_id=API_AGENT)
        self.writes: list[Write] = []
        self.gone_over: list[tuple[int, str, Value]] = []  # (number of our write, field, the person's value)
        self.at = datetime(2026, 1, 5, tzinfo=UTC)
        self._is_named = is_named  # whether it spells fields as we know them

    def changed(self, halo: dict[str, Value], name: str, value: Value, *, by: int) -> None:
        """A field gets a value in HaloPSA."""
        if halo.get(name) == value:
            return
        number, spelled = len(self.trail.entries) + 1, name if self._is_named else None
        before, after = as_text(halo.get(name)), as_text(value)
        self.trail.entries.append(
            AuditEntry(number, "Users", 7, self.at, by, AGENTS[by], spelled, before=before, after=after)
        )
        halo[name] = value

    def wrote(self, draft: Draft) -> None:
        """Our write was applied just now."""
        sent = {**draft.base, **draft.values}
        number = len(self.writes) + 1
        self.writes.append(Write(number, draft.golden_id, mapping.USER, 7, sent, draft.base, self.at, self.at))


def _merge_history(dice: random.Random, judge: Judge) -> None:
    is_adopted = dice.random() < 0.5
    halo: dict[str, Value] = {name: dice.choice(WORDS) if is_adopted else None for name in FIELDS}
    golden: dict[str, Value] = dict.fromkeys(OWNERS)
    for name, value in halo.items():
        if value is not None:
            judge.edited(name, value)
    link = Link("con_1", mapping.USER, 7, origin="email" if is_adopted else "created")
    log = _Log(is_named=dice.random() < 0.5)
    for _ in range(STEPS):
        turn = dice.random()
        name = dice.choice(FIELDS)
        if turn < 0.35:
            golden[name] = dice.choice(WORDS)
        elif turn < 0.6:
            value = dice.choice(WORDS)
            if value != halo[name]:
                log.changed(halo, name, value, by=PERSON)
                judge.edited(name, value)
        else:
            link = _published(link, halo, golden, dice, judge, log)
        log.at += timedelta(seconds=dice.choice((1, 30, 3_600)))
    _give_back(halo, judge, log)
    _published(link, halo, {**golden, **dict.fromkeys(FIELDS, "last")}, dice, judge, log, is_crossed=False)


def _published(
    link: Link,
    halo: dict[str, Value],
    golden: Mapping[str, Value],
    dice: random.Random,
    judge: Judge,
    log: _Log,
    *,
    is_crossed: bool = True,
) -> Link:
    """Read, decide, and write; a person may save a field in between."""
    now = HaloRecord(mapping.USER, 7, 1, 1, link.golden_id, False, False, dict(halo))
    decision = plan.decide(mapping.USER, golden, link, now, OWNERS, can_stamp=False)
    if not isinstance(decision, plan.Update):
        judge.published(halo, halo, golden)
        return with_agreed(link, decision.agreed) if isinstance(decision, plan.Nothing) else link
    writes = decision.merge.writes
    base = mapping.replaced(mapping.USER, writes, now.fields)
    draft = Draft(
        link.golden_id, "contact", 1, mapping.USER, "update", writes, {}, link, now, decision.merge.agreed, base=base
    )
    ours = {name: value[:CUT] if isinstance(value, str) else value for name, value in writes.items()}
    if is_crossed and dice.random() < 0.5:
        _save_in_between(halo, ours, dice, judge, log)
    before = dict(halo)
    for name, value in ours.items():
        log.changed(halo, name, value, by=API_AGENT)
    log.wrote(draft)
    judge.published(before, halo, golden)
    return taken_over(draft, replace(now, fields=dict(halo)), is_reply=True)[0]


def _save_in_between(
    halo: dict[str, Value], ours: Mapping[str, Value], dice: random.Random, judge: Judge, log: _Log
) -> None:
    name, value = dice.choice([*ours, dice.choice(FIELDS)]), dice.choice(WORDS)
    if name not in halo or value in (halo[name], ours.get(name, halo[name])):
        return  # no edit, or both mean the same
    log.changed(halo, name, value, by=PERSON)
    judge.edited(name, value)
    if name in ours:
        judge.gone_over(name)
        log.gone_over.append((len(log.writes) + 1, name, value))


def _give_back(halo: dict[str, Value], judge: Judge, log: _Log) -> None:
    """Hold our writes against the log, and give back what stands nowhere else by now."""
    found = found_in(Checked(log.writes, log.trail))
    judge.found(log.gone_over, found)
    newest = {one.field: one for one in found if one.is_sure}
    for name, one in newest.items():
        if name not in judge.theirs and halo[name] != one.theirs:  # nobody has typed there since
            halo[name] = one.theirs
            judge.given_back(name, one.theirs)


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
