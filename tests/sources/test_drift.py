"""A vendor that changes what it sends: named, held, the last good value kept; chance accuses nobody."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.bench.drift_mutations import mutations
from orchestration.bench.drift_play import Base
from sources.archive import Archive
from sources.customs import Customs
from sources.drift import ADDED, REMOVED, RENAMED, RETYPED, Finding, Inspection, Profile, breaches
from sources.intake import Meter
from sources.payload_contracts import CONTRACTS, Contract
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


class Vendor:
    """Loads of one entity whose size the source announces."""

    def __init__(self, folder):
        self.archive, self.state = Archive(folder), {}

    def load(self, announced, *, is_read_whole=True):
        meter = Meter("apollo")
        meter.announce("contact", announced)
        customs = Customs(self.archive, meter, "contact", self.state)
        return customs.lets_volume(is_read_whole=is_read_whole), meter.held


@pytest.mark.parametrize(
    ("announced", "is_let"), [(1_000, True), (500, True), (499, False), (3_000, True), (3_001, False), (0, True)]
)
def test_a_load_of_odd_size_is_held(tmp_path, announced, is_let):
    vendor = Vendor(tmp_path)
    vendor.load(1_000)

    found, held = vendor.load(announced)

    assert found is is_let
    assert bool(held) is not is_let
    assert all("at the last good load 1,000. Nothing of it is loaded" in line for line in held)


def test_few_records_may_double_and_a_reading_cut_short_is_no_volume(tmp_path):
    vendor = Vendor(tmp_path)

    assert vendor.load(20)[0] and vendor.load(90)[0]  # noqa: PT018
    assert vendor.load(1_000)[0]
    assert vendor.load(10, is_read_whole=False)[0]
    assert vendor.state["announced"] == 1_000


def test_a_held_volume_stays_held_until_a_person_accepts_it(tmp_path):
    from sources.archive import ArchiveRow
    from sources.clock import VIRTUAL_START
    from sources.customs import ACCEPTED

    vendor = Vendor(tmp_path)
    vendor.load(1_000)
    refused = [vendor.load(100)[0] for _ in range(3)]
    vendor.archive.append("apollo", ACCEPTED, [ArchiveRow("all", "now", {}, 0.0, VIRTUAL_START)])

    assert refused == [False, False, False]
    assert [vendor.load(size)[0] for size in (100, 100, 1_000)] == [True, True, False]
