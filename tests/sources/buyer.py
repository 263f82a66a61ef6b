"""A buyer that can really be killed: one run of a source as a process of its own, over a real socket, on real files.

Belongs here: the process that forks buyers, and what one of them does. Does not: when they are killed and what must
hold then (test_kills.py). Surprise: as `tests/faults/publisher.py`, it is started once and forks a process for each
run; an order is a line of JSON on stdin, its answer a line on stdout: the exit code, negative for a signal.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from datetime import timedelta
from pathlib import Path
from typing import Any

from dlt.common.configuration.container import Container
from dlt.common.pipeline import StateInjectableContext

from assets.publishing.credits import LedgerPurse
from assets.publishing.ledger import Ledger
from sources.apollo import apollo
from sources.apollo.client import ApolloClient
from sources.archive import Archive
from sources.intake import Meter
from sources.tariffs import TARIFFS
from sources.tollgate import Tollgate
from sources.uplead import uplead
from sources.uplead.client import UpLeadClient
from sources.uplead.simulator import API_KEY
from sources.zoominfo import zoominfo
from sources.zoominfo.client import ZoomInfoClient
from sources.zoominfo.simulator import CLIENT_ID, CLIENT_SECRET
from tests.faults.publisher import FastClock

DONE, FAILED, PARTIAL = 0, 1, 3
PAID_LIFE = timedelta(days=30)  # without one, people whose answer was lost are bought again (docs/credits.md)


def buy(order: dict[str, Any]) -> int:
    """One run of one source; its state is lost with it, as a warehouse that was killed before the load ended."""
    clock, meter, folder = FastClock(order["began_s"]), Meter(order["vendor"]), Path(order["folder"])
    archive, url = Archive(folder / "archive"), order["url"]
    meter.run_id = str(time.time_ns())
    meter.purse = LedgerPurse(
        lambda: Ledger.open(folder / "ledger.sqlite"),
        clock,
        meter.source,
        run_id=meter.run_id,
        budget=order["budget"],
        paid_life=PAID_LIFE,
    )
    gate = Tollgate(meter.source, TARIFFS[meter.source](), meter.purse)
    if order["vendor"] == "apollo":
        client = ApolloClient(url, "apollo-good", clock, adapter=gate)
        source = apollo(client, archive, meter, credits_max=order["credits_max"])
    elif order["vendor"] == "zoominfo":
        client = ZoomInfoClient(url, CLIENT_ID, CLIENT_SECRET, clock)
        client.session.mount(url, gate)
        source = zoominfo(client, archive, meter)
    else:
        client = UpLeadClient(url, API_KEY, clock)
        client.session.mount(url, gate)
        source = uplead(client, archive, meter)
    with Container().injectable_context(StateInjectableContext(state={})):
        for resource in source.resources.values():
            for _ in resource:
                pass
    (folder / "said.json").write_text(json.dumps(meter.problems))
    return PARTIAL if meter.problems else DONE


def _as_child(order: dict[str, Any]) -> int:
    try:
        return buy(order)
    except BaseException:  # noqa: BLE001  (a forked child must never go on as its parent)
        traceback.print_exc()
        return FAILED


def _run(order: dict[str, Any]) -> int:
    child = os.fork()
    if child == 0:
        code = _as_child(order)
        sys.stderr.flush()
        os._exit(code)
    if order["kill_after_s"] is not None:
        time.sleep(order["kill_after_s"])
        os.kill(child, signal.SIGKILL)  # not waited for yet, so the number is still its own
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> None:
    for line in sys.stdin:
        print(_run(json.loads(line)), flush=True)


if __name__ == "__main__":
    main()
