"""How many requests publishing takes, and how long on the simulated clock, beside what the rate limit allows at best.

Belongs here: a tenant of N people in memory, filled once and changed once. Does not: receipts (publish.py), faults.
Surprise: the limit is arithmetic and counts reads: a create is a request, an update a 25th of one plus a 100th for the
page that shows what HaloPSA holds, and a window of 300 s takes 240 requests.
"""

from __future__ import annotations

import hashlib
import json
import math
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from assets.publishing import commit as commits
from assets.publishing import mirror
from assets.publishing.ledger import Ledger
from assets.publishing.publisher import publish
from sources.clock import VirtualClock
from sources.halopsa.client import HaloClient
from sources.halopsa.settings import BATCH_ROWS_MAX, CALLS_PER_WINDOW, PAGE_ROWS, RESOURCES, WINDOW_S
from sources.halopsa.simulator import HaloSimulator
from sources.simulation import InMemoryAdapter
from transforms.contracts import GOLDEN_CONTACT, GOLDEN_ORGANISATION

URL = "http://halo.test"
PEOPLE_PER_ORGANISATION = 20


@dataclass(frozen=True)
class Pace:
    """One run of publishing: what was done, its requests, and simulated seconds beside the least there could be."""

    name: str
    records: int
    requests: int
    requests_per_record: float
    seconds: float
    seconds_at_best: float

    @property
    def share_above_best(self) -> float:
        """0.05 is five percent slower than the rate limit allows."""
        return self.seconds / self.seconds_at_best - 1 if self.seconds_at_best else 0.0


def paces(people: int, *, changed: int | None = None) -> list[Pace]:
    """Create organisations and `people`, change `changed` of the people (all of them by default), run once more.

    Raises:
        AssertionError: HaloPSA does not hold every record exactly once, or the last run was not silent.
    """
    with tempfile.TemporaryDirectory(prefix="halosync-bench-") as folder:
        tenant = _Tenant(Path(folder))
        organisations = {
            f"org_{number:06d}": _organisation(number) for number in range(max(1, people // PEOPLE_PER_ORGANISATION))
        }
        contacts = {f"con_{number:06d}": _contact(number, len(organisations)) for number in range(people)}
        created = tenant.run("backfill: creates", {"organisation": organisations, "contact": contacts})
        altered = {
            name: {**row, "job_title": "Director"}
            for name, row in list(contacts.items())[: changed if changed is not None else people]
        }
        updated = tenant.run("updates", {"contact": altered})
        silent = tenant.run("nothing changed", {})
        assert silent.requests == 0, f"{silent.requests} requests with nothing changed"
        assert set(tenant.simulator.records_by_golden_id("Users").values()) == {1}
        return [created, updated, silent]


class _Tenant:
    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock()
        self.ledger = Ledger.open(folder / "ledger.sqlite")
        self.simulator = HaloSimulator(None, self.clock)
        modes = self.simulator.modes
        adapter = InMemoryAdapter(self.simulator)
        self.halo = HaloClient(URL, "acme", modes.client_id, modes.client_secret, self.clock, adapter=adapter)
        self._known: set[str] = set()
        self._runs = 0
        self._walk()

    def run(self, name: str, records: dict[str, dict[str, dict[str, Any]]]) -> Pace:
        """Commit `records` (entity -> golden id -> values), publish them in an untouched rate window."""
        changes = {entity: self._changes(entity, rows) for entity, rows in records.items()}
        self._runs += 1
        commits.commit(self.ledger, self.clock, run_id=f"run-{self._runs}", changes=changes)
        self._walk()
        self.clock.sleep(WINDOW_S + 1)
        before, began_s = Counter(self.simulator.counters), self.clock.time()
        result = publish(self.ledger, self.clock, self.halo, run_id=f"run-{self._runs}")
        assert not result.problems, result.problems
        calls = self.simulator.counters - before
        requests = sum(calls.values())
        rows = sum(map(len, records.values()))
        best = _seconds_of(self._requests_at_best(result.writes, result.created, result.updated))
        return Pace(name, rows, requests, requests / rows if rows else 0.0, self.clock.time() - began_s, best)

    def _requests_at_best(self, writes: dict[str, int], created: int, updated: int) -> int:
        updates = sum(writes.values()) - created
        return created + math.ceil(updates / BATCH_ROWS_MAX) + math.ceil(updated / PAGE_ROWS)

    def _changes(self, entity: str, rows: dict[str, dict[str, Any]]) -> pa.Table:
        columns = (GOLDEN_ORGANISATION if entity == "organisation" else GOLDEN_CONTACT).column_names
        table = []
        for golden_id, row in rows.items():
            digest = hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()
            kind = "altered" if golden_id in self._known else "created"
            values = {**row, "golden_id": golden_id, "content_hash": digest, "change_kind": kind, "sources": "apollo"}
            table.append(dict.fromkeys(columns) | values)
        self._known |= rows.keys()
        return pa.table({name: [row[name] for row in table] for name in (*columns, "change_kind")})

    def _walk(self) -> None:
        payloads: dict[str, Any] = {name: [row for page in self.halo.walk(name) for row in page] for name in RESOURCES}
        mirror.replace(self.ledger, self.clock, payloads)


def _seconds_of(requests: int) -> float:
    """The least time in which the limit lets so many requests through: whole windows before the last one."""
    return max(0, math.ceil(requests / CALLS_PER_WINDOW) - 1) * WINDOW_S


def _organisation(number: int) -> dict[str, Any]:
    return {"name": f"Company {number} Ltd", "domain": f"company-{number}.example", "phone": f"+4420{number:08d}"}


def _contact(number: int, organisations: int) -> dict[str, Any]:
    of = number % organisations
    return {
        "first_name": f"First{number}",
        "last_name": f"Last{number}",
        "email": f"p{number}@company-{of}.example",
        "email_status": "verified",
        "job_title": "Manager",
        "organisation_golden_id": f"org_{of:06d}",
    }


def as_figures(found: list[Pace]) -> list[dict[str, Any]]:
    """Plain data for a receipt."""
    return [asdict(pace) | {"share_above_best": round(pace.share_above_best, 4)} for pace in found]
