"""How a vendor writes a person's name.

Belongs here: nicknames, slips, initials, scripts, swapped and placeholder names, one step after the other.
Does not: one slip of the pen (spelling.py), the names themselves (names.py).
Surprise: the steps work on whole columns in this order, so a nickname can be misspelt too.
"""

from __future__ import annotations

import numpy as np

from sources.world import spelling
from sources.world.dice import Bools, Objects, given
from sources.world.names import NICKNAMES, native_script, romanised, strip_accents
from sources.world.pen import Pen


def write_names(pen: Pen) -> tuple[Objects, Objects, Objects, Objects, Bools]:
    people, rates = pen.people, pen.profile.records
    first, middle, last, suffix = (
        column[pen.rows] for column in (people.first, people.middle, people.last, people.suffix)
    )
    middle[~pen.chance("middle", pen.vendor.middle_name)] = None
    initial = pen.chance("middle initial", 0.6)
    pen.alter(middle, "middle initial", initial, lambda name, bits: name[0] + ("." if bits % 2 else ""))
    maiden = _maiden_names(pen, last)
    pen.alter(first, "nickname", pen.chance("nickname", rates["nickname"]), _nickname, "nickname")
    _scripts(pen, first, last)
    accents = pen.chance("accents", rates["dropped_accent"])
    for column in (first, last):
        pen.alter(
            column,
            "accents",
            accents,
            lambda name, _: strip_accents(name) if ord(max(name)) < 0x250 else name,
            "dropped_accent",
        )
    pen.alter(first, "typo first", pen.chance("typo first", pen.vendor.typo * 0.8), spelling.slip, "typo")
    pen.alter(last, "typo last", pen.chance("typo last", pen.vendor.typo), spelling.slip, "typo")
    pen.alter(last, "exchange", pen.chance("exchange", rates["transposed"]), spelling.exchanged, "transposed")
    pen.alter(
        first,
        "initial",
        pen.chance("initial", rates["initial_only"]),
        lambda name, bits: name[0] + ("." if bits % 2 else ""),
        "initial_only",
    )
    _suffixes(pen, last, suffix)
    joined = np.flatnonzero(pen.chance("middle in first", rates["middle_in_first"]) & given(people.middle[pen.rows]))
    first[joined] = [f"{one} {two}" for one, two in zip(first[joined], people.middle[pen.rows[joined]], strict=True)]
    middle[joined] = None
    pen.alter(
        first,
        "honorific",
        pen.chance("honorific", rates["honorific"]),
        lambda name, bits: f"{('Dr.', 'Mr', 'Ms.', 'Prof.')[bits % 4]} {name}",
    )
    upper = pen.chance("upper", rates["upper_case"])
    for column in (first, last):
        pen.alter(column, "upper", upper, lambda name, _: name.upper(), "upper_case")
    swap = np.flatnonzero(pen.chance("swap", rates["swapped_name"]))
    first[swap], last[swap] = last[swap], first[swap].copy()
    pen.tag("swapped_name", pen.rows[swap].tolist())
    blank = pen.chance("placeholder", rates["placeholder_name"])
    pen.alter(
        first,
        "placeholder",
        blank,
        lambda _, bits: ("Unknown", "Test", "Info", "N/A")[bits % 4],
        "placeholder_name",
    )
    return first, middle, last, suffix, maiden


def _maiden_names(pen: Pen, last: Objects) -> Bools:
    maiden = pen.people.maiden
    hit = pen.chance("maiden", pen.profile.records["married_name_stale"])
    hit &= np.isin(pen.rows, np.fromiter(maiden, np.int64, len(maiden)))
    for row in np.flatnonzero(hit).tolist():
        last[row] = maiden[int(pen.rows[row])][0]
    pen.tag("married_name_stale", pen.rows[hit].tolist())
    return hit


def _scripts(pen: Pen, first: Objects, last: Objects) -> None:
    """Names from another script: the rival romanisation, or the letters themselves."""
    rates, native = pen.profile.records, pen.people.native
    from_script = np.flatnonzero(np.isin(pen.rows, np.fromiter(native, np.int64, len(native)))).tolist()
    draws = pen.stream("scripts").random(pen.count)
    touched = []
    for row in from_script:
        names = native[int(pen.rows[row])]
        if draws[row] < rates["native_script"]:
            first[row], last[row] = native_script(names[0]), native_script(names[1])
        elif draws[row] < rates["native_script"] + rates["other_romanisation"]:
            first[row], last[row] = romanised(names[0], other=True), romanised(names[1], other=True)
        else:
            continue
        touched.append(int(pen.rows[row]))
    pen.tag("transliteration", touched)


def _suffixes(pen: Pen, last: Objects, suffix: Objects) -> None:
    rates = pen.profile.records
    draws = pen.stream("suffix").random(pen.count)
    for row in np.flatnonzero(given(suffix)).tolist():
        if draws[row] < rates["suffix_in_last_name"]:
            last[row] = f"{last[row]} {suffix[row]}."
        if draws[row] < rates["suffix_in_last_name"] + rates["suffix_dropped"]:
            suffix[row] = None


def _nickname(name: str, bits: int) -> str:
    shorts = NICKNAMES.get(name)
    return shorts[bits % len(shorts)] if shorts else name
