"""Random histories under deaths, lost answers and people: the invariants hold after every step.

HALOSYNC_FAULT_SEEDS says how many are played and HALOSYNC_FAULT_FROM where they begin (default 20 from 0); one alone:
HALOSYNC_FAULT_FROM=123 HALOSYNC_FAULT_SEEDS=1. `halosync bench faults` plays 5,000.
"""

from __future__ import annotations

import os

import pytest

from tests.faults.histories import play

FIRST = int(os.environ.get("HALOSYNC_FAULT_FROM", "0"))
SEEDS = int(os.environ.get("HALOSYNC_FAULT_SEEDS", "20"))


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_the_invariants_hold_after_every_step(seed, tmp_path):
    play(seed, tmp_path / "house")
