"""Each fault of the list at each place of each vendor: named, nothing wrong, nothing lost once it ends, nothing paid twice.

By default a seeded sample in memory; `HALOSYNC_FAULTS=all` plays the whole list, in memory and over a socket
(`halosync bench sources --only faults`).
"""

from __future__ import annotations

import os
import random
import re

import pytest

from sources.faults import TROUBLES, Outcome, scripted
from sources.world.world import World
from tests.sources.accounts import VENDORS, Refreshed, VendorAccount, said, small_pages

SAMPLE = 5
IS_WHOLE = os.environ.get("HALOSYNC_FAULTS") == "all"
ALL = {vendor: scripted(vendor) for vendor in VENDORS}


def _played():
    ways = ("memory", "socket") if IS_WHOLE else ("memory",)
    chosen = [
        fault
        for vendor, faults in ALL.items()
        for fault in (faults if IS_WHOLE else random.Random(f"faults of {vendor}").sample(faults, SAMPLE))
    ]
    return [pytest.param(fault, by, id=f"{fault.vendor}-{fault.name}-{by}") for fault in chosen for by in ways]


@pytest.fixture(scope="module")
def world():
    return World.replay(120, 7, "bench-v1", [])


@pytest.fixture(scope="module")
def sound(world, tmp_path_factory):
    """Every account after a run without faults."""
    with pytest.MonkeyPatch.context() as patch:
        small_pages(patch, 20)
        accounts = {vendor: VendorAccount(vendor, world, tmp_path_factory.mktemp(vendor)) for vendor in VENDORS}
        assert all(account.run().problems == [] for account in accounts.values())
    return accounts


@pytest.mark.parametrize("vendor", VENDORS)
def test_at_least_forty_faults_are_played_at_each_vendor(vendor, record_property):
    names = [fault.name for fault in ALL[vendor]]
    record_property(f"faults of {vendor}", len(names))

    assert len({fault.trouble.name for fault in ALL[vendor]}) >= 40
    assert len(set(names)) == len(names)


def test_every_fault_strikes_at_some_vendor():
    played = {fault.trouble.name for faults in ALL.values() for fault in faults}

    assert played == {trouble.name for trouble in TROUBLES}


@pytest.mark.parametrize(("fault", "by"), _played())
def test_a_fault_is_named_and_once_it_ends_nothing_is_wrong_lost_or_paid_twice(
    fault, by, world, sound, tmp_path, monkeypatch, record_property
):
    small_pages(monkeypatch, 20)
    right = sound[fault.vendor]
    account = VendorAccount(fault.vendor, world, tmp_path)

    account.simulator.faults = [fault.fault()]
    broken = account.run(by)
    struck = account.raw.copy()
    account.simulator.faults = []
    if fault.outcome is Outcome.QUARANTINED:
        account.clock.sleep(1.1 * 86_400)  # what was refused is looked at again by the daily sweep
    mended = account.run(by)
    missing = right.raw.keys() - account.raw.keys()
    spent = account.credits

    assert re.search(fault.said, said(broken)), said(broken)
    assert bool(broken.problems) is (fault.outcome in (Outcome.NAMED, Outcome.WRITTEN_OFF))
    assert bool(broken.refused) is (fault.outcome in (Outcome.QUARANTINED, Outcome.WRITTEN_OFF))
    assert struck.items() <= right.raw.items(), "a wrong row"
    assert account.raw.items() <= right.raw.items(), "a wrong row"
    assert spent <= right.credits, "paid twice"
    assert mended.problems == []
    if fault.outcome in (Outcome.SERVED, Outcome.NAMED):
        assert missing == set()
    if fault.outcome is Outcome.SERVED:
        assert struck == right.raw
    assert {key for key in missing if key[0] == "contact"} <= account.quarantined, "lost without a word"
    if missing:
        assert fault.place.is_charged_again, "only what would be paid for twice may wait"
        account.simulator.world = Refreshed(world, {row_id for _, row_id in missing})
        account.run(by)
        assert account.raw.keys() == right.raw.keys()
    record_property("faults played", 1)
