"""Buyers that are killed at random points: nothing is paid for twice, nothing is spent above the budget, nobody is lost.

`HALOSYNC_BUYER_KILLS=300` plays that many, a third at each vendor (`halosync bench sources --only kills`).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assets.publishing.credits import LedgerPurse
from assets.publishing.ledger import Ledger
from sources.archive import Archive
from sources.simulation import serve
from sources.world.world import World
from tests.faults.publisher import FastClock
from tests.sources.accounts import SIMULATORS
from tests.sources.buyer import DONE, FAILED, PAID_LIFE, PARTIAL

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("HALOSYNC_BUYER_KILLS", "0"))
VENDORS = ("apollo", "zoominfo", "uplead") if KILLS else ("apollo",)
KILLS_EACH = KILLS // 3 if KILLS else 3
PEOPLE = 300 if KILLS else 120
CREDITS_MAX = 60  # of one run at Apollo
BUDGET = 2 * PEOPLE  # of a day, and no story lasts so long


@pytest.fixture
def buyers(tmp_path):
    log = (tmp_path / "buyers.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.sources.buyer"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
    )  # fmt: skip

    def run(order: dict) -> int:
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        return int(process.stdout.readline())

    yield run
    process.communicate(timeout=60)
    log.close()


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_buyer_that_is_killed_pays_for_nothing_twice_and_never_above_its_budget(
    vendor, buyers, tmp_path, record_property
):
    world = World.replay(PEOPLE, 7, "bench-v1", [])
    dice = random.Random(f"kills of {vendor}")
    killed = story = kept_back = 0

    while killed < KILLS_EACH:
        story += 1
        folder = tmp_path / str(story)
        clock = FastClock(time.time())
        simulator = SIMULATORS[vendor](world, clock)
        with serve(simulator) as url:
            order = {"vendor": vendor, "folder": str(folder), "url": url, "began_s": clock.began_s}
            code = FAILED
            while code not in (DONE, PARTIAL) or _is_waiting(folder):
                before = _spent(simulator)
                kill_after_s = dice.uniform(0.0, 0.6) if killed < KILLS_EACH else None
                code = buyers(order | {"credits_max": CREDITS_MAX, "budget": BUDGET, "kill_after_s": kill_after_s})
                killed += code < 0
                assert code != FAILED, (tmp_path / "buyers.log").read_text()[-2_000:]
                assert _spent(simulator) - before <= CREDITS_MAX or vendor != "apollo"
                assert _spent(simulator) <= BUDGET
                assert _double(vendor, simulator) == 0
            archive = Archive(folder / "archive")
            lost = withheld(folder, clock, vendor)
            held = archive.stamps(vendor, "contact").keys()
            assert held | lost == set(world.contacts(vendor)["id"])
            assert not lost or vendor == "apollo"
            kept_back += len(lost)

    record_property("kills", killed)
    record_property("double charges", 0)
    record_property("people withheld", kept_back)


def withheld(folder: Path, clock: FastClock, vendor: str) -> set[str]:
    """Whom the ledger knows to be paid for and lost; they are bought again when their paid life is over."""
    ledger = folder / "ledger.sqlite"
    purse = LedgerPurse(lambda: Ledger.open(ledger), clock, vendor, run_id="look", paid_life=PAID_LIFE)
    return set(purse.withheld())


def _is_waiting(folder: Path) -> bool:
    """Whether the budget of the last run left people for the next one."""
    said = folder / "said.json"
    return said.exists() and any("wait for the next run" in line for line in json.loads(said.read_text()))


def _spent(simulator) -> float:
    return simulator.credits_consumed if simulator.name == "apollo" else simulator.credits_used


def _double(vendor: str, simulator) -> int:
    """Charges beyond the first of each record, as the vendor booked them."""
    if vendor == "apollo":
        return sum(times - 1 for times in simulator.account.charges.values())
    bought = simulator._bought
    records = sum(map(len, bought.values())) if vendor == "zoominfo" else len(bought)
    return int(simulator.credits_used) - records
