"""A publisher that can really be killed: one run as a process of its own, on a real ledger, over a real socket.

Belongs here: the process that forks publishers, what one of them does, the clock they share with the tenant. Does not:
when they are killed and what must hold then (kills.py).
Surprise: it is started once and forks a new process for each run, for a Python that imports everything anew would cost
more than the run. A fork has opened nothing before it: ledger, locks and sockets are its own.

One line of JSON on stdin is one order, one line on stdout its answer. An order with `wait` is answered with the exit code
of that process (negative: a signal), which is killed first where `kill_after_s` says so; any other starts a run and is
answered with its process id.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from assets.publishing import commit as commits
from assets.publishing import mirror
from assets.publishing.calls import LedgerCalls
from assets.publishing.ledger import Ledger, LedgerBusy
from assets.publishing.publisher import publish
from sources.clock import VIRTUAL_START
from sources.halopsa.client import HaloClient
from sources.halopsa.simulator_modes import HaloModes
from tests.assets.publishing.publishing_house import changes_between

RATE = 100.0  # seconds on the clock for one real one: the settle time of a minute is .6 s
DONE, FAILED, PARTIAL, BUSY = 0, 1, 3, 5  # as of the verbs


class FastClock:
    """The real time, run faster; the same in every process that was given the same `began_s`."""

    def __init__(self, began_s: float) -> None:
        self.began_s = began_s

    def time(self) -> float:
        return VIRTUAL_START.timestamp() + (time.time() - self.began_s) * RATE

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.time(), UTC)

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds / RATE)


def live(order: dict[str, Any]) -> int:
    """One run as the schedule makes it: commit what golden says, read HaloPSA, publish. Gives the exit code."""
    if order["spare_kb"] is not None:
        limit_bytes = _used_bytes() + order["spare_kb"] * 1024
        resource.setrlimit(resource.RLIMIT_AS, (limit_bytes, limit_bytes))
    clock, modes = FastClock(order["began_s"]), HaloModes()
    ledger = Ledger.open(Path(order["ledger"]))
    halo = HaloClient(
        order["url"], modes.tenant, modes.client_id, modes.client_secret, clock,
        calls_per_window=100_000, timeout_s=20.0, book=LedgerCalls(lambda: ledger, "halopsa"),
    )  # fmt: skip
    commits.commit(ledger, clock, run_id=order["run_id"], changes=_changes(order))
    pages = {name: [row for page in halo.walk(name) for row in page] for name in ("Client", "Site", "Users")}
    mirror.replace(ledger, clock, pages)
    result = publish(ledger, clock, halo, run_id=order["run_id"])
    ledger.close()
    return PARTIAL if result.problems else DONE


def _changes(order: dict[str, Any]) -> dict[str, pa.Table]:
    """All that golden holds; the commit finds out what of it is new."""
    return {
        entity: changes_between({golden_id: {} for golden_id in order["gone"][entity]}, after, entity)
        for entity, after in order["golden"].items()
    }


def _used_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _as_child(order: dict[str, Any]) -> int:
    try:
        return live(order)
    except LedgerBusy:
        return BUSY
    except BaseException:  # noqa: BLE001  (a forked child must never go on as its parent)
        traceback.print_exc()
        return FAILED


def _started(order: dict[str, Any]) -> int:
    child = os.fork()
    if child == 0:
        code = _as_child(order)
        sys.stderr.flush()
        os._exit(code)
    return child


def _ended(child: int, kill_after_s: float | None) -> int:
    if kill_after_s is not None:
        time.sleep(kill_after_s)
        os.kill(child, signal.SIGKILL)  # not waited for yet, so the number is still its own
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        print(_ended(order["wait"], order["kill_after_s"]) if "wait" in order else _started(order), flush=True)


if __name__ == "__main__":
    main()
