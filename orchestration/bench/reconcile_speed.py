"""What a reconciliation of a large tenant costs: requests beside the arithmetic, time on the simulated clock, memory.

Belongs here: a tenant and a ledger that agree but for some edits, lost writes and windows, and reconciling them. Does
not: receipts (publish.py), the comparison (assets/publishing/reconcile.py).
Surprise: tenant and ledger are filled directly and not by publishing, which would take minutes for nothing that is
measured here. The change log holds what the day brought and nothing of what came before.
"""

from __future__ import annotations

import math
import os
import resource
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from assets.publishing import crosswalk, mapping
from assets.publishing.crosswalk import Link
from assets.publishing.ledger import chunked
from assets.publishing.merge import Published
from assets.publishing.reconcile import reconcile
from assets.publishing.tables import effect
from sources.halopsa.settings import CALLS_PER_WINDOW, PAGE_ROWS, WINDOW_S
from sources.halopsa.simulator_names import API_AGENT

from orchestration.bench.publish_speed import PEOPLE_PER_ORGANISATION, Tenant

EDITS = 1_000  # of people, since the last reconciliation
WRITES = 1_000  # of ours since then; in every hundredth a person was in between
_ROWS = 5_000


def reconcile_figures(users: int) -> dict[str, Any]:
    """One reconciliation after a day with edits and writes; every edit and every window must be found.

    Raises:
        AssertionError: something was found that was not there, or the reverse.
    """
    with tempfile.TemporaryDirectory(prefix="halosync-bench-") as folder:
        tenant = Tenant(Path(folder))
        _fill(tenant, users)
        _spend_a_day(tenant, users)
        tenant.clock.sleep(WINDOW_S + 1)
        before, began_s = sum(tenant.simulator.counters.values()), tenant.clock.time()
        resident_mb = _resident_mb()
        wall, cpu = time.perf_counter(), time.process_time()
        findings = reconcile(tenant.ledger, tenant.clock, tenant.halo, run_id="bench")
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        requests = sum(tenant.simulator.counters.values()) - before
        best = sum(math.ceil(count / PAGE_ROWS) for count in findings.records.values())
        assert findings.found == {"human_edit": EDITS, "overwritten": WRITES // 100}, findings.found
        return {
            "users": users,
            "records": findings.records,
            "requests": requests,
            "requests_at_best": best,
            "requests_of_the_change_log": findings.log_requests,
            "seconds": round(tenant.clock.time() - began_s, 1),
            "seconds_at_best": max(0, math.ceil(requests / CALLS_PER_WINDOW) - 1) * WINDOW_S,
            "wall_s": round(wall, 1),
            "cpu_s": round(cpu, 1),
            "resident_mb_before": resident_mb,
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "found": dict(findings.found),
            "load": os.getloadavg()[0],
        }


def _fill(tenant: Tenant, users: int) -> None:
    """Clients, their sites and people as if we had made them, and a ledger that says so."""
    organisations = users // PEOPLE_PER_ORGANISATION
    records, links, effects = tenant.simulator.records, [], []
    field_of = {name: tenant.halo.golden_id_field(name) for name in ("Client", "Users")}
    for number in range(organisations):
        values = {"name": f"Company {number} Ltd", "website": f"https://company-{number}.example"}
        (client,) = records.post(
            "Client", [_stamped(values, field_of["Client"], f"org_{number:06d}") | {"toplevel_id": 1}]
        )
        links += [_link(f"org_{number:06d}", mapping.CLIENT, client["id"], values)]
        links += [_link(f"org_{number:06d}", mapping.SITE, client["main_site_id"], {})]
        for person in range(number * PEOPLE_PER_ORGANISATION, (number + 1) * PEOPLE_PER_ORGANISATION):
            values = {
                "full_name": f"Pat Lee{person}",
                "email": f"p{person}@company-{number}.example",
                "job_title": "Manager",
            }
            payload = {mapping.NAMES[mapping.USER][name]: value for name, value in values.items()}
            payload |= {"site_id": client["main_site_id"]}
            (user,) = records.post("Users", [_stamped(payload, field_of["Users"], f"con_{person:06d}")])
            links.append(_link(f"con_{person:06d}", mapping.USER, user["id"], values))
            effects.append(_effect(f"con_{person:06d}", "create", user["id"], values, None, tenant))
    with tenant.ledger.transaction() as connection:
        for some in chunked(links, _ROWS):
            crosswalk.save(connection, some, tenant.clock.now())
        for rows in chunked(effects, _ROWS):
            connection.execute(sa.insert(effect), rows)


def _spend_a_day(tenant: Tenant, users: int) -> None:
    """Edits of people in their own field, and writes of ours, in some of which a person was in between."""
    tenant.clock.sleep(3_600)
    records, rows = tenant.simulator.records, []
    with tenant.ledger.read() as connection:
        ids = [f"con_{person:06d}" for person in range(EDITS + WRITES)]
        links = crosswalk.by_ids(connection, mapping.USER, ids)
    for golden_id in ids[:EDITS]:
        records.edit("Users", links[golden_id].halo_id, "title", "Head of Tea")
    changed = []
    for number, golden_id in enumerate(ids[EDITS:]):
        link = links[golden_id]
        if number % 100 == 0:
            records.edit("Users", link.halo_id, "title", "Queen of Tea")
        records.post("Users", [{"id": link.halo_id, "title": "Director"}], by=API_AGENT)
        rows.append(
            _effect(golden_id, "update", link.halo_id, {"job_title": "Director"}, {"job_title": "Manager"}, tenant)
        )
        published = {**link.published, "job_title": Published("Director", "Director")}
        changed.append(Link(golden_id, mapping.USER, link.halo_id, link.origin, published, False, True))
    with tenant.ledger.transaction() as connection:
        connection.execute(sa.insert(effect), rows)
        crosswalk.save(connection, changed, tenant.clock.now())


def _stamped(values: Mapping[str, Any], field_id: int | None, golden_id: str) -> dict[str, Any]:
    return {**values, "customfields": [{"id": field_id, "value": golden_id}]}


def _link(golden_id: str, resource_name: str, halo_id: int, values: Mapping[str, Any]) -> Link:
    published = {name: Published(value, value) for name, value in values.items()}
    return Link(golden_id, resource_name, halo_id, "created", published, is_stamped=True)


def _effect(
    golden_id: str, operation: str, halo_id: int, values: dict[str, Any], base: dict[str, Any] | None, tenant: Tenant
) -> dict[str, Any]:
    at = tenant.clock.now()
    return {
        "golden_id": golden_id,
        "entity": "contact",
        "version": 1,
        "resource": mapping.USER,
        "operation": operation,
        "halo_id": halo_id,
        "fields": values,
        "base": base,
        "state": "acked",
        "fence": 1,
        "run_id": "bench",
        "sent_at": at,
        "settled_at": at,
    }


def _resident_mb() -> int:
    """What this process, simulated tenant included, holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)
