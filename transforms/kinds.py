"""Kinds of pairs: what two different people or companies have in common when it is no accident, and what changes
together when one person or company moves.

Belongs here: which features each kind shares or loses, as data. Does not: how much of each kind there is (learned,
mixture.py), what levels mean (features.py).
Surprise: without these, training calls colleagues a match. Two people of one company agree on company, street, postcode
and switchboard; against pure chance that is 20 bits, and at 100 k contacts half of what training thought true was such.
So a kind shares some facts as true pairs do, and all its other facts agree by chance only.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from transforms.features import FEATURES, Feature

SHARED = "shared"  # agrees like a true pair; only how common the shared values are is learned
# An address follows the names of its owner, a second name the first (Mary Ann), a site and a slug the name of
# the company: where names are shared these are alike without being the same. The identity itself stays at chance.
IDENTITY = {"mail": (1, 9), "site": (1, 2, 3)}
_DISAGREEING = ("different", "elsewhere", "other domain, other", "same domain, other", "conflict")


@dataclass(frozen=True)
class Kind:
    """`shares`: feature -> name of the learned distribution; kinds that name the same one learn it together."""

    name: str
    shares: dict[str, str]

    @property
    def needs(self) -> tuple[str, ...]:
        """Features without which the kind says nothing: those shared outright, or else its place or street."""
        outright = tuple(feature for feature, how in self.shares.items() if how == SHARED)
        return outright or tuple(feature for feature in self.shares if feature in ("place", "street"))[:1]


def disagreeing(feature: Feature) -> list[int]:
    return [level.code for level in feature.levels if level.name.startswith(_DISAGREEING)]


Shares = dict[str, str]

# Who they are, crossed with where they are. Nothing that tells one person or company from another may be listed: a kind
# that shared everything would be a true pair.
_WHO: dict[str, dict[str, Shares]] = {
    "contact": {
        "": {},
        "same first name": {"first": SHARED, "middle": "by first name", "mail": "by first name"},
        "same last name": {"last": SHARED, "mail": "by last name"},
        "twins": {"last": SHARED, "born": SHARED, "mail": "by last name"},
        "namesakes": {"first": SHARED, "last": SHARED, "middle": "by first name", "mail": "by both names"},
    },
    "organisation": {
        "": {},
        "same name": {"name": SHARED, "site": "by name", "linkedin": "by name"},
        "same site": {"site": SHARED},
        "same phone": {"phone": SHARED},
        "same name and site": {"name": SHARED, "site": SHARED, "linkedin": "by name"},
        "same name and phone": {"name": SHARED, "phone": SHARED, "site": "by name", "linkedin": "by name"},
        "same site and phone": {"site": SHARED, "phone": SHARED},
    },
}
_WHERE: dict[str, dict[str, Shares]] = {
    "contact": {
        "": {},
        "one town": {"place": "town"},
        "one household": {"street": "home", "place": "home", "phone": "home"},
        "one household and number": {"street": "home", "place": "home", "phone": "home", "external": "home"},
        "one employer": {"organisation": SHARED, "street": "work", "place": "work", "phone": "work"},
    },
    "organisation": {
        "": {},
        "one town": {"place": "town"},
        "one address": {"street": "address", "place": "address"},
    },
}


def _crossed(who: dict[str, Shares], where: dict[str, Shares]) -> tuple[Kind, ...]:
    kinds = (
        Kind(", ".join(filter(None, (one, two))), {**where[two], **who[one]})
        for one, two in product(who, where)
        if one or two
    )
    return tuple(kind for kind in kinds if not _hardly_told(kind))


def _hardly_told(kind: Kind) -> bool:
    """A common number (the family's account) on top of a first name or of two facts of a person: one slip would make a
    false pair."""
    outright = [feature for feature, how in kind.shares.items() if how == SHARED]
    return "external" in kind.shares and ("first" in outright or len(outright) > 1)


# What differs together in a true pair; without these a company's second office looks like another company.
MOVES: dict[str, dict[str, tuple[str, ...]]] = {
    "contact": {"moved": ("street", "place"), "changed employer": ("organisation", "street", "place", "phone")},
    "organisation": {"other office": ("street", "place"), "other office and phone": ("street", "place", "phone")},
}
KINDS: dict[str, tuple[Kind, ...]] = {entity: _crossed(_WHO[entity], _WHERE[entity]) for entity in FEATURES}
