"""One installation that can be killed at any boundary: before and after each local commit and each request.

Belongs here: counting boundaries, dying at one or two of them, and the story that is told again and again. Does not:
what must hold (test_boundaries.py), random histories (histories.py).
Surprise: boundaries are numbered, not named: whatever a later release commits or asks is met without anybody adding a
failpoint for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa

from assets.publishing.ledger import Ledger
from sources.halopsa.client import HaloClient
from sources.halopsa.simulator_records import HaloFixture
from sources.simulation import InMemoryAdapter, Simulator
from tests.assets.publishing.publishing_house import URL, Died, House, contact, organisation


class Fate:
    """Which boundaries, counted over the whole story, are not survived. Those passed are kept by name."""

    def __init__(self, *deaths: int) -> None:
        self.deaths = frozenset(deaths)
        self.passed: list[str] = []

    def __call__(self, boundary: str) -> None:
        number = len(self.passed)
        self.passed.append(boundary)
        if number in self.deaths:
            raise Died(f"{number} {boundary}")


class MortalLedger(Ledger):
    """A ledger whose process can die around each commit."""

    fate: Fate

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        self.fate("before transaction")
        with super().transaction() as connection:
            yield connection
            self.fate("before commit")
        self.fate("after commit")


class MortalAdapter(InMemoryAdapter):
    """A wire whose near end can die before the bytes leave and after the answer came."""

    def __init__(self, app: Simulator, fate: Fate) -> None:
        super().__init__(app)
        self._fate = fate

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        self._fate(f"before {request.method}")
        answer = super().send(request, *args, **kwargs)
        self._fate(f"after {request.method}")
        return answer


class MortalHouse(House):
    """A house that dies by its fate and starts again on the same files."""

    def __init__(self, folder: Path, fixture: HaloFixture, fate: Fate) -> None:
        super().__init__(folder, fixture)
        self.fate = fate
        self.titles_of_people = {"Ann Lee": "Boss"}
        self._haunt()

    def restart(self) -> House:
        super().restart()
        self._haunt()
        return self

    def survive(self, step: Callable[[], Any]) -> None:
        """Do one step as its scheduler does: again from its start after every death."""
        while True:
            try:
                step()
                break
            except Died:
                self.check()
                self.restart()
        self.check()

    def check(self) -> None:
        """I2 and I3, which hold at every moment: nothing exists twice, and what a person wrote is there."""
        for resource in ("Client", "Users"):
            twice = [name for name, count in self.simulator.records_by_golden_id(resource).items() if count > 1]
            assert not twice, f"I2: {resource} {twice} exist twice"
        for name, title in self.titles_of_people.items():
            assert self.row("Users", name)["title"] == title, f"I3: the title of {name} is no longer {title!r}"

    def retitle(self, name: str, title: str) -> None:
        """A person gives somebody a title in Halo's own pages."""
        self.edit("Users", name, title=title)
        self.titles_of_people[name] = title

    def _haunt(self) -> None:
        """Opening and migrating are over by now; from here on every boundary counts."""
        modes = self.simulator.modes
        self.ledger.__class__ = MortalLedger
        self.ledger.fate = self.fate  # type: ignore[attr-defined]
        self.halo = HaloClient(
            URL, "acme", modes.client_id, modes.client_secret, self.clock,
            adapter=MortalAdapter(self.simulator, self.fate),
        )  # fmt: skip


ACME = organisation("org_acme", "Acme Ltd", domain="acme.test", phone="+442079460001", city="London")
BOLT = organisation("org_bolt", "Bolt Inc", domain="bolt.test", phone="+442079460002")
OLD = organisation("org_old", "Bolt Incorporated", domain="bolt-old.test")
ANN = contact("con_ann", "Ann", "Lee", "org_acme", job_title="Clerk", mobile="+447700900001")
BEN = contact("con_ben", "Ben", "Fox", "org_acme")
CY = contact("con_cy", "Cy", "Day", "org_old")
DOT = contact("con_dot", "Dot", "Ray", "org_acme")


def tenant() -> HaloFixture:
    """A tenant that people have begun to fill: one client and one user that golden knows too."""
    return HaloFixture(
        clients=[{"id": 10, "name": "Acme Ltd", "domain": "acme.test", "main_site_id": 20}],
        sites=[{"id": 20, "name": "Main", "client_id": 10}],
        users=[{"id": 30, "name": "Ann Lee", "site_id": 20, "emailaddress": "ann.lee@org_acme.test", "title": "Boss"}],
    )


def tell(folder: Path, fate: Fate) -> MortalHouse:
    """Adopt, create, change, move, be edited by a person, merge, retire, lose an answer: every kind of write."""
    house = MortalHouse(folder, tenant(), fate)
    say = house.survive

    def known(*records: dict[str, Any], **ended: Any) -> None:
        """A commit that died is made again from the same golden tables, as the pipeline does."""
        before = house.golden
        try:
            house.commit(*records, **ended)
        except Died:
            house.golden = before
            raise

    say(lambda: known(ACME, OLD, ANN, BEN, CY))
    say(house.publish)
    house.retitle("Ben Fox", "Person's own")
    say(house.walk)
    say(lambda: known({**ACME, "phone": "+442079460009"}, {**BEN, "mobile": "+447700900002"}, DOT))
    say(house.publish)
    say(lambda: known(BOLT, {**CY, "organisation_golden_id": "org_bolt"}, merged={"org_old": "org_bolt"}))
    say(lambda: known(gone=("con_dot",)))
    say(house.publish)
    for _ in range(2):
        say(house.walk)
        say(house.publish)
    return house


IGNORED = ("id", "_updated", "_created", "_custom", "client_id", "site_id", "main_site_id", "customfields")


def contents(house: House) -> dict[str, Counter[str]]:
    """What the tenant holds, ids and stamps of time aside: deaths may cost ids, never values."""
    return {
        resource: Counter(
            repr(sorted((name, value) for name, value in row.items() if name not in IGNORED))
            for row in house.rows(resource).values()
        )
        for resource in ("Client", "Site", "Users")
    }
