"""A small house for publishing: a ledger in a temporary folder, a simulated HaloPSA in memory, one virtual clock.

Belongs here: building golden changes and running walk, commit and publish as a real run does. Does not: promises.
Surprise: dying at a failpoint is a BaseException, so that no `except` in the code under test can soften it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from assets.publishing import commit as commits
from assets.publishing import mirror
from assets.publishing.publisher import publish
from assets.publishing.session import PublishResult
from sources.clock import VirtualClock
from sources.halopsa.client import HaloClient
from sources.halopsa.simulator import HaloSimulator
from sources.halopsa.simulator_records import HaloFixture
from sources.simulation import InMemoryAdapter
from tests.assets.publishing import ledgers
from transforms.contracts import GOLDEN_CONTACT, GOLDEN_ORGANISATION

COLUMNS = {"organisation": GOLDEN_ORGANISATION.column_names, "contact": GOLDEN_CONTACT.column_names}
URL = "http://halo.test"

Golden = dict[str, dict[str, Any]]  # golden id -> golden columns


class Died(BaseException):
    """The process was killed here."""


def organisation(golden_id: str, name: str, **values: Any) -> dict[str, Any]:
    return {"golden_id": golden_id, "name": name, "sources": "apollo", **values}


def contact(golden_id: str, first: str, last: str, of: str | None, **values: Any) -> dict[str, Any]:
    email = {"email": f"{first}.{last}@{of}.test".lower(), "email_status": "verified"}
    basics = {"golden_id": golden_id, "first_name": first, "last_name": last, "organisation_golden_id": of}
    return {**basics, **email, "sources": "uplead", **values}


def changes_between(before: Golden, after: Golden, entity: str) -> pa.Table:
    """The rows of `changes.<entity>_change`."""
    rows = []
    for golden_id in sorted(before | after):
        old, new = before.get(golden_id), after.get(golden_id)
        if old == new:
            continue
        kind = "created" if old is None else "retired" if new is None else "altered"
        blank = dict.fromkeys(COLUMNS[entity])
        digest = hashlib.sha256(json.dumps(new, sort_keys=True).encode()).hexdigest() if new else None
        rows.append({**blank, **(new or {}), "golden_id": golden_id, "change_kind": kind, "content_hash": digest})
    names = (*COLUMNS[entity], "change_kind")
    return pa.table({name: [row[name] for row in rows] for name in names})


class House:
    """One installation beside one Halo tenant."""

    def __init__(self, folder: Path, fixture: HaloFixture | None = None, **modes: Any) -> None:
        self.folder = folder
        self.clock = VirtualClock()
        folder.mkdir(exist_ok=True)
        self.ledger = ledgers.opened(folder)
        self.simulator = HaloSimulator(fixture, self.clock, **modes)
        self.golden: dict[str, Golden] = {"organisation": {}, "contact": {}}
        self.runs = 0
        self.reached: list[str] = []
        self._connect()
        self.walk()

    def _connect(self) -> None:
        self.halo = HaloClient(
            URL, "acme", self.simulator.modes.client_id, self.simulator.modes.client_secret, self.clock,
            adapter=InMemoryAdapter(self.simulator),
        )  # fmt: skip

    def restart(self) -> House:
        """A new process on the same files."""
        self.ledger.close()
        self.ledger = ledgers.opened(self.folder)
        self._connect()
        return self

    def commit(self, *records: Mapping[str, Any], gone: tuple[str, ...] = (), merged: Mapping[str, str] | None = None):
        """Commit golden records as they are now; ids in `gone` or `merged` (loser -> survivor) are retired."""
        after = {entity: dict(known) for entity, known in self.golden.items()}
        for record in records:
            entity = "organisation" if record["golden_id"].startswith("org") else "contact"
            after[entity][record["golden_id"]] = dict(record)
        for golden_id in (*gone, *(merged or {})):
            after["organisation"].pop(golden_id, None)
            after["contact"].pop(golden_id, None)
        changes = {entity: changes_between(self.golden[entity], after[entity], entity) for entity in after}
        self.golden = after
        self.runs += 1
        events = [
            {"golden_id": loser, "event": "merged_into", "other_id": other} for loser, other in (merged or {}).items()
        ]
        lineage = pa.Table.from_pylist(events) if events else None
        return commits.commit(self.ledger, self.clock, run_id=f"run-{self.runs}", changes=changes, lineage=lineage)

    def walk(self) -> None:
        """Load the mirror anew."""
        payloads = {
            name: [row for page in self.halo.walk(name) for row in page] for name in ("Client", "Site", "Users")
        }
        mirror.replace(self.ledger, self.clock, payloads)

    def publish(self, *, die_at: tuple[str, int] | None = None, **options: Any) -> PublishResult:
        """Publish; `die_at` is a failpoint and how many times to pass it alive first."""
        passed = 0

        def reach(failpoint: str) -> None:
            nonlocal passed
            self.reached.append(failpoint)
            if die_at is not None and failpoint == die_at[0]:
                if passed == die_at[1]:
                    raise Died(failpoint)
                passed += 1

        return publish(self.ledger, self.clock, self.halo, run_id=f"run-{self.runs}", reach=reach, **options)

    def rows(self, resource: str) -> dict[int, dict[str, Any]]:
        """What the tenant holds, straight from the simulator."""
        return self.simulator.records.rows[resource]

    def row(self, resource: str, name: str) -> dict[str, Any]:
        found = [row for row in self.rows(resource).values() if row["name"] == name]
        assert len(found) == 1, f"{len(found)} {resource} called {name}"
        return found[0]

    def edit(self, resource: str, name: str, **values: Any) -> None:
        """A person changes a record in Halo's own pages."""
        self.simulator.records.post(resource, [{"id": self.row(resource, name)["id"], **values}])

    def writes_since(self, mark: int) -> list[str]:
        """Paths of the writes after the first `mark` requests."""
        return [
            entry.path for entry in list(self.simulator.log)[mark:] if entry.method == "POST" and "/api/" in entry.path
        ]

    @property
    def mark(self) -> int:
        return len(self.simulator.log)
