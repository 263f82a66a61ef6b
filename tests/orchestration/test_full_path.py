"""The main promise, end to end on the simulated world: one clean set, nothing twice, nothing lost, no human edit gone."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import datetime

import duckdb
import pytest

from orchestration.demo import accuracy
from orchestration.exits import Exit, Stop
from orchestration.simulated import PROFILE
from sources.simulation import Fault
from sources.world.world import World
from tests.orchestration.house import House

PEOPLE = 300
USER_FIELDS = ("firstname", "surname", "emailaddress", "phonenumber", "mobile", "title")
HALO_NAMES = {"mobile": "mobilenumber"}
SIMULATORS = ("apollo", "zoominfo", "uplead", "halopsa")


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A house after its first run; tests that change it work on a copy."""
    house = House(tmp_path_factory.mktemp("house"), people=PEOPLE)
    return house, house.run()


@pytest.fixture
def copy(first, tmp_path):
    return first[0].copy_to(tmp_path / "house")


def test_the_first_run_is_done_and_right(first):
    house, ran = first

    measures = accuracy(house.settings, house.world)

    assert ran.outcome.exit is Exit.DONE, ran.outcome.summary["problems"]
    assert min(measures["precision"].values()) >= 0.98
    assert min(measures["recall"].values()) >= 0.90


def test_the_summary_has_every_pinned_key(first):
    keys = [
        "schema_version",
        "fetched",
        "quarantined",
        "standardised",
        "pairs",
        "golden",
        "changes",
        "halo",
        "feed",
        "credits",
        "seconds",
        "virtual_seconds",
        "peak_mb",
        "steps",
        "problems",
    ]

    assert set(keys) <= set(first[1].outcome.summary)
    assert set(first[1].outcome.summary["halo"]) == {"created", "updated", "unchanged", "held", "rejected"}


def test_the_run_book_says_how_the_run_ended(first):
    """ops.run was empty for ever: nothing opened a run's row."""
    house, ran = first

    assert house.query("select kind, state from ops.run") == [("full_sync", "done")]
    assert ran.outcome.summary["seconds"] > 0


def test_halo_holds_each_golden_record_once(first):
    _, ran = first

    for resource in ("Client", "Users"):
        assert set(ran.records_by_golden_id[resource].values()) <= {1}
    published = sum(len(held) for held in ran.records_by_golden_id.values())
    halo = ran.outcome.summary["halo"]
    assert published == halo["created"] + halo["updated"] + halo["unchanged"]


def test_every_contact_hangs_on_its_organisations_site(first):
    house, _ = first
    rows = house.query(
        "select person.halo_id, employer.halo_id from ops.crosswalk as person "
        "inner join golden.contact as contact on person.golden_id = contact.golden_id "
        "inner join ops.crosswalk as employer on contact.organisation_golden_id = employer.golden_id "
        "where person.resource = 'Users' and employer.resource = 'Client'"
    )
    users, sites = house.halo_rows["Users"], house.halo_rows["Site"]

    assert len(rows) > PEOPLE / 3
    for user_id, client_id in rows:
        assert int(sites[int(users[user_id]["site_id"])]["client_id"]) == client_id


def test_the_human_edits_halo_started_with_are_untouched(first):
    house, _ = first
    before = World.generate(PEOPLE, house.seed, PROFILE).halo()
    edits = 0

    for user in before["users"].to_dict("records"):
        for field in set(user["human_edited"]) & set(USER_FIELDS):
            edits += 1
            now = house.halo_rows["Users"][user["user_id"]]
            assert (now.get(HALO_NAMES.get(field, field)) or None) == user[field]

    assert edits > 0


def test_the_feed_file_has_the_seeds_shape_and_organisations_come_first(first):
    house, ran = first

    feed = house.feed()

    assert set(feed) >= {"status", "records", "total_count", "last_sync_timestamp", "metadata"}
    kinds = [record["entity_type"] for record in feed["records"]]
    assert kinds == sorted(kinds, reverse=True)
    assert len(kinds) == feed["total_count"] == ran.outcome.summary["feed"]["records"]


def test_a_second_run_changes_and_writes_nothing(copy):
    ran = copy.run()

    assert ran.outcome.exit is Exit.DONE
    assert ran.outcome.summary["changes"] == {"organisation": 0, "contact": 0}
    assert ran.writes == 0
    assert sum(ran.outcome.summary["credits"].values()) == 0


def test_a_deleted_warehouse_comes_back_with_the_same_ids_for_no_credits(first, copy):
    (copy.root / "warehouse.duckdb").unlink()

    ran = copy.run()

    assert ran.writes == 0
    assert sum(ran.outcome.summary["credits"].values()) == 0
    for entity in ("organisation", "contact"):
        assert copy.golden(entity).equals(first[0].golden(entity))
    assert ran.outcome.summary["changes"] == {"organisation": 0, "contact": 0}


def test_after_a_change_exactly_the_changed_records_are_written(first, copy):
    before = {entity: first[0].golden(entity).set_index("golden_id") for entity in ("organisation", "contact")}

    ran = copy.run(change=0.02)

    world = World.generate(PEOPLE, copy.seed, PROFILE)
    share, at = copy.world.rounds[0]
    changes = world.change(share, datetime.fromisoformat(at))
    touched = _records_of(world, {change.entity_id for change in changes})
    crosswalk = dict(copy.query("select record_key || '/' || entity, golden_id from golden.crosswalk"))
    expected = {crosswalk[key] for key in touched}
    # A company's new main line also shows on the people who were listed under the old one.
    staff = "select golden_id from golden.contact where organisation_golden_id in (select unnest(?))"
    with duckdb.connect(str(copy.root / "inspect.duckdb"), read_only=True) as connection:
        expected |= {row[0] for row in connection.execute(staff, [sorted(expected)]).fetchall()}
    for entity in ("organisation", "contact"):
        after = copy.golden(entity).set_index("golden_id")
        common = before[entity].index.intersection(after.index)
        hashes = before[entity].loc[common, "content_hash"] != after.loc[common, "content_hash"]
        assert set(common[hashes]) <= expected
    assert 0 < ran.writes <= 3 * len(expected)
    assert ran.outcome.exit is Exit.DONE


def _records_of(world, entity_ids):
    truth = world.truth()
    mine = truth[truth["entity_id"].isin(entity_ids)]
    return {f"{row.record_key}/{row.entity}" for row in mine.itertuples()}


PASSING = (
    Fault("status", status=429, after=2, headers=(("Retry-After", "3"),)),
    Fault("status", status=500, after=3),
    Fault("drop", after=4),
    Fault("truncate", after=5),
)


def test_passing_faults_of_every_vendor_leave_the_same_golden_tables(first, tmp_path):
    """A 429, a 500, a lost connection, half an answer and a token that dies in mid-run, at all four vendors at once."""

    def strike(around):
        for name, simulator in around.simulators.items():
            simulator.faults = [replace(fault) for fault in PASSING]
            if name == "zoominfo":
                simulator.faults.append(Fault("revoke", after=6))
            if name == "halopsa":
                simulator.faults.append(Fault("revoke_all_tokens", after=20))

    house = House(tmp_path / "house", people=PEOPLE)
    ran = house.run(prepare=strike)

    assert ran.outcome.exit is Exit.DONE, ran.outcome.summary["problems"]
    for entity in ("organisation", "contact"):
        assert house.golden(entity).equals(first[0].golden(entity))
    assert ran.records_by_golden_id.keys() == first[1].records_by_golden_id.keys()
    for resource, held in ran.records_by_golden_id.items():
        assert held == first[1].records_by_golden_id[resource]
    assert ran.outcome.summary["credits"] == first[1].outcome.summary["credits"]
    for name in SIMULATORS:
        assert any(note.startswith(f"{name}: asked again after HTTP ") for note in ran.outcome.summary["notes"])


@pytest.mark.parametrize("down", [{"apollo", "zoominfo"}, {"halopsa"}])
def test_a_vendor_that_is_down_makes_the_run_partial_and_deletes_nothing(first, copy, down):
    def cut(around):
        for vendor in down:
            around.simulators[vendor].faults = [Fault("drop", times=-1)]

    ran = copy.run(prepare=cut)

    summary = ran.outcome.summary
    assert ran.outcome.exit is Exit.PARTIAL
    for vendor in down:
        assert any(problem.lower().startswith(f"{vendor}: ") for problem in summary["problems"])
    assert {name for name in SIMULATORS if summary["fetched"][name]} == {*SIMULATORS} - down
    assert summary["changes"] == {"organisation": 0, "contact": 0}
    assert ran.writes == 0
    for entity in ("organisation", "contact"):
        assert copy.golden(entity).equals(first[0].golden(entity))


def test_a_malformed_record_from_every_vendor_is_told_and_nobody_is_made_twice(first, tmp_path):
    """The one in HaloPSA is somebody our vendors know: left out of the mirror she was made a second time."""
    adopted = first[0].query(
        "select person.halo_id from ops.crosswalk as person where person.resource = 'Users' order by person.halo_id"
    )
    halo_user = next(row[0] for row in adopted if row[0] in set(first[0].world.halo()["users"]["user_id"]))

    def poison(around):
        ids = {name: around.world.contacts(name)["id"].iloc[0] for name in ("apollo", "zoominfo", "uplead")}
        around.simulators["apollo"].switches.poison = {ids["apollo"]: "nul"}
        around.simulators["zoominfo"].poison = {ids["zoominfo"]: "paid NUL"}
        around.simulators["uplead"].poison = {ids["uplead"]: "NUL"}
        around.simulators["halopsa"].records.rows["Users"][halo_user]["title"] = "nul\x00"

    house = House(tmp_path / "house", people=PEOPLE)
    ran = house.run(prepare=poison)

    summary = ran.outcome.summary
    assert ran.outcome.exit is Exit.DONE, summary["problems"]
    assert summary["quarantined"] == 4
    told = [problem for problem in summary["problems"] if "quarantined" in problem]
    assert {line.split(": ")[0] for line in told} == {*SIMULATORS}
    assert all("holds a NUL character" in line and "All others are loaded" in line for line in told)
    assert halo_user in {row[0] for row in house.query("select halo_id from ops.crosswalk where resource = 'Users'")}
    for resource in ("Client", "Users"):
        assert set(ran.records_by_golden_id[resource].values()) <= {1}


def test_a_second_run_at_the_same_time_is_busy(copy):
    """F11: two full syncs of one data folder; the second leaves with exit 5 and touches nothing."""
    from assets.publishing.ledger import Ledger
    from orchestration.full_path import LEASE

    holding, done = threading.Event(), threading.Event()

    def hold():
        ledger = Ledger.open(copy.settings.ledger)
        with ledger.lease(LEASE):
            holding.set()
            done.wait(60)
        ledger.close()

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait(60)
    try:
        with pytest.raises(Stop) as caught:
            copy.run()
    finally:
        done.set()
        thread.join()

    assert caught.value.code is Exit.BUSY


def test_no_secret_and_no_address_is_in_a_summary(first):
    text = json.dumps(first[1].outcome.summary)

    assert "@" not in text
    assert "simulated-secret" not in text
