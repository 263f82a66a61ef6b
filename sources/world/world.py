"""The simulated world: one seeded set of companies and people, what each vendor holds of it, and the truth.

Belongs here: `World`, the one door to this package. Does not: vendors' wire shapes (the simulators).
Surprise: the views are made from the first day and then only altered by `change`, cell by cell, so that after a round
exactly the named fields differ; a frame that was handed out before stays as it was.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from sources.world.changes import Change, Round
from sources.world.companies import Company, make_companies
from sources.world.contacts import make_contacts, person_id
from sources.world.halo import make_halo
from sources.world.organisations import company_id, make_organisations
from sources.world.parquet import write_raw
from sources.world.pen import Pen
from sources.world.people import People, make_people
from sources.world.profile import PROFILES, SOURCES, Profile
from sources.world.vendors import Holding, holdings

Entity = Literal["contact", "organisation"]


class World:
    """Companies and people with ground truth; make one with `generate` or `replay`."""

    def __init__(self, people: int, seed: int, profile: Profile) -> None:
        self.size = people
        self.seed = seed
        self.profile = profile
        self.companies: list[Company] = make_companies(people, seed, profile)
        self.people: People = make_people(self.companies, seed, profile)
        self.holdings: dict[str, Holding] = holdings(self.companies, self.people, seed, profile)
        self.rounds: list[tuple[float, str]] = []
        self._frames: dict[tuple[str, str], pd.DataFrame] = {}
        self._record_tags: dict[str, dict[str, list[int]]] = {}
        self._halo: dict[str, pd.DataFrame] | None = None
        self._lock = threading.RLock()

    @classmethod
    def generate(cls, people: int, seed: int, profile: str = "bench-v1") -> World:
        """The world of `people` people; equal arguments give an equal world, to the byte.

        Raises:
            ValueError: fewer than 10 people, or a profile that does not exist.
        """
        if people < 10:
            raise ValueError(f"A world needs at least 10 people, found {people}.")
        if profile not in PROFILES:
            raise ValueError(f"No difficulty profile {profile!r}; there are: {', '.join(PROFILES)}.")
        return cls(people, seed, PROFILES[profile])

    @classmethod
    def replay(cls, people: int, seed: int, profile: str, rounds: Iterable[Sequence[object]]) -> World:
        """`generate`, then the rounds of `World.rounds` (share, ISO moment) again."""
        world = cls.generate(people, seed, profile)
        for share, at in rounds:
            world.change(float(str(share)), datetime.fromisoformat(str(at)))
        return world

    @property
    def round(self) -> int:
        """How often the world was changed; simulators rebuild their indexes when it moves."""
        return len(self.rounds)

    def contacts(self, source: str) -> pd.DataFrame:
        """What a vendor holds of people: neutral columns (contacts.CONTACT_COLUMNS), missing is None."""
        return self.view(source, "contact")

    def organisations(self, source: str) -> pd.DataFrame:
        """What a vendor holds of companies (organisations.ORGANISATION_COLUMNS), missing is None."""
        return self.view(source, "organisation")

    def view(self, source: str, entity: Entity, *, keep: bool = True) -> pd.DataFrame:
        """One vendor's frame; `keep=False` frees it after use, for worlds that hardly fit into memory."""
        if source not in SOURCES:
            raise ValueError(f"No vendor {source!r} in this world; there are: {', '.join(SOURCES)}.")
        with self._lock:
            frame = self._frames.get((source, entity))
            if frame is None:
                frame = self._make(source, entity)
                if keep:
                    self._frames[source, entity] = frame
            # Copy on write: the caller's frame keeps today's values when the world changes.
            return frame.copy(deep=False)

    def halo(self) -> dict[str, pd.DataFrame]:
        """What HaloPSA holds before we come: `clients` and `users` (halo.CLIENT_COLUMNS, USER_COLUMNS)."""
        with self._lock:
            if self._halo is None:
                clients, users = make_halo(self.companies, self.people, self.seed, self.profile)
                self._halo = {"clients": clients, "users": users}
            return {name: frame.copy(deep=False) for name, frame in self._halo.items()}

    def truth(self) -> pd.DataFrame:
        """Every vendor record's true entity: record_key (`source:id`), entity, entity_id."""
        parts = []
        for source, holding in self.holdings.items():
            companies, persons = holding.company.tolist(), holding.person.tolist()
            parts.append(
                _truth(source, holding.organisation_ids, "organisation", [company_id(row) for row in companies])
            )
            parts.append(_truth(source, holding.contact_ids, "contact", [person_id(row) for row in persons]))
        return pd.concat(parts, ignore_index=True)

    def truth_halo(self) -> pd.DataFrame:
        """The same for HaloPSA's first content (`halopsa:<client or user id>`), without General Users."""
        halo = self.halo()
        users = halo["users"][~halo["users"]["is_general_user"].astype(bool)]
        clients = halo["clients"]
        return pd.concat(
            [
                _truth("halopsa", clients["client_id"].tolist(), "organisation", clients["company_id"].tolist()),
                _truth("halopsa", users["user_id"].tolist(), "contact", users["person_id"].tolist()),
            ],
            ignore_index=True,
        )

    @property
    def phenomena(self) -> dict[str, tuple[str, ...]]:
        """person_id -> what makes that person hard (relations, histories, slips of any vendor), sorted."""
        for source in SOURCES:
            if source not in self._record_tags:
                self.view(source, "contact", keep=False)
        found: dict[int, set[str]] = {}
        for tags in (self.people.tags, *(self._record_tags[source] for source in SOURCES)):
            for tag, rows in tags.items():
                for row in rows:
                    found.setdefault(int(row), set()).add(tag)
        return {person_id(row): tuple(sorted(found[row])) for row in sorted(found)}

    def change(self, share: float, at: datetime) -> list[Change]:
        """Alter `share` of the people (newcomers count) and a few companies; every vendor that holds them tells the
        new values with `updated_at = at`.

        Raises:
            ValueError: `share` is not in (0, 1], or `at` has no time zone.
        """
        if not 0 < share <= 1:
            raise ValueError(f"share must be above 0 and at most 1, found {share}.")
        if at.tzinfo is None:
            raise ValueError("at must carry a time zone.")
        with self._lock:
            self._make_all()
            step = Round(self, len(self.rounds) + 1, at)
            changes = step.run(share)
            self._frames = {**self._frames, **step.frames()}
            for source, (ids, rows) in step.newcomers().items():
                holding = self.holdings[source]
                self.holdings[source] = replace(
                    holding, contact_ids=[*holding.contact_ids, *ids], person=np.concatenate([holding.person, rows])
                )
            self.rounds.append((share, at.isoformat()))
            return changes

    def write_raw(self, root: Path) -> dict[str, int]:
        """Write all vendors' records and the truth as Parquet, in the input columns of `resolve`."""
        return write_raw(self, root)

    def _make(self, source: str, entity: Entity) -> pd.DataFrame:
        if entity == "organisation":
            return make_organisations(self.holdings[source], self.companies, self.seed, self.profile)
        told = self.view(source, "organisation")
        pen = Pen(self.holdings[source], self.companies, self.people, self.seed, self.profile)
        frame = make_contacts(pen, told)
        self._record_tags[source] = pen.tags
        return frame

    def _make_all(self) -> None:
        """Make every view of the first day before anything of the truth is altered."""
        self.halo()
        for source in SOURCES:
            self.organisations(source)
            self.contacts(source)


def _truth(source: str, ids: list[object] | list[str], entity: str, entity_ids: list[str]) -> pd.DataFrame:
    keys = [f"{source}:{identifier}" for identifier in ids]
    return pd.DataFrame({"record_key": keys, "entity": entity, "entity_id": entity_ids})
