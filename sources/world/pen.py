"""The pen: what every step of writing one vendor's contact records needs.

Belongs here: rows, rates, dice and tags of one vendor. Does not: any phenomenon (contact_names.py, contact_channels.py,
contacts.py).
Surprise: each purpose has a stream of its own, so a step added later moves nothing that was there before.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sources.world.companies import Company
from sources.world.dice import Bools, Ints, Objects, given, stream
from sources.world.people import People
from sources.world.profile import Profile, VendorProfile
from sources.world.vendors import Holding


class Pen:
    """Writes for one vendor; `tags` gathers whose record shows which phenomenon."""

    def __init__(
        self,
        holding: Holding,
        companies: list[Company],
        people: People,
        seed: int,
        profile: Profile,
    ) -> None:
        self.holding, self.companies, self.people = holding, companies, people
        self.seed, self.profile = seed, profile
        self.source = holding.source
        self.vendor: VendorProfile = profile.vendors[self.source]
        self.rows: Ints = holding.person
        self.count = len(self.rows)
        self.tags: dict[str, list[int]] = {}

    def stream(self, purpose: str) -> np.random.Generator:
        return stream(self.seed, f"{self.source} contact {purpose}")

    def chance(self, purpose: str, rate: float) -> Bools:
        return self.stream(purpose).random(self.count) < rate

    def alter(
        self,
        column: Objects,
        purpose: str,
        hit: Bools,
        change: Callable[[str, int], str | None],
        tag: str | None = None,
    ) -> None:
        """Rewrite the hit rows that have a value; rows that really change are tagged."""
        where = np.flatnonzero(hit & given(column))
        bits = self.stream(f"{purpose} bits").integers(0, 2**31, len(where)).tolist()
        changed = []
        for row, each in zip(where.tolist(), bits, strict=True):
            new = change(column[row], each)
            if new != column[row]:
                column[row] = new
                changed.append(row)
        if tag:
            self.tag(tag, self.rows[changed].tolist())

    def tag(self, tag: str, rows: list[int]) -> None:
        self.tags.setdefault(tag, []).extend(rows)
