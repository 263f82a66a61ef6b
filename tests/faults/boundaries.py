"""One installation that can be killed at any boundary: before and after each local commit and each request.

Belongs here: naming boundaries, dying at one or two of them, and the story that is told again and again. Does not: what
must hold (test_boundaries.py), random histories (histories.py), killing real processes (kills.py).
Surprise: nobody lists failpoints. A boundary is named by who stands there, read off the stack: the verb, the step of
`assets/publishing`, what is committed or asked, and on which side of it. Whatever a later release adds is met by itself.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import sqlalchemy as sa

from assets.publishing.ledger import Ledger
from assets.publishing.reconcile import reconcile
from assets.publishing.tables import metadata, stored
from sources.halopsa.client import HaloClient
from sources.halopsa.simulator_records import HaloFixture
from sources.simulation import Fault, InMemoryAdapter, Simulator
from tests.assets.publishing.publishing_house import URL, Died, House, contact, organisation
from tests.faults.lasting import LastingHouse

ROOM = "assets.publishing."


class AsBefore(Exception):
    """Another story went on from here and ended well; `passed` are the boundaries that it passed then."""

    def __init__(self, passed: list[str]) -> None:
        super().__init__()
        self.passed = passed


class Fate:
    """Which boundaries are not survived, by number or by name, one after the other: a second name means the first
    boundary of that name after the first death. Those passed are kept by name."""

    def __init__(self, *deaths: int | str) -> None:
        self.left = list(deaths)
        self.passed: list[str] = []
        self.died_at: list[int] = []
        self.verb = ""

    def __call__(self, edge: str) -> None:
        number, name = len(self.passed), f"{self.verb}: {_step()} {edge}"
        self.passed.append(name)
        if self.left and self.left[0] in (number, name):
            self.left.pop(0)
            self.died_at.append(number)
            raise Died(f"{number} {name}")


def _step() -> str:
    """The innermost function of the publisher that is under way, and the public one it works for, if that is another of
    its module: `effects.settle/_write`. Empty where a verb asks by itself."""
    inner = ""
    frame = sys._getframe(2)
    while frame is not None:
        module, name = frame.f_globals.get("__name__", ""), frame.f_code.co_name
        if module.startswith(ROOM) and name.isidentifier() and name != "transaction":
            if not inner:
                inner, home = name, module
            if module != home:
                break
            if not name.startswith("_"):
                return f"{module.removeprefix(ROOM)}.{name}" + ("" if inner == name else f"/{inner}")
        frame = frame.f_back  # type: ignore[assignment]
    return f"{home.removeprefix(ROOM)}.{inner}" if inner else "itself"


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
        path = re.sub(r"\d+", "ID", urlsplit(request.url or "").path)
        self._fate(f"before {request.method} {path}")
        answer = super().send(request, *args, **kwargs)
        self._fate(f"after {request.method} {path}")
        return answer


class MortalHouse(LastingHouse):
    """A house that dies by its fate and goes on with what is durable."""

    titles_of_people: dict[str, str]

    def __init__(self, folder: Path) -> None:
        self.fate = Fate()
        self.known: dict[
            tuple[str, ...], list[str]
        ] = {}  # state after a death, deaths to come -> boundaries passed then
        super().__init__(folder)

    def begin_under(self, fate: Fate) -> None:
        """Begin; from here on every boundary counts."""
        self.fate = Fate()
        self.ledger.__class__ = MortalLedger
        self.ledger.fate = self.fate  # type: ignore[attr-defined]
        self.begin(tenant())
        self.fate = self.ledger.fate = fate  # type: ignore[attr-defined]
        self.told: list[str] = []
        self.states: list[str] = []  # after each death
        self.marks: list[tuple[tuple[str, ...], int]] = []  # states after deaths, and how many boundaries lay before
        self.titles_of_people = {"Ann Lee": "Boss"}
        self._connect()

    def survive(self, verb: str, step: Callable[[], Any]) -> None:
        """Do one step as its scheduler does: again from its start after every death.

        Raises:
            AsBefore: another story went on from the very same state.
        """
        self.told.append(verb)
        while True:
            self.fate.verb = verb
            try:
                step()
                break
            except Died:
                self.check()
                state = (self._durable(), *map(str, self.fate.left))
                self.states.append(state[0])
                if state in self.known:
                    raise AsBefore(self.known[state]) from None
                self.marks.append((state, len(self.fate.passed)))
                self.restart()
        self.check()

    def check(self) -> None:
        """I2, I3 and I7, which hold at every moment: nothing exists twice, what a person wrote is there, the ledger and
        the tenant tell the same."""
        for resource in ("Client", "Users"):
            twice = [name for name, count in self.simulator.records_by_golden_id(resource).items() if count > 1]
            assert not twice, f"I2: {resource} {twice} exist twice"
        for name, title in self.titles_of_people.items():
            assert self.row("Users", name)["title"] == title, f"I3: the title of {name} is no longer {title!r}"
        told = self.witness.contradictions(self.ledger)
        assert not told, f"I7: {told[0]}"

    def ended_well(self) -> None:
        """What this story ended in holds for every story that comes to one of its states."""
        self.known.update({state: self.fate.passed[start:] for state, start in self.marks})

    def _durable(self) -> str:
        """A digest of all that outlives a death: ledger, tenant, time, and how far the story is. Requests counted by the
        tenant's rate limit are left out: one read more or less decides nothing here."""
        digest = hashlib.sha256(repr((self.told, self.clock.time(), self.simulator.records.rows)).encode())
        digest.update(repr([(fault.effect, fault.seen) for fault in self.simulator.faults]).encode())
        with self.ledger.read() as connection:
            for table in metadata.sorted_tables:
                digest.update(
                    repr(
                        connection.execute(sa.select(*map(stored, table.columns)).order_by(*table.primary_key)).all()
                    ).encode()
                )
        return digest.hexdigest()

    def retitle(self, name: str, title: str) -> None:
        """A person gives somebody a title in Halo's own pages."""
        with self.witness.person():
            self.edit("Users", name, title=title)
        self.titles_of_people[name] = title

    def _connect(self) -> None:
        modes = self.simulator.modes
        adapter = MortalAdapter(self.simulator, self.fate)
        self.halo = HaloClient(URL, "acme", modes.client_id, modes.client_secret, self.clock, adapter=adapter)


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


def tell(house: MortalHouse, fate: Fate) -> dict[str, Counter[str]]:
    """Adopt, create, change, move, be edited by a person, merge, retire, lose a create and an update: every kind of write.

    The house is left at rest: one more run wrote nothing (I1). Gives what the tenant holds then.
    """
    house.begin_under(fate)
    say = house.survive

    def known(*records: dict[str, Any], **ended: Any) -> None:
        """A commit that died is made again from the same golden tables, as the pipeline does."""
        before = house.golden
        try:
            house.commit(*records, **ended)
        except Died:
            house.golden = before
            raise

    def lose(effect: str, path: str) -> None:
        """The tenant, or the way to it, fails once more; however often we died before."""
        house.simulator.faults[:] = [Fault(effect, path=path, method="POST")]

    lose("timeout_after_apply", "/api/Users")
    say("commit", lambda: known(ACME, OLD, ANN, BEN, CY))
    say("publish", house.publish)
    house.retitle("Ben Fox", "Person's own")
    say("walk", house.walk)
    lose("drop", "/api/Site")
    say("commit", lambda: known({**ACME, "phone": "+442079460009"}, {**BEN, "mobile": "+447700900002"}, DOT))
    say("publish", house.publish)
    say("commit", lambda: known(BOLT, {**CY, "organisation_golden_id": "org_bolt"}, merged={"org_old": "org_bolt"}))
    say("commit", lambda: known(gone=("con_dot",)))
    say("publish", house.publish)
    say("reconcile", lambda: reconcile(house.ledger, house.clock, house.halo, run_id="night"))
    say("publish", house.publish)
    say("walk", house.walk)
    say("publish", house.publish)
    mark = house.mark
    say("publish", house.publish)
    assert house.writes_since(mark) == [], "I1: a run with nothing to do wrote"
    return contents(house)


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
