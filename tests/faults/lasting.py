"""A house for many stories: its ledger is opened once in a process, and emptied before each story.

Belongs here: beginning anew, and a restart that costs nothing. Does not: what happens in a story (boundaries.py,
histories.py), a restart that opens the file (publishing_house.py), real processes (kills.py).
Surprise: after a death the same `Ledger` goes on. It holds connections and nothing else, all it knows is in the file; to
open it again would cost more than the story, for every engine compiles its statements anew. What opening does to a ledger
after a real kill is tested in test_kills.py and test_ledger_deaths.py.
"""

from __future__ import annotations

from typing import Self

import sqlalchemy as sa

from assets.publishing.tables import metadata
from sources.clock import VirtualClock
from sources.halopsa.simulator import HaloSimulator
from sources.halopsa.simulator_records import HaloFixture
from tests.assets.publishing.publishing_house import House
from tests.faults.witness import Witness


class LastingHouse(House):
    """Call `begin` before each story."""

    witness: Witness

    def begin(self, fixture: HaloFixture | None = None) -> None:
        """An empty ledger, a tenant as in `fixture`, a clock at its start, and the mirror read."""
        with self.ledger.transaction() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(sa.delete(table))
        self.clock = VirtualClock()
        self.simulator = HaloSimulator(fixture, self.clock)
        self.witness = Witness(self.simulator)
        self.golden = {"organisation": {}, "contact": {}}
        self.runs = 0
        self.reached = []
        self._connect()
        self.walk()

    def restart(self) -> Self:
        """As a new process would: with a new client, on the same ledger."""
        self._connect()
        return self
