"""The service's random suites in full volume: pollers, kill -9 under webhooks, mutated signatures; and comparing keys.

Belongs here: how much is played, part by part, and the timing of keys. Does not: the suites (tests).
Surprise: it plays the very tests of the default run, only more of them, so it needs a checkout.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import scipy.stats
from assets.publishing import keys
from assets.publishing.ledger import Ledger
from assets.publishing.snapshot import Kept
from sources.clock import WallClock

from orchestration.bench.receipts import Receipts, fingerprint
from orchestration.bench.suites import play
from orchestration.settings import PROJECT_ROOT

HISTORIES = 10_000
HISTORIES_A_PART = 500
WEBHOOKS = 1_000
MUTATIONS = 100_000
COMPARISONS = 100_000
_POLLERS = "tests/assets/publishing/test_feed_pollers.py"
_CODE = ("assets/publishing", _POLLERS)


def pollers(folder: Path, histories: int = HISTORIES) -> dict[str, Any]:
    """Part by part, so that a bench that was stopped goes on where it was."""
    receipts = Receipts(folder)
    code = fingerprint(PROJECT_ROOT / name for name in _CODE)
    found = {"histories of pollers": 0, "of them failed": 0}
    for first in range(0, histories, HISTORIES_A_PART):
        count = min(HISTORIES_A_PART, histories - first)
        key = {"code": code, "first": first, "count": count}
        part = receipts.find(f"pollers-{first}", key) or receipts.keep(
            f"pollers-{first}",
            key,
            _played(_POLLERS, options=("-k", "sqlite"), HALOSYNC_POLLERS=count, HALOSYNC_POLLERS_FROM=first),
        )
        found["histories of pollers"] += part["passed"] + part["failed"]
        found["of them failed"] += part["failed"]
        print(f"{found['histories of pollers']} histories, {found['of them failed']} failed", file=sys.stderr)
    return found


def webhooks() -> dict[str, Any]:
    test = "tests/orchestration/service/test_on_the_wire.py::test_after_kill_9_every_webhook_that_was_accepted_is_in_the_inbox_once"  # fmt: skip  # noqa: E501
    played = _played(test, HALOSYNC_WEBHOOKS=WEBHOOKS)
    return {"webhooks under kill -9": WEBHOOKS, "suites of webhooks failed": played["failed"]}


def signatures() -> dict[str, Any]:
    test = "tests/orchestration/service/test_webhooks.py::test_no_mutated_signed_request_is_accepted"
    played = _played(test, HALOSYNC_MUTATIONS=MUTATIONS)
    return {"mutated signed requests": MUTATIONS, "suites of signatures failed": played["failed"]}


def comparing_keys(folder: Path) -> dict[str, Any]:
    """S2: how long a wrong key takes, by how much of it is right; no difference may be found.

    Each wrong key is asked in a shuffled order, and the two groups are compared by the rank test of Mann and Whitney,
    which the long tail of such times does not fool.
    """
    path = folder / "keys" / "ledger.sqlite"
    path.unlink(missing_ok=True)
    ledger, clock, dice = Ledger.open(path), WallClock(), random.Random(1)
    made = keys.add(ledger, clock, name="timed", scopes=["feed:read"])
    wrong = {"nothing right": made[:16] + "A" * 43, "all but the end right": made[:-2] + "AA"}
    kept, ring = Kept.of(ledger), keys.KeyRing()
    assert kept is not None
    took_ns: dict[str, list[int]] = {name: [] for name in wrong}
    with kept.snapshot() as (snapshot, version):
        for _ in range(COMPARISONS):
            for name in dice.sample(sorted(wrong), 2):
                began_ns = time.perf_counter_ns()
                found = ring.recognise(snapshot, version, wrong[name])
                took_ns[name].append(time.perf_counter_ns() - began_ns)
                assert found is None
    kept.close()
    ledger.close()
    test = scipy.stats.mannwhitneyu(*took_ns.values())
    effect = test.statistic / COMPARISONS**2  # .5: either is as likely to be the slower one
    medians = {f"wrong key, {name}, ns": median(times) for name, times in took_ns.items()}
    return {**medians, "chance that the one is slower": round(float(effect), 4), "p": round(float(test.pvalue), 3)}


def _played(test: str, *, options: tuple[str, ...] = (), **environment: Any) -> dict[str, Any]:
    """One suite in one process; where it fails, the end of what it said is shown."""
    played = play(test, workers=0, options=options, **environment)
    if played["failed"]:
        print(played["tail"], file=sys.stderr)
    return played
