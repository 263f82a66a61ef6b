"""The feed's pages under load: cost at the start and the end, memory, requests a second, the tail beside a run.

Belongs here: walks, wrk, the figures. Does not: the ledger (feed_ledger.py), starting servers (servers.py).
Surprise: the peer is an ASGI application that returns bytes of the same size from memory, on the same server, asked by
the same client (wrk, from Debian's package of that name), so the ratio says what halosync itself costs. Both are asked
in turns, and every page asked for is a distinct one, in a shuffled order, so that no cache of ours can help.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import requests
from assets.publishing import feed, keys
from assets.publishing.feed import Question
from assets.publishing.ledger import Ledger
from sources.clock import WallClock

from orchestration.bench.servers import Server, cpu_s, resident_mb, server
from orchestration.exits import Exit, Stop
from orchestration.settings import PROJECT_ROOT

PAGES_TIMED = 400
WRK_S = 6
RUNS = 5
SERVE = [sys.executable, "-m", "orchestration.cli", "serve"]
PEER = [sys.executable, "-m", "uvicorn", "orchestration.bench.peers.bare_asgi:app", "--no-access-log", "--log-level",
        "error"]  # fmt: skip
LOAD = [sys.executable, "-m", "orchestration.bench.peers.materialise"]


def walked(ledger_file: Path) -> dict[str, Any]:
    """The whole feed by a poller that echoes nothing but last_sync; then first and last pages in turns."""
    ledger, clock = Ledger.open(ledger_file), WallClock()
    places: list[str | None] = [None]
    records, began_s = 0, time.perf_counter()
    while True:
        page = feed.page(ledger, clock, Question(last_sync=places[-1]))
        records += len(page.records)
        if not page.metadata["has_more"]:
            break
        places.append(page.last_sync_timestamp)
    walk_s = time.perf_counter() - began_s
    # Whole pages of contacts on both sides, so that nothing but the depth differs.
    inner = places[len(places) // 5 : -1] or places
    timed = min(PAGES_TIMED, len(inner) // 2) or 1
    start_s, end_s = [], []
    for first, last in zip(inner[:timed], inner[-timed:], strict=True):
        start_s.append(_seconds(partial(feed.page, ledger, clock, Question(last_sync=first))))
        end_s.append(_seconds(partial(feed.page, ledger, clock, Question(last_sync=last))))
    ledger.close()
    return {
        "records walked": records,
        "pages": len(places),
        "walk, s": round(walk_s, 2),
        "page at the start, ms": round(median(start_s) * 1000, 3),
        "page at the end, ms": round(median(end_s) * 1000, 3),
        "end over start": round(median(end_s) / median(start_s), 3),
    }


def served(ledger_file: Path, folder: Path) -> dict[str, Any]:
    """Requests a second on distinct pages, those that are 304, the tail with a materialisation beside, memory."""
    if shutil.which("wrk") is None:
        raise Stop("wrk is not installed (Debian package wrk): requests a second cannot be measured.", Exit.USAGE)
    ledger, clock = Ledger.open(ledger_file), WallClock()
    key = keys.add(ledger, clock, name=f"bench {time.time_ns()}", scopes=["feed:read"])
    paths = _distinct_pages(ledger)
    ledger.close()
    load = os.getloadavg()[0]
    settings = {"HALOSYNC_DATA": str(ledger_file.parent), "SERVICE__CALLS_PER_MINUTE": "100000000"}
    with server(SERVE, settings) as ours:
        size = len(requests.get(f"{ours.url}{paths[0]}", headers=_headers(key), timeout=30).content)
        wrk = Wrk(folder, key, paths)
        memory = _memory(ours.url, ours.pid, key)
        with server(PEER, {"BYTES": str(size)}) as peer:
            pairs = [(wrk.run(ours), wrk.run(peer)) for _ in range(RUNS)]
        held = [wrk.run(ours, "If-None-Match: *") for _ in range(3)]
        quiet, loud = [], []
        for _ in range(RUNS):
            quiet.append(wrk.run(ours)["p99_ms"])
            with _materialising(folder):
                loud.append(wrk.run(ours)["p99_ms"])
    rate, bare = (median(one[side]["rate"] for one in pairs) for side in (0, 1))
    return {
        "page, bytes": size,
        "requests a second, ours": round(rate, 1),
        "requests a second, bare": round(bare, 1),
        "ours over bare, median of the pairs": round(median(a["rate"] / b["rate"] for a, b in pairs), 3),
        "CPU a request, ours, us": round(median(a["cpu_us"] for a, _ in pairs)),
        "CPU a request, bare, us": round(median(b["cpu_us"] for _, b in pairs)),
        "bare over ours by CPU, median of the pairs": round(median(b["cpu_us"] / a["cpu_us"] for a, b in pairs), 3),
        "load of the machine": round(load, 1),
        "304s a second": round(median(one["rate"] for one in held), 1),
        "p99, ms": round(median(quiet), 2),
        "p99 with a materialisation, ms": round(median(loud), 2),
        "p99 with over without": round(median(loud) / median(quiet), 2),
        **memory,
        "errors": sum(one["errors"] for pair in pairs for one in pair),
    }


class Wrk:
    """wrk over `paths`, each in its turn."""

    def __init__(self, folder: Path, key: str, paths: list[str]) -> None:
        self._key, self._script = key, folder / "pages.lua"
        listed = ",\n".join(f'"{path}"' for path in paths)
        self._script.write_text(
            f"local paths = {{{listed}}}\nlocal at = 0\n"
            "request = function() at = at % #paths + 1; return wrk.format('GET', paths[at]) end\n"
            "done = function(summary, latency, requests)\n"
            "  local e = summary.errors\n"
            "  io.write(string.format('FIGURES %f %d %f', summary.requests / (summary.duration / 1e6),\n"
            "    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(99) / 1000))\nend\n"
        )

    def run(self, asked: Server, *headers: str) -> dict[str, float]:
        """Rate, errors, tail, and what each request cost the server in CPU: on a machine where others are at work
        that says more than the rate."""
        given = [f"Authorization: Bearer {self._key}", *headers]
        command = ["wrk", "-t1", "-c8", f"-d{WRK_S}s", "-s", str(self._script)]
        command += [part for header in given for part in ("-H", header)]
        before_s = cpu_s(asked.pid)
        done = subprocess.run([*command, asked.url], capture_output=True, text=True, check=True).stdout
        used_s = cpu_s(asked.pid) - before_s
        rate, errors, p99 = done.rpartition("FIGURES ")[2].split()
        cpu_us = used_s / (float(rate) * WRK_S) * 1e6
        return {"rate": float(rate), "errors": float(errors), "p99_ms": float(p99), "cpu_us": cpu_us}


@contextmanager
def _materialising(folder: Path) -> Iterator[None]:
    """DuckDB at work on one thread, as politely as a schedule would start it."""
    command = ["nice", "-n", "19", *LOAD, str(folder / "load.duckdb")]
    load = subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE)
    assert load.stdout is not None
    load.stdout.readline()  # it says so when it is at work
    try:
        yield
    finally:
        load.terminate()
        load.wait()


def _memory(url: str, pid: int, key: str) -> dict[str, Any]:
    """Memory of the service over a whole walk by a poller that echoes nothing but last_sync."""
    seen, pages, last_sync = [], 0, ""
    with requests.Session() as session:
        session.trust_env = False
        session.headers.update(_headers(key))
        while True:
            parameters: dict[str, str] = {"last_sync": last_sync} if last_sync else {}
            answer = session.get(f"{url}/halo-integrator/sync", params=parameters, timeout=30).json()
            pages, last_sync = pages + 1, answer["last_sync_timestamp"]
            if pages % 100 == 0:
                seen.append(resident_mb(pid))
            if not answer["metadata"]["has_more"]:
                break
    tenth = len(seen) // 10
    grown = seen[-1] - seen[tenth] if seen else 0.0
    return {"pages walked over HTTP": pages, "memory grown after the first tenth, MB": round(grown, 1)}


def _distinct_pages(ledger: Ledger) -> list[str]:
    """The paths of all pages of the feed, shuffled."""
    paths: list[str] = []
    cursor = None
    while True:
        page = feed.page(ledger, WallClock(), Question(cursor=cursor))
        cursor = page.metadata.get("cursor")
        if cursor is None:
            break
        paths.append(f"/halo-integrator/sync?cursor={cursor}")
    random.Random(1).shuffle(paths)
    return paths


def _headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", "Accept-Encoding": "identity"}


def _seconds(call: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    call()
    return time.perf_counter() - began_s
