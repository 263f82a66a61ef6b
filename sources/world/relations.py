"""Who is easily taken for whom: namesakes, relatives, father and son, one guess for two, earlier jobs and names.

Belongs here: relations between people and their histories. Does not: plain people (people.py).
Surprise: a relation is made by renaming a person after a colleague, before mailboxes are given out, so the pair
always shares a company and each still has a mailbox of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from sources.world.companies import Company
from sources.world.dice import given
from sources.world.mailboxes import local_part
from sources.world.names import pool

if TYPE_CHECKING:
    from sources.world.people import People


# Kinds of pairs. A pair tags two people, so half the rate draws it; the factor makes up for draws that find no
# colleague or no fitting name.
_PAIRS = {"namesake": 1.12, "relative": 1.12, "father_son": 1.12, "guessed_mailbox": 1.58}


def relate(people: People, rng: np.random.Generator, rates: Mapping[str, float]) -> None:
    """Rename people after a colleague, so that the pair is a namesake, a relative, father and son, or one guess."""
    starts = np.searchsorted(people.company, people.company)
    ends = np.searchsorted(people.company, people.company, side="right")
    draws, spots = rng.random(len(people)), rng.random(len(people))
    bounds = np.cumsum([rates[kind] / 2 * extra for kind, extra in _PAIRS.items()])
    by_initial, taken = _by_initial(), set[int]()
    for row in np.flatnonzero(draws < bounds[-1]).tolist():
        start, size = int(starts[row]), int(ends[row] - starts[row])
        if size < 2:
            continue
        mate = start + int(spots[row] * (size - 1))
        mate += mate >= row
        if row in taken or mate in taken or row in people.native or mate in people.native:
            continue
        kind = list(_PAIRS)[int(np.searchsorted(bounds, draws[row], side="right"))]
        if _rename(people, kind, row, mate, by_initial, int(spots[row] * 1e6)):
            taken.update((row, mate))
            people.tags.setdefault(kind, []).extend((mate, row))


def _rename(
    people: People, kind: str, row: int, mate: int, by_initial: dict[tuple[str, bool], list[str]], bits: int
) -> bool:
    """Give `row` the name that makes it the `mate`'s double of that kind; False where no name fits."""
    first, female = people.first, people.female
    if kind == "guessed_mailbox":
        choices = [name for name in by_initial.get((first[mate][0], bool(female[row])), []) if name != first[mate]]
        if not choices:
            return False
        first[row] = choices[bits % len(choices)]
    elif kind == "relative":
        if first[row] == first[mate]:
            return False
    else:
        first[row], female[row] = first[mate], female[mate]
    people.last[row] = people.last[mate]
    if kind == "father_son":
        female[row] = female[mate] = False
        people.suffix[mate], people.suffix[row] = ("Sr", "Jr") if bits % 3 else (None, "Jr")
    return True


def _by_initial() -> dict[tuple[str, bool], list[str]]:
    table: dict[tuple[str, bool], list[str]] = {}
    for name in pool("us").first_female.tolist()[:200]:
        table.setdefault((name[0], True), []).append(name)
    for name in pool("us").first_male.tolist()[:200]:
        table.setdefault((name[0], False), []).append(name)
    return table


def guess_mailboxes(people: People, companies: list[Company]) -> None:
    """The mailbox that a careless vendor guesses for both people of a pair: initial and surname."""
    for row in people.tags.get("guessed_mailbox", []):
        domain = companies[people.company[row]].domain
        people.guess[row] = f"{local_part(1, people.first[row], people.last[row], people.code[row])}@{domain}"


def write_histories(
    people: People, companies: list[Company], rng: np.random.Generator, rates: Mapping[str, float]
) -> None:
    """Jobs before the present one, surnames before marriage."""
    count = len(people)
    moved = np.flatnonzero(rng.random(count) < rates["job_change"]).tolist()
    # By person, not by company: large employers are left more often.
    mates = rng.integers(0, count, count).tolist()
    for row in moved:
        mate = mates[row]
        old = int(people.company[mate])
        if old == people.company[row]:
            continue
        employer = companies[old]
        local = local_part(employer.pattern, people.first[row], people.last[row], people.code[row])
        people.old_job[row] = (old, f"{local}@{employer.domain}", people.title[mate])
    people.tags["job_change"] = list(people.old_job)
    married = people.female & (rng.random(count) < rates["married_name"] / 0.46) & ~given(people.suffix)
    for row in np.flatnonzero(married).tolist():
        maiden = people.last[mates[row]]
        if row in people.native or row in people.guess or maiden == people.last[row] or mates[row] in people.native:
            continue
        local = local_part(companies[people.company[row]].pattern, people.first[row], maiden, people.code[row])
        people.maiden[row] = (maiden, f"{local}@{companies[people.company[row]].domain}")
    people.tags["married_name"] = list(people.maiden)
