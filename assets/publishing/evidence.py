"""Evidence: what speaks for and against two records being one company, sign by sign.

Belongs here: the facts of a company as folded keys, comparing two of them, and what the comparison amounts to.
Does not: choosing among several (adopt_organisations.py), learning weights (transforms), people (adopt_contacts.py).
Surprise: signs are never added up. One record is preferred to another only where no sign speaks against it, so that
evidence which points both ways is left to a person.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache, reduce
from typing import NamedTuple

from transforms.kernels.companies import parse_name
from transforms.kernels.compare import CLOSE, SAME_FORM, SIBLING, compare_company
from transforms.kernels.links import site

_PHONE_DIGITS_MIN, _PHONE_DIGITS_COMPARED = 7, 9  # without country code and trunk zero
# A site of pages for everybody (facebook.com) is nobody's web domain; a group of companies rarely has more names.
_NAMES_ON_A_HOST_MAX = 10


class Sign(IntEnum):
    """`UNKNOWN` where one side says nothing. Of names only: `BRANCH` differs by a region alone, `NEAR` by spelling."""

    BRANCH = -2
    AGAINST = -1
    UNKNOWN = 0
    NEAR = 1
    FOR = 2


class Relation(IntEnum):
    """What the signs amount to, weakest first. `DOUBTFUL`: nobody could tell without asking."""

    OTHER = 0
    DOUBTFUL = 1
    LIKELY = 2
    SAME = 3


@dataclass(frozen=True)
class Facts:
    """A company by its keys; one that has several sites has several phones and postcodes."""

    names: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    postcodes: frozenset[str] = frozenset()

    def __or__(self, other: Facts) -> Facts:
        return Facts(
            self.names | other.names,
            self.hosts | other.hosts,
            self.phones | other.phones,
            self.postcodes | other.postcodes,
        )

    @property
    def keys(self) -> frozenset[tuple[str, str]]:
        """What two records must share one of to be compared at all."""
        return frozenset({("name", name) for name in self.names} | {("host", host) for host in self.hosts})

    @property
    def kinds_known(self) -> int:
        return sum(map(bool, (self.names, self.hosts, self.phones, self.postcodes)))


class Evidence(NamedTuple):
    """One comparison. `people`: contacts of the golden record are users of that HaloPSA client already."""

    host: Sign
    name: Sign
    phone: Sign
    postcode: Sign
    people: Sign = Sign.UNKNOWN

    def beats(self, other: Evidence) -> bool:
        """Better by one sign at least and worse by none."""
        return self != other and all(mine >= theirs for mine, theirs in zip(self, other, strict=True))

    @property
    def is_named(self) -> bool:
        return self.name >= Sign.NEAR

    @property
    def has_witness(self) -> bool:
        return Sign.FOR in (self.phone, self.postcode, self.people)

    @property
    def is_contradicted(self) -> bool:
        return Sign.AGAINST in (self.phone, self.postcode)

    @property
    def is_refuted(self) -> bool:
        return self.phone is self.postcode is Sign.AGAINST


def facts_of(
    *, names: Iterable[str | None] = (), addresses: Iterable[str | None] = (),
    phones: Iterable[str | None] = (), postcodes: Iterable[str | None] = (),
) -> Facts:  # fmt: skip
    """Facts from values as they are written; `addresses` are web domains or pages."""
    return Facts(
        names=frozenset(filter(None, map(_name_key, names))),
        hosts=frozenset(filter(None, map(site, addresses))),
        phones=frozenset(filter(None, map(_phone_key, phones))),
        postcodes=frozenset(filter(None, map(_postcode_key, postcodes))),
    )


def union(facts: Iterable[Facts]) -> Facts:
    return reduce(Facts.__or__, facts, Facts())


def compare(one: Facts, other: Facts, *, people: bool = False) -> Evidence:
    host = _sign(one.hosts, other.hosts)
    return Evidence(
        host=host,
        name=_name_sign(one.names, other.names) if host is Sign.FOR else _sign(one.names, other.names),
        phone=_sign(one.phones, other.phones),
        postcode=_sign(one.postcodes, other.postcodes),
        people=Sign.FOR if people else Sign.UNKNOWN,
    )


def relation(evidence: Evidence) -> Relation:
    """What two golden records, or a golden record and a client that another one holds, are to each other."""
    is_hosted = evidence.host is Sign.FOR
    if not (evidence.is_named or is_hosted):
        return Relation.OTHER
    if evidence.has_witness:
        return Relation.SAME if evidence.is_named and is_hosted else Relation.LIKELY
    if evidence.is_named and is_hosted:
        return Relation.OTHER if evidence.is_refuted else Relation.SAME
    if is_hosted:
        # Branches share the web domain and differ by a region; measured on the simulated world: 74 of 74.
        return Relation.OTHER if evidence.is_contradicted or evidence.name is Sign.BRANCH else Relation.DOUBTFUL
    if evidence.host is Sign.AGAINST or evidence.is_refuted:
        return Relation.OTHER
    return Relation.DOUBTFUL if evidence.is_contradicted else Relation.LIKELY


def fit(evidence: Evidence) -> Relation:
    """What a golden record and a client that nobody holds are to each other.

    People type clients in by hand, so a client with its name and its web domain is the one, whatever phone it has, and
    its web domain alone will do. Only a branch or a namesake with a web domain of its own, and with a phone or a
    postcode of its own, is surely another.
    """
    is_hosted = evidence.host is Sign.FOR
    if is_hosted and evidence.is_named:
        return Relation.SAME
    if not (is_hosted or evidence.is_named):
        return Relation.OTHER
    if evidence.has_witness:
        return Relation.LIKELY
    if is_hosted and evidence.name is Sign.BRANCH:
        return Relation.OTHER if evidence.is_contradicted else Relation.DOUBTFUL
    if evidence.host is Sign.AGAINST:
        return Relation.OTHER if evidence.is_contradicted else Relation.DOUBTFUL
    return Relation.DOUBTFUL if evidence.is_contradicted else Relation.LIKELY


def without_shared_hosts(facts: Iterable[Facts]) -> frozenset[str]:
    """The hosts that tell companies apart, of all hosts in `facts`."""
    names: dict[str, set[str]] = {}
    for one in facts:
        for host in one.hosts:
            names.setdefault(host, set()).update(one.names)
    return frozenset(host for host, found in names.items() if len(found) <= _NAMES_ON_A_HOST_MAX)


def on_hosts(facts: Facts, telling: frozenset[str]) -> Facts:
    return facts if facts.hosts <= telling else replace(facts, hosts=facts.hosts & telling)


def _name_sign(one: frozenset[str], other: frozenset[str]) -> Sign:
    """By the resolver's own measure of names: too costly and too lenient where the web domain is not the same."""
    exact = _sign(one, other)
    if exact is not Sign.AGAINST:
        return exact
    signs = {_LEVELS.get(_name_level(mine, theirs), Sign.AGAINST) for mine in one for theirs in other}
    return max(signs) if Sign.NEAR in signs else min(signs)


_LEVELS = {CLOSE: Sign.NEAR, SAME_FORM: Sign.NEAR, SIBLING: Sign.BRANCH}


@lru_cache(maxsize=50_000)
def _name_level(one: str, other: str) -> int:
    return int(compare_company([one], [other])[0])


def _sign(one: frozenset[str], other: frozenset[str]) -> Sign:
    if not one or not other:
        return Sign.UNKNOWN
    return Sign.FOR if one & other else Sign.AGAINST


def _name_key(name: str | None) -> str:
    """Folded, without its legal form; "UK" stays, for it tells a branch from its parent."""
    parsed = parse_name(name)
    is_branch = "uk" in (parsed.legal_form or "").split()
    return f"{parsed.folded} uk" if is_branch else parsed.folded or ""


def _phone_key(phone: str | None) -> str:
    digits = "".join(filter(str.isdigit, phone or ""))[-_PHONE_DIGITS_COMPARED:]
    return digits if len(digits) >= _PHONE_DIGITS_MIN else ""


def _postcode_key(postcode: str | None) -> str:
    return "".join(filter(str.isalnum, (postcode or "").casefold()))
