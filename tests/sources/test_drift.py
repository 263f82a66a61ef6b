"""A vendor that changes what it sends: named, held, the last good value kept; chance accuses nobody."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.bench.drift_mutations import mutations
from orchestration.bench.drift_play import Base
from sources.archive import Archive, ArchiveRow
from sources.clock import VirtualClock
from sources.customs import ACCEPTED, Customs
from sources.drift import ADDED, REMOVED, RENAMED, RETYPED, Finding, Inspection, Profile, breaches
from sources.intake import Meter
from sources.paid import _fill
from sources.payload_contracts import CONTRACTS, Contract
from sources.volume import hold_unlikely
from transforms.engines.duckdb import SQL_ROOT

VENDORS = ("apollo", "zoominfo", "uplead")
CONTRACT = Contract(
    {"name": "text", "city": "text", "tags": "list", "tags[]": "text", "at": "object", "at.site": "text"}
)
OMITTING = Contract(CONTRACT.fields, omits_unknown=True)
ROW = {"name": "Ann", "city": "Leeds", "tags": ["a"], "at": {"site": "a.test"}, "unread": 1}


def seen(rows, known=None, contract=CONTRACT):
    inspection = Inspection(contract, known or Profile())
    wrong = [inspection.see(row) for row in rows]
    return inspection, wrong


def known(rows, contract=CONTRACT):
    return seen(rows, contract=contract)[0].seen


def findings(rows, before, contract=CONTRACT):
    return seen(rows, known(before, contract), contract)[0].findings()


def without(row, name):
    return {key: value for key, value in row.items() if key != name}


CHANGES = {
    "as before": ([ROW], []),
    "a value is null": ([ROW | {"city": None}], []),
    "a field that is not read is gone": ([without(ROW, "unread")], []),
    "removed": ([without(ROW, "city")], [Finding("city", REMOVED)]),
    "renamed alike": ([without(ROW, "city") | {"home_city": "Leeds"}], [Finding("city", RENAMED, "home_city")]),
    "renamed to something else": ([without(ROW, "city") | {"x1": "Leeds"}], [Finding("city", RENAMED, "x1")]),
    "removed beside something new of another kind": (
        [without(ROW, "city") | {"x1": 7}],
        [Finding("city", REMOVED), Finding("x1", ADDED, "number")],
    ),
    "a parent is gone": ([without(ROW, "at")], [Finding("at", REMOVED)]),
    "inside a parent": ([ROW | {"at": {}}], [Finding("at.site", REMOVED)]),
    "retyped": ([ROW | {"name": {"first": "Ann"}}], [Finding("name", RETYPED, "an object")]),
    "retyped items": ([ROW | {"tags": [{"t": 1}]}], [Finding("tags[]", RETYPED, "an object")]),
    "added": ([ROW | {"new": True}], [Finding("new", ADDED, "flag")]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_named_by_its_field_and_kind(name):
    rows, expected = CHANGES[name]

    assert findings(rows * 30, [ROW] * 50) == expected


def test_where_every_field_is_always_sent_one_row_without_it_is_enough():
    assert findings([without(ROW, "city")], [ROW] * 50) == [Finding("city", REMOVED)]
    assert findings([without(ROW, "city")], [ROW] * 50, OMITTING) == []


def test_before_anything_is_known_nothing_but_a_wrong_kind_is_accused():
    assert findings([without(ROW, "city")] * 30, [ROW] * 5) == []
    assert findings([ROW | {"name": []}] * 30, []) == [Finding("name", RETYPED, "a list")]


def test_a_few_rows_of_a_wrong_kind_are_broken_rows_and_no_drift():
    inspection, wrong = seen([ROW] * 99 + [ROW | {"name": []}], known([ROW] * 50))

    assert (Counter(wrong), inspection.findings()) == (Counter({None: 99, ("name", "list"): 1}), [])


@given(share=st.floats(0.05, 0.95), rows=st.integers(1, 40), seed=st.integers(0, 10_000))
def test_chance_accuses_nobody(share, rows, seed):
    """A field that the vendor leaves out where it knows nothing, as often as before."""
    import random

    dice = random.Random(seed)

    def draw(count):
        return [ROW if dice.random() < share else without(ROW, "city") for _ in range(count)]

    assert findings(draw(rows), draw(400), OMITTING) == []


def test_rows_suffer_only_from_what_they_lack():
    renamed = Finding("city", RENAMED, "town")

    assert breaches(without(ROW, "city"), [Finding("city", REMOVED)]) is not None
    assert breaches(ROW, [Finding("city", REMOVED)]) is None
    assert breaches(without(ROW, "city"), [renamed]) is None  # where unknown fields are left out
    assert breaches(without(ROW, "city") | {"town": "Leeds"}, [renamed]) == renamed


def test_a_profile_survives_as_json():
    profile = known([ROW] * 3)

    assert Profile.of(profile.told()) == profile
    assert (profile + profile).share("at.site") == 1.0


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("entity", ["contact", "organisation"])
def test_every_field_that_the_mapping_reads_is_in_the_contract(vendor, entity):
    """A mapping that reads a field nobody watches would take a rename for a missing value."""
    sql = (SQL_ROOT / "standardised" / f"{vendor}_{entity}.sql").read_text()
    alias = "(?:contact|organisation|person|chosen)"
    read = {re.sub(r"\[\d+\]", "[]", path) for path in re.findall(rf"{alias}\.payload, '\$\.([^']+)'", sql)}

    assert read
    assert read <= set(CONTRACTS[vendor, entity].fields)


def test_each_vendor_has_forty_mutations_and_no_two_are_one():
    for vendor in VENDORS:
        assert len({str(one) for one in mutations(vendor)}) == 40


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_mutation_is_named_and_no_wrong_row_gets_into_the_standardised_tables(vendor, tmp_path):
    """One of the forty, another kind for each; `halosync bench drift` plays all."""
    base = Base(tmp_path / "base", vendor, people=120)

    verdict = base.play(mutations(vendor)[VENDORS.index(vendor)], tmp_path / "played")

    assert verdict.faults == []
    assert verdict.held >= verdict.touched > 15


def test_a_load_of_unlikely_size_holds_the_run_until_a_person_accepts_it(tmp_path):
    """Exit 4 and not 3: a rule held it on purpose. `volume.py` says what is unlikely, `replay --accept` that it is right."""
    archive, state = Archive(tmp_path), {}
    clock = VirtualClock()

    def sized(found):
        meter = Meter("apollo")
        Customs(archive, meter, "contact", state)
        _fill(
            lambda kept: hold_unlikely(kept, found, of="people", source="apollo", clock=clock), state, meter, Patient()
        )
        return meter

    assert sized(1_000).held == []
    held = sized(100)
    archive.append("apollo", ACCEPTED, [ArchiveRow("all", "now", {}, 0.0, clock.now())])

    [line] = held.held
    assert held.problems == []
    assert "people are 100 and were 1,000 last time" in line
    assert "halosync replay --source apollo --accept" in line
    assert (sized(100).held, sized(100).held) == ([], [])


class Patient:
    """An asker that never had to ask again."""

    def __init__(self):
        self.retried = Counter()
