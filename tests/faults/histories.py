"""Random histories of one installation and one tenant: golden records change, people edit, answers are lost, we die.

Belongs here: the actors, and the invariants I1-I4, I7, I9 that are checked after every step. Does not: what is expected
of one single fault (test_*.py). Surprise: every value is unique to its version, so that an older one is recognised when
it lands on a newer one; and people act between our runs, while deaths and lost answers strike in the middle of them.
A write of ours that lands after a person's edit of the same field would overwrite it, and nothing but a lock could
prevent that: so people come when what was under way has landed.

A history is its seed: `play(seed, house)` does the same again.
"""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Any

import sqlalchemy as sa

from assets.publishing import outbox
from assets.publishing.effects import FAILPOINTS
from assets.publishing.tables import effect
from sources.simulation import Fault
from tests.assets.publishing.publishing_house import Died, contact, organisation
from tests.faults.lasting import LastingHouse

STEPS = 14
LATE_S = 20.0  # lists show new rows, and writes are applied, so late; shorter than the settle time
RESOURCES = ("Client", "Site", "Users")
FAULTS = (
    "timeout_after_apply", "reset_after_apply", "html_after_apply", "wrong_content_type", "truncate", "drop", "status",
    "limit", "expire_token_now", "revoke_all_tokens", "stale_read", "apply_late",
)  # fmt: skip
# field in Halo -> golden field: what pipeline and people both write
USER_FIELDS = {"title": "job_title", "mobilenumber": "mobile"}
SITE_FIELDS = {"phonenumber": "phone"}


class Violation(AssertionError):
    """An invariant does not hold; the text names it."""


class History:
    """One installation beside one tenant, and what must be true of them."""

    def __init__(self, seed: int, house: LastingHouse, *, steps: int = STEPS) -> None:
        self.dice = random.Random(seed)
        self.house = house
        self.house.begin()
        self.steps = steps
        self.count = 0
        self.values: dict[tuple[str, str], list[str]] = defaultdict(list)  # (golden id, field) -> values, oldest first
        self.newest_seen: dict[tuple[int, str], int] = {}  # (halo id, field) -> newest version of ours seen in Halo
        self.edits: dict[tuple[str, int, str], str] = {}  # (resource, halo id, field) -> what a person put there
        self.told: list[str] = []

    def play(self) -> None:
        """All steps, then quiet, then the end."""
        for _ in range(3):
            self._new_company()
        for _ in range(self.steps):
            act = self.dice.choice(ACTS)
            self.told.append(act.__name__)
            act(self)
            self.check()
        self._quiet()

    # -- actors ---------------------------------------------------------------------------------------------------

    def alter(self) -> None:
        """The pipeline has something new to say of somebody."""
        known = self.house.golden["contact"]
        if known and self.dice.random() < 0.7:
            row = self.dice.choice(list(known.values()))
            field = self.dice.choice(list(USER_FIELDS.values()))
            self._commit({**row, field: self._value(row["golden_id"], field)})
        else:
            row = self.dice.choice(list(self.house.golden["organisation"].values()))
            self._commit({**row, "phone": self._value(row["golden_id"], "phone")})

    def hire(self) -> None:
        golden_id = f"con_{self._next():04}"
        fresh = {field: self._value(golden_id, field) for field in USER_FIELDS.values()}
        company = self.dice.choice(list(self.house.golden["organisation"]))
        self._commit(contact(golden_id, "Pat", f"Lee{self.count}", company, **fresh))

    def found(self) -> None:
        self._new_company()

    def fire(self) -> None:
        known = self.house.golden["contact"]
        if known:
            self.house.commit(gone=(self.dice.choice(list(known)),))

    def publish(self) -> None:
        self._publish(None)

    def die(self) -> None:
        """The process is killed somewhere in a run; the next one needs no hand."""
        self._publish((self.dice.choice(FAILPOINTS), self.dice.randint(0, 4)))

    def fault(self) -> None:
        """Halo or the way to it fails at some of the next requests."""
        effect_name = self.dice.choice(FAULTS)
        status = {"status": self.dice.choice([500, 502, 503]), "limit": 429}.get(effect_name, 500)
        self.house.simulator.faults.append(
            Fault(
                effect="status" if effect_name == "limit" else effect_name,
                path=f"/api/{self.dice.choice(RESOURCES)}",
                method="POST" if effect_name == "apply_late" else self.dice.choice(["POST", "POST", "GET"]),
                after=self.dice.randint(0, 5),
                times=self.dice.randint(1, 2),
                status=status,
                delay_s=LATE_S,
            )
        )

    def walk(self) -> None:
        self._without_faults(self.house.walk)

    def edit(self) -> None:
        """A person changes or blanks a value in Halo's own pages, after whatever was under way has landed."""
        self.house.clock.sleep(LATE_S)
        self.house.simulator.land()
        resource = self.dice.choice(["Users", "Site"])
        rows = [row for row in self.house.rows(resource).values() if self._is_ours(resource, row)]
        if rows:
            row = self.dice.choice(rows)
            field = self.dice.choice(list(USER_FIELDS if resource == "Users" else SITE_FIELDS))
            value = "" if self.dice.random() < 0.3 else f"person {self._next()}"
            if value == (row.get(field) or "") or (not value and self._is_unsettled(resource, row["id"])):
                return  # see _is_unsettled
            with self.house.witness.person():
                self.house.simulator.records.post(resource, [{"id": row["id"], field: value}])
            self.edits[resource, row["id"], field] = value

    def wait(self) -> None:
        self.house.clock.sleep(self.dice.choice([1.0, 70.0, 4_000.0]))

    # -- invariants -----------------------------------------------------------------------------------------------

    def check(self) -> None:
        self._check_doubles()
        self._check_people()
        self._check_versions()
        self._check_effects()

    def _check_doubles(self) -> None:
        for resource in ("Client", "Users"):
            for golden_id, count in self.house.simulator.records_by_golden_id(resource).items():
                if count > 1:
                    raise Violation(f"I2: {resource} {golden_id} exists {count} times")

    def _check_people(self) -> None:
        for (resource, halo_id, field), value in self.edits.items():
            now = self.house.rows(resource)[halo_id].get(field) or ""
            if now != value:
                raise Violation(f"I3: {resource} {halo_id} {field} is {now!r}, a person had put {value!r}")

    def _check_versions(self) -> None:
        for resource, fields in (("Users", USER_FIELDS), ("Site", SITE_FIELDS)):
            for row in self.house.rows(resource).values():
                for field, golden_field in fields.items():
                    self._check_version(row, field, golden_field)

    def _check_version(self, row: dict[str, Any], field: str, golden_field: str) -> None:
        known = VERSION_OF.get(str(row.get(field)))
        if known is None or known[0] is not self:
            return
        seen = self.newest_seen.get((row["id"], field), -1)
        if known[1] < seen:
            raise Violation(f"I4: {golden_field} of {row['id']} went back from version {seen} to {known[1]}")
        self.newest_seen[row["id"], field] = known[1]

    def _check_effects(self) -> None:
        """I7: what the tenant took from us is explained by rows of the ledger, one each."""
        with self.house.ledger.read() as connection:
            states = connection.execute(sa.select(effect.c.operation, effect.c.state, sa.func.count()).group_by(
                effect.c.operation, effect.c.state)).all()  # fmt: skip
        possible = sum(count for operation, state, count in states if operation == "create" and state != "rejected")
        made = sum(self.house.simulator.records_by_golden_id("Client").values())
        made += sum(self.house.simulator.records_by_golden_id("Users").values())
        if made > possible:
            raise Violation(f"I7: the tenant holds {made} records of ours, the ledger explains {possible}")
        for told in self.house.witness.contradictions(self.house.ledger):
            raise Violation(f"I7: {told}")

    # -- the end --------------------------------------------------------------------------------------------------

    def _quiet(self) -> None:
        """I1: once nothing fails any more, everything that is to be written is, and then nothing."""
        self.house.simulator.faults.clear()
        for _ in range(4):
            self.house.walk()
            self.house.publish()
            self.check()
        mark = self.house.mark
        result = self.house.publish()
        self.check()
        if writes := self.house.writes_since(mark):
            raise Violation(f"I1: a run with nothing to do wrote {writes}")
        if result.remaining or result.unknown:
            raise Violation(f"I1: {result.remaining} records remain, {result.unknown} are unknown")
        self._check_golden("Users", "contact", USER_FIELDS)

    def _check_golden(self, resource: str, entity: str, fields: dict[str, str]) -> None:
        states = self._states()
        stamp = self.house.halo.golden_id_field(resource)
        for row in self.house.rows(resource).values():
            golden_id = (row.get("_custom") or {}).get(stamp)
            wanted = self.house.golden[entity].get(golden_id)
            if wanted is None or states.get(golden_id) != "published" or row.get("inactive"):
                continue
            for field, golden_field in fields.items():
                if (resource, row["id"], field) not in self.edits and row.get(field) != wanted[golden_field]:
                    raise Violation(
                        f"I1: {golden_id} counts as published, its {golden_field} is {row.get(field)!r} in the tenant "
                        f"and {wanted[golden_field]!r} in golden"
                    )
        holding = self.house.simulator.records_by_golden_id(resource)
        for golden_id in self.house.golden[entity]:
            if states.get(golden_id) == "published" and holding.get(golden_id, 0) != 1:
                raise Violation(f"I1: {golden_id} counts as published and is not in the tenant")

    def _states(self) -> dict[str, str]:
        everybody = [*self.house.golden["organisation"], *self.house.golden["contact"]]
        with self.house.ledger.read() as connection:
            return {name: state for name, (state, _) in outbox.states(connection, everybody).items()}

    # -- helpers --------------------------------------------------------------------------------------------------

    def _publish(self, die_at: tuple[str, int] | None) -> None:
        try:
            self.house.publish(die_at=die_at)
        except Died:
            self.house.restart()

    def _without_faults(self, act: Any) -> None:
        faults, self.house.simulator.faults[:] = list(self.house.simulator.faults), []
        act()
        self.house.simulator.faults[:] = faults

    def _new_company(self) -> None:
        golden_id = f"org_{self._next():04}"
        phone = self._value(golden_id, "phone")
        self._commit(organisation(golden_id, f"Company {self.count}", domain=f"company{self.count}.test", phone=phone))

    def _commit(self, record: dict[str, Any]) -> None:
        self.house.commit(record)

    def _value(self, golden_id: str, field: str) -> str:
        value = f"{field} {self._next()}"
        versions = self.values[golden_id, field]
        VERSION_OF[value] = (self, len(versions))
        versions.append(value)
        return value

    def _is_unsettled(self, resource: str, halo_id: int) -> bool:
        """Whether our last write to a record has no known outcome. A blank that a person makes just then looks as if
        the write had never been applied, and nothing in Halo tells the two apart: the honest limit of the protocol."""
        is_open = effect.c.state.in_(("sending", "unknown"))
        query = sa.select(effect.c.halo_id).where(effect.c.resource == resource, is_open)
        with self.house.ledger.read() as connection:
            return halo_id in set(connection.scalars(query))

    def _next(self) -> int:
        self.count += 1
        return self.count

    def _is_ours(self, resource: str, row: dict[str, Any]) -> bool:
        if resource == "Users":
            return not row.get("isgeneral") and "Lee" in str(row.get("name"))
        return True


VERSION_OF: dict[str, tuple[History, int]] = {}
ACTS = (
    History.alter, History.alter, History.alter, History.hire, History.hire, History.found, History.fire,
    History.publish, History.publish, History.die, History.die, History.fault, History.fault,
    History.walk, History.edit, History.edit, History.wait,
)  # fmt: skip


def play(seed: int, house: LastingHouse, *, steps: int = STEPS) -> None:
    """One history.

    Raises:
        Violation: naming the seed and the steps that led there.
    """
    VERSION_OF.clear()
    history = History(seed, house, steps=steps)
    try:
        history.play()
    except Violation as violation:
        raise Violation(f"seed {seed}: {violation}; steps {' '.join(history.told)}") from violation
