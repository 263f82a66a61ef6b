"""Promises of the shared rate window: one for all clients and processes, kept over restarts, never over the limit.

HALOSYNC_LIMITER_DAYS=30 runs the long form of the backfill.
"""

from __future__ import annotations

import os
import subprocess
import sys
from bisect import bisect_left
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from publishing_house import URL, organisation
from publishing_house import House as PlainHouse

from assets.publishing.calls import LedgerCalls
from assets.publishing.tables import call
from sources.clock import VirtualClock
from sources.halopsa.client import HaloClient
from sources.halopsa.simulator import HaloSimulator
from sources.limiter import CallsHere, RateLimit, RollingLimiter
from sources.simulation import Fault, InMemoryAdapter
from tests.assets.publishing import ledgers

DAYS = float(os.environ.get("HALOSYNC_LIMITER_DAYS", "0.25"))
HALO = RateLimit(300, 300.0)
OURS = RateLimit(240, 300.0)


def book(folder: Path, api: str = "halopsa") -> LedgerCalls:
    return LedgerCalls(lambda: ledgers.opened(folder), api)


def fullest(sent: list[float], window_s: float) -> int:
    """Most calls in any window, its end excluded."""
    return max(bisect_left(sent, at + window_s) - index for index, at in enumerate(sent))


@settings(max_examples=25, deadline=None)
@given(pauses=st.lists(st.floats(min_value=0, max_value=30), max_size=30), calls=st.integers(1, 5))
def test_it_waits_exactly_as_one_that_counts_in_memory(tmp_path_factory, pauses, calls):
    folder = tmp_path_factory.mktemp("calls")
    shared = book(folder)
    clocks = VirtualClock(), VirtualClock()
    limits = [RateLimit(calls, 20), RateLimit(calls * 2, 60)]
    limiters = [RollingLimiter(limits, clock, one) for clock, one in zip(clocks, (shared, CallsHere()), strict=True)]

    for pause in pauses:
        waited = []
        for clock, limiter in zip(clocks, limiters, strict=True):
            clock.sleep(pause)
            waited.append(limiter.acquire())
        assert waited[0] == pytest.approx(waited[1], abs=1e-3)  # the ledger keeps whole microseconds
    shared.close()


def test_a_restart_remembers_the_window_and_two_apis_do_not_share_one(tmp_path):
    clock = VirtualClock()
    first = book(tmp_path)
    for _ in range(OURS.calls):
        RollingLimiter([OURS], clock, first).acquire()
    first.close()
    again, other = book(tmp_path), book(tmp_path, "another")

    assert RollingLimiter([OURS], clock, other).acquire() == 0
    assert RollingLimiter([OURS], clock, again).acquire() == pytest.approx(OURS.window_s, abs=0.1)
    again.close()
    other.close()


def test_calls_that_left_the_window_are_forgotten(tmp_path):
    clock, shared = VirtualClock(), book(tmp_path)
    limiter = RollingLimiter([RateLimit(3, 10)], clock, shared)
    for _ in range(20):
        limiter.acquire()

    with ledgers.opened(tmp_path).read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(call)) <= 6
    shared.close()


def test_processes_share_one_window(tmp_path):
    """Two processes, two threads each, real time: together they keep one limit."""
    program = """
import sys, threading
from pathlib import Path
from assets.publishing.ledger import Ledger
from assets.publishing.calls import LedgerCalls
from sources.clock import WallClock
from sources.limiter import RateLimit, RollingLimiter
clock, lock = WallClock(), threading.Lock()
limiter = RollingLimiter([RateLimit(10, 1.0)], clock, LedgerCalls(lambda: Ledger.open(sys.argv[1], Path(sys.argv[2])), "halopsa"))
def work():
    for _ in range(6):
        limiter.acquire()
        with lock:
            print(clock.time(), flush=True)
threads = [threading.Thread(target=work) for _ in range(2)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""
    root = Path(__file__).parents[3]
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", program, ledgers.place_of(tmp_path), tmp_path],
            cwd=root,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    told = [worker.communicate(timeout=60)[0] for worker in workers]

    assert [worker.returncode for worker in workers] == [0, 0]
    with ledgers.opened(tmp_path).read() as connection:
        kept = sorted(at.timestamp() for at in connection.scalars(sa.select(call.c.at)))
    assert len("".join(told).split()) == 24
    assert fullest(kept, 1.0) <= 10
    sent = sorted(float(at) for at in "".join(told).split())
    assert sent[-1] - sent[0] >= 2.0  # 24 calls at ten a second


def test_a_backfill_uses_its_budget_and_halo_never_answers_429():
    """Days of calls as fast as allowed, as Halo counts them."""
    clock = VirtualClock()
    limiter = RollingLimiter([OURS], clock)
    began_s, sent = clock.time(), []
    while clock.time() < began_s + DAYS * 86_400:
        limiter.acquire()
        sent.append(clock.time())

    assert fullest(sent, HALO.window_s) <= OURS.calls
    used = len(sent) / (OURS.calls * DAYS * 86_400 / OURS.window_s)
    print(f"{DAYS:g} days: {len(sent)} calls, {used:.4f} of the budget, fullest window {fullest(sent, HALO.window_s)}")
    assert used >= 0.95


def test_halo_limits_nobody_over_restarts_of_a_backfill(tmp_path):
    """Through client and simulator, the process started anew in the middle of a full window."""
    clock = VirtualClock()
    simulator = HaloSimulator(None, clock)
    for _ in range(2):
        shared = book(tmp_path)
        halo = HaloClient(
            URL, "acme", simulator.modes.client_id, simulator.modes.client_secret, clock,
            adapter=InMemoryAdapter(simulator), book=shared,
        )  # fmt: skip
        for _ in range(245):
            halo.get("Client", 1)
        assert not halo.retried
        shared.close()

    assert not [entry for entry in simulator.log if entry.status == 429]


def test_an_hour_of_429_is_drained_without_loss_or_double(tmp_path):
    house = PlainHouse(tmp_path / "house")
    names = [f"Company {number}" for number in range(12)]
    house.commit(*(organisation(f"org_{number}", name) for number, name in enumerate(names)))
    storm_ends_s = house.clock.time() + 3_600
    house.simulator.faults = [Fault("status", path="/api/", status=429, times=-1)]

    for _ in range(100):
        if house.clock.time() >= storm_ends_s:
            house.simulator.faults = []
        house.restart().publish()
        if len(house.rows("Client")) >= len(names) and house.clock.time() >= storm_ends_s:
            break
        house.clock.sleep(300)

    refused = [entry for entry in house.simulator.log if entry.status == 429]
    assert len(refused) > 10
    held = sorted(row["name"] for row in house.rows("Client").values() if row["name"] in names)
    assert held == sorted(names)
