"""A publisher that is killed again and again beside a tenant that stands: real processes, a real socket, a real file.

Belongs here: the tenant, what golden and people do between two runs, and what holds after each. Does not: the process
that is killed (publisher.py), deaths at a chosen boundary (boundaries.py).
Surprise: nothing is checked before the tenant is quiet. A killed process may leave a request in a socket, which the
tenant answers a moment later, as a real one would.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from assets.publishing import chain, outbox
from assets.publishing.ledger import Ledger
from assets.publishing.tables import effect
from sources.halopsa.simulator import HaloSimulator
from sources.simulation import serve
from tests.assets.publishing.publishing_house import contact, organisation
from tests.faults.publisher import DONE, FastClock
from tests.faults.witness import Witness

ROOT = Path(__file__).parents[2]
KILLED = -9
FIELDS = {"title": "job_title", "mobilenumber": "mobile"}  # what people and golden both write


class Publisher:
    """Starts runs, each a process of its own. One serves any number of fields."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "publisher.log"
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.publisher"],
                cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip

    def start(self, order: dict[str, Any]) -> int:
        """The process id of a new run."""
        return self._answer(order)

    def ended(self, child: int, *, kill_after_s: float | None = None) -> int:
        """The exit code of a run, when it has one."""
        return self._answer({"wait": child, "kill_after_s": kill_after_s})

    def said(self) -> str:
        """The end of what runs wrote to stderr."""
        return self._log.read_text()[-2_000:]

    def close(self) -> None:
        self._process.communicate(timeout=60)

    def _answer(self, order: dict[str, Any]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the publisher has gone: {self.said()}"
        return int(line)


class Field:
    """One tenant that stands, one ledger, golden records that change, people who edit, and runs that are killed."""

    def __init__(self, folder: Path, publisher: Publisher, seed: int) -> None:
        self.path, self.publisher, self.dice = folder / "ledger.sqlite", publisher, random.Random(seed)
        self.url = ""
        self.clock = FastClock(time.time())
        self.simulator = HaloSimulator(None, self.clock, limit_calls=None)
        self.witness = Witness(self.simulator)
        self.golden: dict[str, dict[str, dict[str, Any]]] = {"organisation": {}, "contact": {}}
        self.gone: dict[str, list[str]] = {"organisation": [], "contact": []}
        self.edits: dict[tuple[int, str], str] = {}  # (halo id, field) -> what a person put there
        self.runs = self.count = 0
        self._not_ours = set(threading.enumerate())  # other tests may have left servers that still talk
        self.span_s = 0.5  # about how long a run takes that nobody kills

    # -- what happens ---------------------------------------------------------------------------------------------

    def start(self, *, spare_kb: int | None = None) -> int:
        """The process id of a new run; `spare_kb` is all the memory that it may take beyond what it begins with."""
        self.runs += 1
        return self.publisher.start({
            "run_id": f"run-{self.runs}", "ledger": str(self.path), "url": self.url, "began_s": self.clock.began_s,
            "golden": self.golden, "gone": self.gone, "spare_kb": spare_kb,
        })  # fmt: skip

    def run(self, *, kill_after_s: float | None = None, spare_kb: int | None = None) -> int:
        """One run to its end, whichever it is; then what holds after every run. Gives the exit code."""
        began_s = time.monotonic()
        code = self.publisher.ended(self.start(spare_kb=spare_kb), kill_after_s=kill_after_s)
        if code == DONE:
            self.span_s = 0.7 * self.span_s + 0.3 * (time.monotonic() - began_s)
        self.check()
        return code

    def run_whole(self) -> None:
        code = self.run()
        assert code == DONE, f"exit code {code}: {self.publisher.said()}"

    def change(self) -> None:
        """Some golden records change, a few come, fewer go."""
        dice = self.dice
        if len(self.golden["organisation"]) < 2 or dice.random() < 0.03:
            golden_id = f"org_{self._next():04}"
            made = organisation(golden_id, f"Company {self.count}", domain=f"c{self.count}.test", phone=self._value())
            self.golden["organisation"][golden_id] = made
        for _ in range(4 if len(self.golden["contact"]) < 12 else dice.random() < 0.3):
            golden_id = f"con_{self._next():04}"
            company = dice.choice(list(self.golden["organisation"]))
            values = {name: self._value() for name in FIELDS.values()}
            self.golden["contact"][golden_id] = contact(golden_id, "Pat", f"Lee{self.count}", company, **values)
        for row in dice.sample(list(self.golden["contact"].values()), 4):
            row[dice.choice(list(FIELDS.values()))] = self._value()
        dice.choice(list(self.golden["organisation"].values()))["phone"] = self._value()
        if len(self.golden["contact"]) > 20:
            golden_id = dice.choice(list(self.golden["contact"]))
            del self.golden["contact"][golden_id]
            self.gone["contact"].append(golden_id)

    def edit(self) -> None:
        """A person types into the record of somebody of ours."""
        with self.simulator.lock, self.witness.person():
            rows = [row for row in self.simulator.records.rows["Users"].values() if row.get("_custom")]
            if rows:
                row, field = self.dice.choice(rows), self.dice.choice(list(FIELDS))
                value = f"person {self._next()}"
                self.simulator.records.post("Users", [{"id": row["id"], field: value}])
                self.edits[row["id"], field] = value

    def quiet(self) -> None:
        """Wait until nothing that a dead process left is under way at the tenant."""
        while any(
            "process_request_thread" in thread.name for thread in threading.enumerate() if thread not in self._not_ours
        ):
            time.sleep(0.002)

    # -- what must hold -------------------------------------------------------------------------------------------

    def check(self) -> None:
        """I2, I3, I7, and that the ledger opens by itself (I9)."""
        self.quiet()
        for resource in ("Client", "Users"):
            twice = [name for name, count in self.simulator.records_by_golden_id(resource).items() if count > 1]
            assert not twice, f"I2: {resource} {twice} exist twice"
        for (halo_id, field), value in self.edits.items():
            now = self.simulator.records.rows["Users"][halo_id].get(field)
            assert now == value, f"I3: {field} of {halo_id} is {now!r}, a person had put {value!r}"
        with closing(Ledger.open(self.path)) as ledger:
            told = self.witness.contradictions(ledger)
            assert not told, f"I7: {told[0]}"

    def check_at_rest(self) -> None:
        """I1: a run brings everything about, the next one nothing; and the chain over the effects is whole."""
        self.run_whole()
        applied = len(self.witness.from_us)
        self.run_whole()
        assert self.witness.from_us[applied:] == [], "I1: a run with nothing to do wrote"
        held = self.simulator.records_by_golden_id("Users")
        assert {name: held.get(name) for name in self.golden["contact"]} == dict.fromkeys(self.golden["contact"], 1)
        with closing(Ledger.open(self.path)) as ledger:
            tally = outbox.tally(ledger)
            assert (tally["pending"], tally["unknown"], tally["rejected"]) == (0, 0, 0), f"I1: {tally}"
            with ledger.read() as connection:
                is_open = effect.c.state.in_(("sending", "unknown"))
                assert connection.scalar(sa.select(sa.func.count()).select_from(effect).where(is_open)) == 0
            assert chain.verify(ledger).problems == []
        self._check_values()

    def _check_values(self) -> None:
        stamp = str(next(item["id"] for item in self.simulator.records.definitions if item["name"] == "CFGoldenId"
                         and item["typeid"] == self.simulator.modes.user_typeid))  # fmt: skip
        for row in self.simulator.records.rows["Users"].values():
            wanted = self.golden["contact"].get((row.get("_custom") or {}).get(stamp))
            for field, name in FIELDS.items() if wanted else ():
                if (row["id"], field) not in self.edits:
                    assert row[field] == wanted[name], f"I1: {field} of {row['id']} is not what golden says"

    def _next(self) -> int:
        self.count += 1
        return self.count

    def _value(self) -> str:
        return f"value {self._next()}"


@contextmanager
def standing(folder: Path, publisher: Publisher, seed: int) -> Iterator[Field]:
    """A field with its tenant on a socket."""
    field = Field(folder, publisher, seed)
    with serve(field.simulator) as field.url:
        yield field
