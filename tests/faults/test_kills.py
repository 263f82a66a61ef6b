"""F1, F10, F26 with real processes: SIGKILL at any moment, SIGSTOP, no memory; the next start needs no hand.

Here a few kills are made; `halosync bench faults --only kills` makes 300. HALOSYNC_FAULT_KILLS says how many,
HALOSYNC_FAULT_FROM which seed.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from assets.publishing.ledger import Ledger, advance
from tests.faults.kills import KILLED, Field, Publisher, standing
from tests.faults.publisher import BUSY, DONE, FAILED

KILLS = int(os.environ.get("HALOSYNC_FAULT_KILLS", "5"))
SEED = int(os.environ.get("HALOSYNC_FAULT_FROM", "0"))
UNKILLED_EVERY = 8


@pytest.fixture(scope="module")
def publisher(tmp_path_factory) -> Iterator[Publisher]:
    publisher = Publisher(tmp_path_factory.mktemp("publisher"))
    yield publisher
    publisher.close()


@pytest.fixture
def field(tmp_path, publisher) -> Iterator[Field]:
    with standing(tmp_path, publisher, SEED) as field:
        field.change()
        yield field


def test_f01_a_publisher_killed_at_any_moment_loses_nothing_and_goes_on_by_itself(field, record_property):
    field.run_whole()
    kills = runs = 0
    while kills < KILLS:
        runs += 1
        field.change()
        field.edit()
        if runs % UNKILLED_EVERY == 0:
            field.run_whole()
        else:
            code = field.run(kill_after_s=field.dice.uniform(0.0, 1.1 * field.span_s))
            assert code in (KILLED, DONE), field.publisher.said()
            kills += code == KILLED
    field.check_at_rest()
    record_property("kills", kills)


def test_f10_a_stopped_publisher_that_wakes_after_another_took_over_writes_nothing(field):
    """SIGSTOP while its write is under way: a rival waits for it, a successor fences it off."""
    under_way, answered = threading.Event(), threading.Event()
    apply = field.simulator.records._apply

    def held(resource, fields, **by):
        under_way.set()
        assert answered.wait(60)
        return apply(resource, fields, **by)

    field.simulator.records._apply = held
    stopped = field.start()
    assert under_way.wait(60)
    os.kill(stopped, signal.SIGSTOP)
    field.simulator.records._apply = apply
    answered.set()
    assert field.publisher.ended(field.start()) == BUSY  # the lock lives as long as its process, asleep or not
    with closing(Ledger.open(field.path)) as ledger, ledger.transaction() as connection:
        advance(connection, "fence:publish")
    applied = len(field.witness.from_us)

    os.kill(stopped, signal.SIGCONT)

    assert field.publisher.ended(stopped) == BUSY
    assert field.witness.from_us[applied:] == []
    field.check_at_rest()


def test_f26_a_publisher_without_memory_stops_and_loses_nothing(field):
    field.run_whole()
    codes = []
    for spare_kb in (0, 512, 2_048, 8_192):
        field.change()
        codes.append(field.run(spare_kb=spare_kb))

    assert codes[0] == FAILED, f"exit codes {codes}"
    field.check_at_rest()
