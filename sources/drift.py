"""Drift: a vendor whose payloads no longer look as they did. Noticed before a row is loaded, named, and held.

Belongs here: the profile of what was loaded, the judgement on what is new. Does not: which fields matter
(`payload_contracts.py`), holding rows and telling people (`paid.py`).
Surprise: rows are judged together. One row without an e-mail is a person without one; fifty in a row, where nine of ten
had one, are a field that is gone. How far a share can be trusted is Chernoff's bound, so few rows accuse nobody of what
chance does as well; where a vendor sends every field always, one row without it is enough.
"""

from __future__ import annotations

import difflib
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sources.payload_contracts import Contract

KNOWN_ROWS_MIN = 20  # below so many good rows nothing is known yet, and nothing is accused
CHANCE_MAX = 1e-6  # a share that falls by chance no oftener than this has not fallen by chance
SHARE_LEFT_MAX = 0.5  # a field that more than half as many rows still have is not gone
RETYPED_SHARE_MIN = 0.05  # fewer rows of another kind are broken rows, not another vendor
KEYS_MAX = 500  # of one object; maps keyed by names would grow without end
_ALIKE_MIN = 0.6  # of two names, as difflib counts it

ADDED, REMOVED, RENAMED, RETYPED = "added", "removed", "renamed", "retyped"


@dataclass(frozen=True)
class Finding:
    """One change. `detail` is the new name or the new kind; an added field holds nothing."""

    field: str
    change: str
    detail: str = ""

    @property
    def is_blocking(self) -> bool:
        return self.change != ADDED

    def __str__(self) -> str:
        told = {
            ADDED: f"field {self.field} ({self.detail}) is new",
            REMOVED: f"field {self.field} is gone",
            RENAMED: f"field {self.field} is now called {self.detail}",
            RETYPED: f"field {self.field} is now {self.detail}",
        }
        return told[self.change]


@dataclass
class Profile:
    """How often each object and each of its keys was there. Kept from load to load as plain JSON."""

    rows: int = 0
    objects: Counter[str] = field(default_factory=Counter)
    keys: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, told: Mapping[str, Any] | None) -> Profile:
        told = told or {}
        return cls(told.get("rows", 0), Counter(told.get("objects", {})), Counter(told.get("keys", {})))

    def told(self) -> dict[str, Any]:
        return {"rows": self.rows, "objects": dict(self.objects), "keys": dict(self.keys)}

    def __add__(self, other: Profile) -> Profile:
        return Profile(self.rows + other.rows, self.objects + other.objects, self.keys + other.keys)

    def share(self, path: str) -> float:
        """Of the objects in which a key may stand, how many have it."""
        objects = self.objects[path.rpartition(".")[0]]
        return self.keys[path] / objects if objects else 0.0


class Inspection:
    """The rows of one load, seen one after the other, against what was loaded before."""

    def __init__(self, contract: Contract, known: Profile) -> None:
        self._contract, self._known = contract, known
        self.seen = Profile()
        self._kinds: dict[str, Counter[str]] = {}
        self._wrong: Counter[tuple[str, str]] = Counter()  # rows by (field, its wrong kind)

    def see(self, payload: Mapping[str, Any]) -> tuple[str, str] | None:
        """Count one row; returns (field, kind) where a value is of a kind that the mapping cannot read."""
        self.seen.rows += 1
        wrong: tuple[str, str] | None = None
        for parent in self._contract.parents:
            for found in objects_in(payload, parent):
                self.seen.objects[parent] += 1
                breach = self._count(parent, found)
                wrong = wrong or breach
        if wrong is not None:
            self._wrong[wrong] += 1
        return wrong

    def findings(self) -> list[Finding]:
        """What changed, in the order of the contract; what holds rows first."""
        retyped = [
            Finding(path, RETYPED, _article(kind))
            for (path, kind), rows in self._wrong.items()
            if rows >= max(1, self.seen.rows * RETYPED_SHARE_MIN)
        ]
        if self._known.rows < KNOWN_ROWS_MIN:
            return retyped
        new = [path for path in self.seen.keys if path not in self._known.keys]
        gone = [path for path in self._contract.fields if self._is_gone(path) or self._is_renamed(path, new)]
        inside = [path for path in gone if any(path.startswith((f"{one}.", f"{one}[]")) for one in gone)]
        found = list(retyped)
        for path in (path for path in gone if path not in inside):
            name = self._new_name(path, new)
            if name:
                new.remove(name)
            found.append(Finding(path, RENAMED, name.rpartition(".")[2]) if name else Finding(path, REMOVED))
        return found + [
            Finding(path, ADDED, " or ".join(sorted(self._kinds[path]))) for path in new if path in self._kinds
        ]

    def _count(self, parent: str, found: Mapping[str, Any]) -> tuple[str, str] | None:
        wrong = None
        for name, value in found.items():
            path = f"{parent}.{name}" if parent else name
            if path not in self.seen.keys and len(self.seen.keys) > KEYS_MAX * len(self._contract.parents):
                continue
            self.seen.keys[path] += 1
            kind = kind_of(value)
            if kind != "null" and path not in self._known.keys:
                self._kinds.setdefault(path, Counter())[kind] += 1
            wrong = wrong or self._wrong_kind(path, kind, value)
        return wrong

    def _wrong_kind(self, path: str, kind: str, value: Any) -> tuple[str, str] | None:
        allowed = self._contract.kinds.get(path)
        if allowed is None or kind == "null":
            return None
        if kind not in allowed:
            return path, kind
        items = self._contract.kinds.get(f"{path}[]") if kind == "list" else None
        wrong = [one for item in value if (one := kind_of(item)) not in items and one != "null"] if items else []
        return (f"{path}[]", wrong[0]) if wrong else None

    def _is_gone(self, path: str) -> bool:
        objects = self.seen.objects[path.rpartition(".")[0]]
        before = self._known.share(path)
        if path.endswith("[]") or not objects or not before:
            return False
        now = self.seen.share(path)
        if now >= before * SHARE_LEFT_MAX:
            return False
        is_always_sent = before == 1.0 and not self._contract.omits_unknown
        return is_always_sent or _chance_of(now, before, objects) < CHANCE_MAX

    def _is_renamed(self, path: str, new: list[str]) -> bool:
        """A field that no row has any more, while a new one has a name much like it: a few rows are enough."""
        return bool(self._known.keys[path]) and not self.seen.keys[path] and self._alike(path, new) is not None

    def _new_name(self, path: str, new: list[str]) -> str | None:
        """What a field that is gone is called now: the new one of its object with the likest name, else the only one
        that is about as frequent and of the same kind."""
        alike = self._alike(path, new)
        if alike is not None:
            return alike
        before = self._known.share(path)
        allowed = self._contract.kinds[path]
        likely = [
            other
            for other in self._beside(path, new)
            if set(self._kinds.get(other, ())) <= allowed and abs(self.seen.share(other) - before) <= 0.2
        ]
        return likely[0] if len(likely) == 1 else None

    def _alike(self, path: str, new: list[str]) -> str | None:
        name = path.rpartition(".")[2].casefold()
        scored = [
            (difflib.SequenceMatcher(None, name, other.rpartition(".")[2].casefold()).ratio(), other)
            for other in self._beside(path, new)
        ]
        best = max(scored, default=(0.0, ""))
        return best[1] if best[0] >= _ALIKE_MIN else None

    def _beside(self, path: str, new: list[str]) -> Iterator[str]:
        parent = path.rpartition(".")[0]
        return (other for other in new if other.rpartition(".")[0] == parent and other not in self._contract.fields)


def breaches(payload: Mapping[str, Any], findings: list[Finding]) -> Finding | None:
    """The first blocking finding that a row suffers from; None where it may go in. Wrong kinds are told by `see`."""
    for finding in findings:
        parent, _, name = finding.field.rpartition(".")
        for found in objects_in(payload, parent):
            if finding.change == REMOVED and name not in found:
                return finding
            if finding.change == RENAMED and finding.detail in found:
                return finding
    return None


def objects_in(payload: Mapping[str, Any], parent: str) -> list[Mapping[str, Any]]:
    """The objects at a path; `name[]` are the items of a list."""
    found: list[Any] = [payload]
    for part in parent.split(".") if parent else ():
        name = part.removesuffix("[]")
        values = [one[name] for one in found if isinstance(one, dict) and name in one]
        found = [item for value in values if isinstance(value, list) for item in value] if part != name else values
    return [one for one in found if isinstance(one, dict)]


def kind_of(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "flag"
        case str():
            return "text"
        case int() | float():
            return "number"
        case list():
            return "list"
    return "object"


def _article(kind: str) -> str:
    return f"an {kind}" if kind == "object" else kind if kind == "text" else f"a {kind}"


def _chance_of(now: float, before: float, objects: int) -> float:
    """A bound on how often a share falls from `before` to `now` by chance. Source: Chernoff-Hoeffding, 1963."""
    if before >= 1.0:
        before = 1 - 1 / (objects + 1)
    divergence = (now * math.log(now / before) if now else 0.0) + (1 - now) * math.log((1 - now) / (1 - before))
    return math.exp(-objects * divergence)
