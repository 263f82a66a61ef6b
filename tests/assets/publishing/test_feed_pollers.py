"""Any legal poller converges to the server's state: nothing missed, nothing repeated without a reason.

HALOSYNC_POLLERS says how many random histories are played (default 25); the failing one is named by its seed.
A poller may die after reading or before keeping its place, echo an old stamp, never echo one, ask by stamp or by cursor,
be away for 91 days, or have a clock that is minutes wrong. Meanwhile golden records are made, altered, moved, merged,
retired and brought back.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from publishing_house import changes_between, contact, organisation

from assets.publishing import feed
from assets.publishing.commit import commit
from sources.clock import VirtualClock
from tests.assets.publishing import ledgers

HISTORIES = int(os.environ.get("HALOSYNC_POLLERS", "25"))
STEPS = 30
STYLES = ("stamp", "cursor", "forgetful", "own clock")


class Server:
    """The ledger, and golden records that change at random."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        self.ledger = ledgers.opened(folder)
        self.clock = VirtualClock()
        self.dice = dice
        self.golden: dict[str, dict[str, dict[str, Any]]] = {"organisation": {}, "contact": {}}
        self.made = 0
        self.touched: dict[str, list[int]] = {}  # golden id -> commits that changed what the feed says of it

    def change(self) -> None:
        after = {entity: dict(known) for entity, known in self.golden.items()}
        merged = []
        for _ in range(self.dice.randint(1, 6)):
            merged += self._one_change(after)
        changes = {entity: changes_between(self.golden[entity], after[entity], entity) for entity in after}
        lineage = pa.Table.from_pylist(merged) if merged else None
        result = commit(self.ledger, self.clock, run_id="run", changes=changes, lineage=lineage)
        if result.seq is not None:
            for golden_id in self._told_differently(after):
                self.touched.setdefault(golden_id, []).append(result.seq)
        self.golden = after

    def _told_differently(self, after: dict[str, dict[str, dict[str, Any]]]) -> set[str]:
        before_orgs, after_orgs = self.golden["organisation"], after["organisation"]
        found = {
            golden_id
            for entity in after
            for golden_id in self.golden[entity] | after[entity]
            if self.golden[entity].get(golden_id) != after[entity].get(golden_id)
        }
        renamed = {name for name in before_orgs | after_orgs if name_of(before_orgs, name) != name_of(after_orgs, name)}
        return found | {one for one, row in after["contact"].items() if row["organisation_golden_id"] in renamed}

    def _one_change(self, after: dict[str, dict[str, dict[str, Any]]]) -> list[dict[str, str]]:
        companies, people = after["organisation"], after["contact"]
        act = self.dice.choice(["company", "person", "rename", "alter", "move", "retire", "merge", "revive"])
        if act == "company" or not companies:
            self.made += 1
            companies[f"org_{self.made}"] = organisation(f"org_{self.made}", f"Company {self.made}")
        elif act == "person" or not people:
            self.made += 1
            people[f"con_{self.made}"] = contact(f"con_{self.made}", "Ann", f"Lee {self.made}", self._any(companies))
        elif act == "rename":
            chosen = self._any(companies)
            companies[chosen] = {**companies[chosen], "name": f"Renamed {self.dice.randint(1, 9)}"}
        elif act == "alter":
            chosen = self._any(people)
            people[chosen] = {**people[chosen], "job_title": f"Title {self.dice.randint(1, 3)}"}
        elif act == "move":
            chosen = self._any(people)
            people[chosen] = {**people[chosen], "organisation_golden_id": self._any(companies)}
        elif act == "retire":
            people.pop(self._any(people))
        elif act == "merge" and len(companies) > 1:
            loser = self._any(companies)
            del companies[loser]
            survivor = self._any(companies)
            for name, row in people.items():
                if row["organisation_golden_id"] == loser:
                    people[name] = {**row, "organisation_golden_id": survivor}
            return [{"golden_id": loser, "event": "merged_into", "other_id": survivor}]
        elif act == "revive" and (gone := sorted(set(self.touched) - set(people) - set(companies))):
            chosen = self.dice.choice(gone)
            if chosen.startswith("con"):
                people[chosen] = contact(chosen, "Back", "Again", self._any(companies))
        return []

    def _any(self, known: dict[str, Any]) -> str:
        return self.dice.choice(sorted(known))

    def state(self, entity: str | None) -> dict[str, Any]:
        """All live records, read in one page after the other."""
        found, cursor = {}, None
        while True:
            page = feed.read(self.ledger, self.clock, limit=500, entity=entity, cursor=cursor)
            found |= {one["external_id"]: one["data"] for one in page["records"]}
            if not page["metadata"]["has_more"]:
                return found
            cursor = page["metadata"]["cursor"]


def name_of(companies: dict[str, Any], golden_id: str) -> str | None:
    return companies[golden_id]["name"] if golden_id in companies else None


@dataclass
class Poller:
    """One client with a store of its own. `place` is what it would send back."""

    server: Server
    style: str
    entity: str | None
    limit: int
    skew: timedelta
    held: dict[str, Any] = field(default_factory=dict)
    place: str | None = None
    cursor: str | None = None
    old_places: list[str] = field(default_factory=list)
    heard: dict[str, int] = field(default_factory=dict)  # golden id -> snapshot in which it was last told
    is_excused: bool = False  # it lost or repeated its place, so that repeats are its own doing
    collected: dict[str, Any] = field(default_factory=dict)  # of a forgetful one, in the middle of a walk

    def poll(self, *, mishap: str | None = None) -> bool:
        """One page; returns whether there is more."""
        asked_at = self.server.clock.now() + self.skew
        place = self.place
        if mishap == "old place" and self.old_places and self.style != "forgetful":
            place, self.is_excused = self.server.dice.choice(self.old_places), True
        last_sync = None if self.style == "forgetful" else place
        cursor = self.cursor if self.style in ("cursor", "forgetful") and mishap != "old place" else None
        answer = feed.read(
            self.server.ledger,
            self.server.clock,
            limit=self.limit,
            entity=self.entity,
            last_sync=last_sync,
            cursor=cursor,
        )
        has_more = answer["metadata"]["has_more"]
        if last_sync is None and cursor is None and self.style != "forgetful":
            self.held, self.heard = {}, {}  # who has no place begins with nothing: a full answer tells what there is
        if mishap == "died before applying":
            self.is_excused = self.is_excused or self.style == "cursor"
            self.cursor = None if self.style == "cursor" else self.cursor
            return True
        self._apply(answer, has_more=has_more)
        if mishap == "died before keeping its place":
            self.is_excused, self.cursor = True, None
            self.collected = {}
            return True
        self.cursor = answer["metadata"].get("cursor")
        if self.style != "forgetful" and not (self.style == "cursor" and has_more):
            stamp = answer["last_sync_timestamp"]
            is_own = self.style == "own clock" and not has_more
            self.place = asked_at.isoformat() if is_own else stamp
            self.old_places.append(self.place)
        return has_more

    def _apply(self, answer: dict[str, Any], *, has_more: bool) -> None:
        if self.style == "forgetful":
            self.collected |= {one["external_id"]: one["data"] for one in answer["records"]}
            if not has_more:
                self.held, self.collected = self.collected, {}
            return
        snapshot, is_resync = int(answer["metadata"]["snapshot"]), answer["metadata"]["sync_type"] != "incremental"
        for one in answer["records"]:
            golden_id = one["external_id"]
            since = self.heard.get(golden_id, 0)
            news = [seq for seq in self.server.touched[golden_id] if since < seq <= snapshot]
            may_repeat = self.is_excused or is_resync or self.style == "own clock"
            assert news or may_repeat, f"{golden_id} was told again without a reason"
            self.heard[golden_id] = snapshot
            if one["action"] == "delete":
                self.held.pop(golden_id, None)
            else:
                self.held[golden_id] = one["data"]

    def catch_up(self) -> None:
        if self.style == "forgetful":
            self.cursor, self.collected = None, {}  # a walk begun before the last commit shows what was true then
        finished = 0
        for _ in range(1_000):
            finished += not self.poll()
            if finished == 2:  # the first may end a walk that began before the last commit
                return
        raise AssertionError(f"the walk of a {self.style} poller does not end")


def differences(held: dict[str, Any], true: dict[str, Any]) -> dict[str, Any]:
    return {name: (held.get(name), true.get(name)) for name in held | true if held.get(name) != true.get(name)}


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_every_poller_converges_to_the_servers_state(seed, tmp_path):
    dice = random.Random(seed)
    server = Server(tmp_path, dice)
    pollers = [
        Poller(
            server, dice.choice(STYLES), dice.choice([None, None, "contact", "organisation"]), dice.randint(1, 7),
            timedelta(seconds=dice.randint(-290, 290), milliseconds=500),  # never one of our own stamps by chance
        )
        for _ in range(3)
    ]  # fmt: skip

    for _ in range(STEPS):
        act = dice.choice(["change", "change", "poll", "poll", "poll", "wait", "away"])
        if act == "change":
            server.change()
        elif act == "poll":
            mishap = dice.choice(
                [None, None, None, "died before applying", "died before keeping its place", "old place"]
            )
            dice.choice(pollers).poll(mishap=mishap)
        else:
            server.clock.sleep(timedelta(days=91).total_seconds() if act == "away" and dice.random() < 0.2 else 40.0)
    for poller in pollers:
        poller.catch_up()

    for poller in pollers:
        assert differences(poller.held, server.state(poller.entity)) == {}, (seed, poller.style)
    server.ledger.close()
