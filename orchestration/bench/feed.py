"""The feed over HTTP: what a page costs at the start and at the end, beside a bare server, and while a run works.

Belongs here: the ledger of many golden records, the walks, the figures. Does not: promises (tests), the service.
Surprise: the peer is an ASGI application that returns bytes of the same size from memory, on the same server, asked by
the same client (wrk, from Debian's package of that name), so the ratio says what halosync itself costs. Every page
asked for is a distinct one.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa
import requests
from assets.publishing import feed, keys
from assets.publishing.commit import commit
from assets.publishing.ledger import Ledger
from rich.console import Console
from rich.table import Table
from sources.clock import WallClock
from transforms.contracts import GOLDEN_CONTACT, GOLDEN_ORGANISATION

from orchestration import settings as settings_module
from orchestration.bench.receipts import Receipts, fingerprint
from orchestration.exits import Exit, Stop
from orchestration.settings import PROJECT_ROOT

CONTACTS_PER_ORGANISATION = 9
COMMIT_ROWS = 100_000
PAGES_TIMED = 50
WRK_S = 8
RUNS = 5
PEER = "orchestration.bench.peers.bare_asgi:app"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--entities", type=int, default=1_000_000, help="golden records (default 1000000)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="receipts and the ledger (default data/bench/feed)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    folder = arguments.out or settings_module.load().data_root / "bench" / "feed"
    receipts = Receipts(folder)
    code = [PROJECT_ROOT / name for name in ("assets/publishing", "orchestration/service")]
    key = {"entities": arguments.entities, "code": fingerprint([*code, Path(__file__)])}
    receipt = receipts.find("feed", key)
    if receipt is None:
        ledger_file = _filled(folder, arguments.entities)
        figures = {**_walked(ledger_file), **_served(ledger_file, folder)}
        receipt = receipts.keep("feed", key, {"figures": figures})
    if arguments.json:
        print(json.dumps({"schema_version": 1, "figures": receipt["figures"]}))
    else:
        table = Table("figure", "found", title=f"The feed of {arguments.entities:,} golden records")
        for name, found in receipt["figures"].items():
            table.add_row(name, f"{found:,.3f}" if isinstance(found, float) else str(found))
        Console(file=sys.stdout).print(table)
    return Exit.DONE


def _filled(folder: Path, entities: int) -> Path:
    """A ledger of so many golden records, kept for the next call."""
    path = folder / f"{entities}" / "ledger.sqlite"
    done = path.with_name("done")
    if done.exists():
        return path
    shutil.rmtree(path.parent, ignore_errors=True)
    ledger, clock = Ledger.open(path), WallClock()
    organisations = entities // (CONTACTS_PER_ORGANISATION + 1)
    for start in range(0, entities, COMMIT_ROWS):
        numbers = range(start, min(start + COMMIT_ROWS, entities))
        rows: dict[str, list[dict[str, Any]]] = {
            "organisation": [_organisation(number) for number in numbers if number < organisations],
            "contact": [_contact(number, organisations) for number in numbers if number >= organisations],
        }
        changes = {entity: _changes(entity, found) for entity, found in rows.items() if found}
        commit(ledger, clock, run_id=f"bench-{start}", changes=changes)
        print(f"{numbers.stop:,} of {entities:,} golden records committed", file=sys.stderr)
    ledger.close()
    done.touch()
    return path


def _organisation(number: int) -> dict[str, Any]:
    name = f"Company {number}"
    place = {"street": "1 High Street", "city": "Leeds", "postcode": "LS1 1AA", "country": "GB"}
    return {"golden_id": f"org_{number:08}", "name": name, "domain": f"company{number}.test", **place}


def _contact(number: int, organisations: int) -> dict[str, Any]:
    return {
        "golden_id": f"con_{number:08}",
        "first_name": "Ann",
        "last_name": f"Lee {number}",
        "email": f"ann{number}@company.test",
        "email_status": "verified",
        "job_title": "Service Desk Manager",
        "organisation_golden_id": f"org_{number % organisations:08}",
    }


def _changes(entity: str, rows: list[dict[str, Any]]) -> pa.Table:
    contract = GOLDEN_ORGANISATION if entity == "organisation" else GOLDEN_CONTACT
    names = [*contract.column_names, "change_kind"]
    fixed = {"sources": "apollo,zoominfo", "change_kind": "created", "content_hash": "1"}
    return pa.table({name: [row.get(name, fixed.get(name)) for row in rows] for name in names})


def _walked(ledger_file: Path) -> dict[str, Any]:
    """The whole feed by a poller that echoes nothing but last_sync: cost of the first and last pages, memory."""
    ledger, clock = Ledger.open(ledger_file), WallClock()
    seconds, records, last_sync = [], 0, None
    before_mb, began_s = _resident_mb(), time.perf_counter()
    while True:
        page_began_s = time.perf_counter()
        page = feed.page(ledger, clock, last_sync=last_sync, limit=feed.PAGE_ROWS_DEFAULT)
        seconds.append(time.perf_counter() - page_began_s)
        records, last_sync = records + len(page.records), page.last_sync_timestamp
        if not page.metadata["has_more"]:
            break
    walk_s, grown_mb = time.perf_counter() - began_s, _resident_mb() - before_mb
    ledger.close()
    timed = min(PAGES_TIMED, len(seconds) // 3) or 1
    first, last = median(seconds[1 : timed + 1]), median(seconds[-timed - 1 : -1] or seconds)
    return {
        "records walked": records,
        "pages": len(seconds),
        "walk, s": round(walk_s, 2),
        "page at the start, ms": round(first * 1000, 3),
        "page at the end, ms": round(last * 1000, 3),
        "end over start": round(last / first, 3),
        "memory grown over the walk, MB": round(grown_mb, 1),
    }


def _served(ledger_file: Path, folder: Path) -> dict[str, Any]:
    """Requests a second on distinct pages, beside bytes of the same size from memory."""
    if shutil.which("wrk") is None:
        print("wrk is not installed (Debian package wrk): requests a second are not measured.", file=sys.stderr)
        return {"requests a second": "not measured: wrk is missing"}
    ledger = Ledger.open(ledger_file)
    made = keys.add(ledger, WallClock(), name=f"bench {time.time_ns()}", scopes=["feed:read"])
    paths = _distinct_pages(ledger)
    ledger.close()
    settings = {"HALOSYNC_DATA": str(ledger_file.parent), "SERVICE__CALLS_PER_MINUTE": "100000000"}
    ours, bare = [], []
    with _server([sys.executable, "-m", "orchestration.cli", "serve"], settings) as url:
        headers = {"Authorization": f"Bearer {made}", "Accept-Encoding": "identity"}
        size = len(requests.get(f"{url}{paths[0]}", headers=headers, timeout=30).content)
        for turn in range(RUNS):
            ours.append(_wrk(url, paths[turn::RUNS], folder, key=made))
    peer = [sys.executable, "-m", "uvicorn", PEER, "--no-access-log", "--log-level", "error"]
    with _server(peer, {"BYTES": str(size)}) as url:
        bare = [_wrk(url, paths, folder, key=made) for _ in range(RUNS)]
    rates = {"ours": median(one["rate"] for one in ours), "bare": median(one["rate"] for one in bare)}
    return {
        "page, bytes": size,
        "requests a second, ours": round(rates["ours"], 1),
        "requests a second, bare": round(rates["bare"], 1),
        "ours over bare": round(rates["ours"] / rates["bare"], 3),
        "errors": sum(one["errors"] for one in ours),
    }


def _distinct_pages(ledger: Ledger) -> list[str]:
    """Paths of pages all over the feed, each another one."""
    paths: list[str] = []
    cursor = None
    while len(paths) < 2_000:
        page = feed.page(ledger, WallClock(), cursor=cursor, limit=feed.PAGE_ROWS_DEFAULT)
        cursor = page.metadata.get("cursor")
        if cursor is None:
            break
        paths.append(f"/halo-integrator/sync?cursor={cursor}")
    return paths


def _wrk(url: str, paths: list[str], folder: Path, *, key: str) -> dict[str, float]:
    script = folder / "pages.lua"
    listed = ",".join(f'"{path}"' for path in paths)
    script.write_text(
        f"local paths = {{{listed}}}\nlocal at = 0\n"
        "request = function() at = at % #paths + 1; return wrk.format('GET', paths[at]) end\n"
        "done = function(summary, latency, requests)\n"
        "  local e = summary.errors\n"
        "  io.write(string.format('FIGURES %f %d %f', summary.requests / (summary.duration / 1e6),\n"
        "    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(99) / 1000))\nend\n"
    )
    command = ["wrk", "-t1", "-c8", f"-d{WRK_S}s", "-s", str(script), "-H", f"Authorization: Bearer {key}", url]
    done = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate, errors, p99 = done.rpartition("FIGURES ")[2].split()
    return {"rate": float(rate), "errors": float(errors), "p99_ms": float(p99)}


@contextmanager
def _server(command: list[str], environment: dict[str, str]) -> Iterator[str]:
    port = _free_port()
    server = subprocess.Popen(
        [*command, "--port", str(port)], env=os.environ | environment, cwd=PROJECT_ROOT, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline_s = time.monotonic() + 60
        while not _answers(url):
            if server.poll() is not None or time.monotonic() > deadline_s:
                raise Stop(f"{command[-1]} did not come up.", Exit.DEFECT)
            time.sleep(0.2)
        yield url
    finally:
        server.terminate()
        server.wait()


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=2).ok
    except requests.RequestException:
        return False


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _resident_mb() -> float:
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
