"""Three-way merge: what one golden value means for one field of HaloPSA.

Belongs here: pure functions from (published, golden, halo, owner) to an outcome, field by field and group by group.
Does not: which fields there are and who owns them (mapping.py), reading Halo (publisher.py), sending (effects.py).
Surprise: a field that a person blanked after we published it counts as an edit and is never refilled; a golden value
that went away is not a reason to blank Halo.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Literal, NamedTuple

Owner = Literal["pipeline", "human", "fill_if_empty", "newest"]
Value = str | int | None


class _Unseen(Enum):
    UNSEEN = "unseen"


UNSEEN: Final = _Unseen.UNSEEN  # the mirror did not show this field (lists of Halo are thin): neither blank nor edited


class Published(NamedTuple):
    """What we last published: the golden value we sent, and what Halo made of it (it may cut or re-spell)."""

    sent: Value
    held: Value


class Outcome(Enum):
    """What the merge says of one field."""

    SAME = "same"  # nothing to do
    WRITE = "write"  # golden goes to Halo
    AGREE = "agree"  # Halo has the golden value by itself: from now on it is ours to keep current
    HUMAN = "human"  # a person's value stays, and golden has nothing newer to say
    CONFLICT = "conflict"  # a person's value stays, though golden has moved on or differs


@dataclass(frozen=True)
class RecordMerge:
    """The merge of one record: values to write, agreements to note as published, fields that people own."""

    writes: dict[str, Value] = field(default_factory=dict)
    agreed: dict[str, Value] = field(default_factory=dict)
    conflicts: tuple[str, ...] = ()


def merge_field(
    published: Published | None,
    golden: Value,
    halo: Value | _Unseen,
    owner: Owner = "pipeline",
    *,
    is_newer: bool | None = False,
) -> Outcome:
    """Judge one field. None and blank text are the same; values are compared exactly, for case may be a person's edit.

    `published` None means that we never published this field. Then a blank in Halo was never set, and any other value
    that differs from golden is a person's for good: on adoption the base is what Halo holds. `is_newer` says whether
    golden changed after Halo did, and settles the conflicts of owner `newest`; None where nobody has looked yet: then
    the write is only a reason to look.
    """
    if owner == "human":
        return Outcome.SAME
    outcome = _unpublished(golden, halo) if published is None else _again(published, golden, halo, owner)
    if outcome is Outcome.CONFLICT and owner == "newest" and is_newer is not False:
        return Outcome.WRITE
    return outcome


def merge_record(
    published: Mapping[str, Published],
    golden: Mapping[str, Value],
    halo: Mapping[str, Value],
    owners: Mapping[str, Owner],
    groups: Iterable[frozenset[str]] = (),
    *,
    is_newer: bool | None = False,
) -> RecordMerge:
    """Merge every field of `owners`; a field missing in `halo` is unseen.

    `groups` are fields that only make sense together (an address): where a person owns one of them, none is written,
    for half of a person's address and half of ours is the address of nobody.
    """
    outcomes = {
        name: merge_field(published.get(name), golden.get(name), halo.get(name, UNSEEN), owner, is_newer=is_newer)
        for name, owner in owners.items()
    }
    writes = {name for name, outcome in outcomes.items() if outcome is Outcome.WRITE}
    conflicts = {name for name, outcome in outcomes.items() if outcome is Outcome.CONFLICT}
    for group in groups:
        if any(outcomes.get(name) in (Outcome.HUMAN, Outcome.CONFLICT) for name in group):
            conflicts |= writes & group
            writes -= group
    return RecordMerge(
        writes={name: golden[name] for name in owners if name in writes},
        agreed={name: golden[name] for name, outcome in outcomes.items() if outcome is Outcome.AGREE},
        conflicts=tuple(name for name in owners if name in conflicts),
    )


def _again(published: Published, golden: Value, halo: Value | _Unseen, owner: Owner) -> Outcome:
    """A field that we published before."""
    now = published.held if halo is UNSEEN else halo
    if not _equal(now, published.held):
        if golden is not None and _equal(now, golden):
            return Outcome.AGREE
        return Outcome.HUMAN if golden is None or _equal(golden, published.sent) else Outcome.CONFLICT
    if golden is None or _equal(golden, published.sent) or owner == "fill_if_empty":
        return Outcome.SAME
    return Outcome.AGREE if _equal(now, golden) else Outcome.WRITE


def _unpublished(golden: Value, halo: Value | _Unseen) -> Outcome:
    if golden is None or golden == "":
        return Outcome.SAME
    if halo is UNSEEN or _blank(halo):
        return Outcome.WRITE
    return Outcome.AGREE if _equal(halo, golden) else Outcome.CONFLICT


def _blank(value: Any) -> bool:
    return value is None or value == ""


def _equal(left: Value, right: Value) -> bool:
    return left == right or (_blank(left) and _blank(right))
