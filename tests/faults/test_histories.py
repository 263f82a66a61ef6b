"""Random histories under deaths, lost answers and people: the invariants hold after every step.

HALOSYNC_FAULT_SEEDS says how many are played and HALOSYNC_FAULT_FROM where they begin (default 20 from 0); one alone:
HALOSYNC_FAULT_FROM=123 HALOSYNC_FAULT_SEEDS=1. `halosync bench faults` plays 5,000.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.faults.histories import play
from tests.faults.lasting import LastingHouse

FIRST = int(os.environ.get("HALOSYNC_FAULT_FROM", "0"))
SEEDS = int(os.environ.get("HALOSYNC_FAULT_SEEDS", "20"))


@pytest.fixture(scope="module")
def house(tmp_path_factory, store) -> Iterator[LastingHouse]:
    house = LastingHouse(tmp_path_factory.mktemp("lasting"))
    yield house
    house.ledger.close()


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_the_invariants_hold_after_every_step(seed, house):
    play(seed, house)
