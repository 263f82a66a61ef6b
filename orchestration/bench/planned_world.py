"""A small world made from a number: a ledger beside a simulated HaloPSA, in which people and pipeline change things.

Belongs here: making it, moving it, what can be seen of it afterwards. Does not: judging (planned.py).
Surprise: rules are drawn too, owners and modes included, for what a plan foresees hangs on them.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from assets.publishing import commit as commits
from assets.publishing import mapping, mirror, planned, tables
from assets.publishing.applying import Applied, apply_plan, make_plan
from assets.publishing.ledger import Ledger
from assets.publishing.planfile import Plan
from assets.publishing.rules import Rules, demo_rules
from sources.clock import VirtualClock
from sources.halopsa.client import HaloClient
from sources.halopsa.simulator import HaloSimulator
from sources.halopsa.simulator_records import HaloFixture
from sources.simulation import InMemoryAdapter
from transforms.contracts import GOLDEN_CONTACT, GOLDEN_ORGANISATION

URL = "http://halo.test"
_COLUMNS = {"organisation": GOLDEN_ORGANISATION.column_names, "contact": GOLDEN_CONTACT.column_names}
_OWNERS = ("pipeline", "pipeline", "pipeline", "human", "fill_if_empty", "newest")
_MODES = ("tracked", "tracked", "upsert", "create_only", "update_only")
_FIRST = ("Ann", "Ben", "Cy", "Dot", "Eve", "Fay", "Gus", "Hal")
_LAST = ("Lee", "Fox", "Day", "Ray", "Orr", "Poe")
_TITLES = ("Manager", "Director", "Head of Tea", "Clerk", "Engineer", None)
_PHONES = tuple(f"+4420794600{number:02d}" for number in range(20))
_CITIES = ("London", "Leeds", "York", None)

_EDITS: dict[str, tuple[tuple[str, Any], ...]] = {
    "Client": (("website", "https://new.test"), ("inactive", True), ("domain", "")),
    "Site": (("phonenumber", "0800 1"), ("delivery_address", {"line1": "Unit 7"})),
    "Users": (("title", "Boss"), ("title", ""), ("phonenumber", "0800 2"), ("surname", "Smith"), ("inactive", True)),
}

Row = dict[str, Any]


class World:
    """One ledger beside one simulated tenant, moved by dice."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.dice = random.Random(seed)
        self.clock = VirtualClock()
        self.ledger = Ledger.open(folder / "ledger.sqlite")
        self.simulator = HaloSimulator(self._fixture(), self.clock)
        modes = self.simulator.modes
        self.halo = HaloClient(
            URL, "acme", modes.client_id, modes.client_secret, self.clock, adapter=InMemoryAdapter(self.simulator)
        )
        self.golden: dict[str, dict[str, Row]] = {"organisation": {}, "contact": {}}
        self.runs = 0
        self.rules = self._rules()
        for _ in range(self.dice.randint(3, 5)):
            self._make("organisation")
        for _ in range(self.dice.randint(6, 12)):
            self._make("contact")
        self.walk()
        self._commit({}, self.golden)
        if self.dice.random() < 0.7:
            self.apply(self.plan())

    # -- what happens ---------------------------------------------------------------------------------------------

    def move(self) -> None:
        """Some edits by people, some changes of golden, perhaps a walk, some time."""
        self.clock.sleep(self.dice.randint(1, 7_200))
        for _ in range(self.dice.randint(0, 5)):
            self._edit()
        before = {entity: dict(rows) for entity, rows in self.golden.items()}
        for _ in range(self.dice.randint(2, 10)):
            self._change()
        self._commit(before, self.golden)
        if self.dice.random() < 0.5:
            self.walk()

    def walk(self) -> None:
        mirror.replace(
            self.ledger,
            self.clock,
            {name: [row for page in self.halo.walk(name) for row in page] for name in ("Client", "Site", "Users")},
        )

    def plan(self) -> Plan:
        return make_plan(self.ledger, self.clock, self.halo, self.rules, with_values=True)

    def apply(self, plan: Plan) -> Applied:
        self.runs += 1
        return apply_plan(self.ledger, self.clock, self.halo, self.rules, plan, run_id=f"apply-{self.runs}")

    def _edit(self) -> None:
        """A person changes, blanks or retires something in HaloPSA."""
        resource = self.dice.choice(("Client", "Site", "Users", "Users"))
        ids = sorted(self.simulator.records.rows[resource])
        if not ids:
            return
        name, value = self.dice.choice(_EDITS[resource])
        self.simulator.records.post(resource, [{"id": self.dice.choice(ids), name: value}])

    def _change(self) -> None:
        entity = self.dice.choice(("organisation", "contact", "contact", "contact"))
        known = self.golden[entity]
        act = self.dice.random()
        if act < 0.2 or not known:
            self._make(entity)
            return
        golden_id = self.dice.choice(sorted(known))
        if act < 0.35:
            del known[golden_id]
        else:
            known[golden_id] = known[golden_id] | self._values(entity)

    # -- golden ---------------------------------------------------------------------------------------------------

    def _make(self, entity: str) -> None:
        number = len(self.golden[entity]) + self.dice.randint(0, 5)
        if entity == "organisation":
            golden_id = f"org_{number}"
            basics: Row = {"name": f"Company {number} Ltd", "domain": f"company{number}.test"}
        else:
            golden_id = f"con_{number}"
            organisations = [*sorted(self.golden["organisation"]), None]
            first, last = self.dice.choice(_FIRST), self.dice.choice(_LAST)
            basics = {
                "first_name": first,
                "last_name": last,
                "organisation_golden_id": self.dice.choice(organisations),
                "email": f"{first}.{last}{number}@mail.test".lower(),
                "email_status": self.dice.choice(("verified", "verified", "guessed")),
            }
        values = basics | self._values(entity)
        self.golden[entity][golden_id] = {"golden_id": golden_id, "sources": "apollo", **values}

    def _values(self, entity: str) -> Row:
        dice = self.dice
        if entity == "organisation":
            return {
                "phone": dice.choice(_PHONES),
                "city": dice.choice(_CITIES),
                "street": f"{dice.randint(1, 9)} High St",
            }
        return {
            "job_title": dice.choice(_TITLES),
            "phone": dice.choice(_PHONES),
            "phone_do_not_call": dice.random() < 0.2,
            "mobile": dice.choice((*_PHONES[:3], None)),
        }

    def _commit(self, before: dict[str, dict[str, Row]], after: dict[str, dict[str, Row]]) -> None:
        self.runs += 1
        changes = {entity: _changes(before.get(entity, {}), rows, entity) for entity, rows in after.items()}
        commits.commit(self.ledger, self.clock, run_id=f"commit-{self.runs}", changes=changes)

    # -- the tenant and its rules ---------------------------------------------------------------------------------

    def _fixture(self) -> HaloFixture:
        """Some clients that golden knows too, each with a site and perhaps a person."""
        fixture = HaloFixture()
        for number in range(self.dice.randint(0, 3)):
            client, site = 10 + number, 20 + number
            name = {"name": f"Company {number} Ltd", "domain": f"company{number}.test"}
            fixture.clients.append({"id": client, **name, "main_site_id": site})
            fixture.sites.append({"id": site, "name": "Main", "client_id": client})
            if self.dice.random() < 0.5:
                person = f"{self.dice.choice(_FIRST)} {self.dice.choice(_LAST)}"
                fixture.users.append({"id": 30 + number, "name": person, "site_id": site, "title": "Owner"})
        return fixture

    def _rules(self) -> Rules:
        shipped = demo_rules()
        owners = {
            resource: {name: self.dice.choice(_OWNERS) for name in names} for resource, names in mapping.FIELDS.items()
        }
        audience = shipped.audience.model_copy(
            update={
                "in_halo_only": self.dice.random() < 0.3,
                "opt_in": frozenset({"company1.test", "company2.test"}),
                "suppressed": frozenset({"con_3"} if self.dice.random() < 0.3 else ()),
                "contacts_per_organisation_max": self.dice.choice((2, 1_000)),
                "do_not_call": self.dice.choice(("publish", "withhold", "leave_out")),
            }
        )
        modes = {entity: self.dice.choice(_MODES) for entity in ("organisation", "contact")}
        return shipped.model_copy(
            update={
                "owners": shipped.owners.model_copy(update=owners),
                "audience": audience,
                "mode": shipped.mode.model_copy(update=modes),
            }
        )

    # -- what can be seen afterwards ------------------------------------------------------------------------------

    def cells(self) -> dict[tuple[str, int, str], Any]:
        """Every value the tenant holds."""
        return {
            (resource, record_id, name): json.dumps(value, sort_keys=True)
            for resource, rows in self.simulator.records.rows.items()
            for record_id, row in rows.items()
            for name, value in row.items()
            if name not in ("_updated", "_created")
        }

    def last_effect(self) -> int:
        with self.ledger.read() as connection:
            return connection.scalar(sa.select(sa.func.max(tables.effect.c.effect_id))) or 0

    def effects_since(self, mark: int) -> dict[planned.Key, Row]:
        """What was written and acknowledged, as the plan would spell it."""
        places = planned.Places(self.ledger)
        query = sa.select(tables.effect).where(tables.effect.c.effect_id > mark, tables.effect.c.state == "acked")
        with self.ledger.read() as connection:
            rows = connection.execute(query).all()
        self._halo_ids = {(row.golden_id, row.resource, row.operation): row.halo_id for row in rows}
        return {
            (row.golden_id, row.resource, row.operation): {
                name: places.canonical(name, value) for name, value in row.fields.items()
            }
            for row in rows
        }

    def explained(self, effects: Iterable[planned.Key]) -> set[tuple[str, int]]:
        """(resource, id) of the records that these effects touch; a new client brings a site, a site a person."""
        found = set()
        for golden_id, resource, operation in effects:
            record_id = self._halo_ids[golden_id, resource, operation]
            found.add((resource, record_id))
            if resource == "Client" and operation == "create":
                site_id = self.simulator.records.rows["Client"][record_id]["main_site_id"]
                found.add(("Site", site_id))
                found |= {("Users", user_id) for user_id in self.simulator.records.users_of[site_id]}
        return found


def _changes(before: dict[str, Row], after: dict[str, Row], entity: str) -> pa.Table:
    """The rows of `changes.<entity>_change`."""
    rows = []
    for golden_id in sorted(before | after):
        old, new = before.get(golden_id), after.get(golden_id)
        if old == new:
            continue
        kind = "created" if old is None else "retired" if new is None else "altered"
        digest = hashlib.sha256(json.dumps(new, sort_keys=True).encode()).hexdigest() if new else None
        blank = dict.fromkeys(_COLUMNS[entity])
        rows.append({**blank, **(new or {}), "golden_id": golden_id, "change_kind": kind, "content_hash": digest})
    names = (*_COLUMNS[entity], "change_kind")
    return pa.table({name: [row[name] for row in rows] for name in names})
