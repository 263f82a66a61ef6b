"""Promises of reconciliation: every difference has a name, repairs follow a rule, nothing is deleted or woken."""

from __future__ import annotations

import copy

import pytest
import sqlalchemy as sa
from publishing_house import House, contact, organisation

from assets.publishing import tables, work
from assets.publishing.ledger import LedgerBusy, upsert
from assets.publishing.reconcile import Findings, reconcile, refresh

ACME = organisation("org_acme", "Acme Ltd", domain="acme.test", phone="+442079460001", street="1 High Street")
PEOPLE = tuple(
    contact(f"con_{number}", f"Fay{number}", f"Gray{number}", "org_acme", job_title="Manager") for number in range(8)
)
ANN = PEOPLE[0]


@pytest.fixture
def published(house: House) -> House:
    house.commit(ACME, *PEOPLE)
    house.publish()
    return house


def reconciled(house: House, **options: bool) -> Findings:
    return reconcile(house.ledger, house.clock, house.halo, run_id="nightly", **options)


def open_items(house: House) -> list[tuple]:
    with house.ledger.read() as connection:
        rows = connection.execute(sa.select(tables.work_item).where(tables.work_item.c.state == "open"))
        return [(row.kind, row.golden_id, row.halo_id, row.other_halo_id, row.field) for row in rows]


def stamp_of(house: House, golden_id: str) -> list[dict]:
    return [{"id": house.halo.golden_id_field("Users"), "value": golden_id}]


def test_where_nothing_differs_nothing_is_found_and_nothing_is_written(published):
    mark = published.mark

    findings = reconciled(published)

    assert (findings.found, findings.replanned, findings.relinked, findings.problems) == ({}, 0, 0, [])
    assert findings.records == {"Client": 1, "Site": 1, "Users": 9}
    assert published.writes_since(mark) == []


def test_a_record_with_a_golden_id_that_nobody_knows_is_an_orphan(published):
    site = published.row("Users", "Fay0 Gray0")["site_id"]
    (row,) = published.simulator.records.post(
        "Users", [{"name": "Old Hand", "site_id": site, "customfields": stamp_of(published, "con_unknown")}]
    )

    findings = reconciled(published)

    assert open_items(published) == [("orphan", "con_unknown", row["id"], None, None)]
    assert findings.for_a_person == 1
    published.simulator.records.delete("Users", row["id"])
    assert (reconciled(published).closed, open_items(published)) == (1, [])


def test_f03_two_records_with_one_golden_id_are_a_double_and_publishing_goes_on_with_ours(published):
    """F3: a create that was applied after our look-up said absent."""
    ours = published.row("Users", "Fay0 Gray0")
    (late,) = published.simulator.records.post(
        "Users",
        [{"name": "Fay0 Gray0", "site_id": ours["site_id"], "customfields": stamp_of(published, "con_0")}],
    )

    reconciled(published)
    published.commit({**ANN, "job_title": "Director"})
    published.publish()

    assert open_items(published) == [("double", "con_0", ours["id"], late["id"], None)]
    assert published.rows("Users")[ours["id"]]["title"] == "Director"
    published.simulator.records.edit("Users", late["id"], "inactive", True)
    reconciled(published)
    assert open_items(published) == []


def test_an_edit_of_a_person_is_named_with_both_values_and_stays(published):
    published.edit("Users", "Fay0 Gray0", title="Head of Tea")

    findings = reconciled(published)
    published.commit({**ANN, "job_title": "Director"})
    published.publish()

    user = published.row("Users", "Fay0 Gray0")
    assert open_items(published) == [("human_edit", "con_0", user["id"], None, "job_title")]
    with published.ledger.read() as connection:
        (item,) = work.of_golden(connection, "con_0")
    assert item["detail"] == {"published": "Manager", "halo": "Head of Tea"}
    assert findings.for_a_person == 0
    assert user["title"] == "Head of Tea"


def test_a_value_that_shows_what_we_wrote_before_the_last_write_is_a_lost_write_and_not_overwritten(published):
    published.commit({**ANN, "job_title": "Director"})
    published.publish()
    published.edit("Users", "Fay0 Gray0", title="Manager")
    mark = published.mark

    reconciled(published)
    published.publish()

    user = published.row("Users", "Fay0 Gray0")["id"]
    assert open_items(published) == [("lost_write", "con_0", user, None, "job_title")]
    assert published.writes_since(mark) == []


def test_a_record_that_a_person_deleted_is_named_and_not_made_again(published):
    user = published.row("Users", "Fay3 Gray3")["id"]
    published.simulator.records.delete("Users", user)

    reconciled(published)
    published.commit({**PEOPLE[3], "job_title": "Clerk"})
    published.publish()

    assert open_items(published) == [("gone", "con_3", user, None, None)]
    assert "con_3" not in published.simulator.records_by_golden_id("Users")


def restore_halo(house: House, rows: dict) -> None:
    """HaloPSA as it was when `rows` were copied (F29)."""
    for resource, known in rows.items():
        for halo_id in set(house.rows(resource)) - set(known):
            house.simulator.records.delete(resource, halo_id)
        for halo_id, row in known.items():
            house.rows(resource)[halo_id].clear()
            house.rows(resource)[halo_id].update(row)


def test_f29_writes_that_vanished_with_a_restored_halo_are_planned_again(house):
    """F29: our acks vanish, updates and creates alike; no silent gap."""
    house.commit(ACME, *PEOPLE[:6])
    house.publish()
    backup = copy.deepcopy({name: house.rows(name) for name in ("Client", "Site", "Users")})
    house.clock.sleep(3_600)
    house.commit(*({**person, "job_title": "Director"} for person in PEOPLE[:6]), *PEOPLE[6:])
    house.publish()
    restore_halo(house, backup)

    findings = reconciled(house)
    house.publish()

    assert (findings.is_restored, findings.replanned) == (True, 8)
    titles = {row["name"]: row["title"] for row in house.rows("Users").values() if row.get("title")}
    assert titles == {f"Fay{n} Gray{n}": "Director" if n < 6 else "Manager" for n in range(8)}
    assert set(house.simulator.records_by_golden_id("Users").values()) == {1}
    assert reconciled(house).found == {}


def test_where_all_that_we_made_last_is_gone_it_is_made_again_only_if_somebody_says_so(house):
    """A trial that people undid by hand looks like a restored HaloPSA; deleted people must not come back."""
    house.commit(ACME)
    house.publish()
    house.clock.sleep(60)
    house.commit(*PEOPLE)
    house.publish()
    for row in [row for row in house.rows("Users").values() if row.get("title")]:
        house.simulator.records.delete("Users", row["id"])

    first = reconciled(house)
    made = house.publish().created
    second = reconciled(house, halo_restored=True)

    assert (first.is_restored, first.found, made) == (False, {"gone": 8}, 0)
    assert "--halo-restored" in first.problems[0]
    assert (second.replanned, house.publish().created) == (8, 8)


def test_f27_a_record_that_bears_the_id_of_a_golden_record_without_a_link_is_linked_and_not_made_twice(published):
    """F27: the ledger was restored and no longer knows what it made."""
    with published.ledger.transaction() as connection:
        connection.execute(sa.delete(tables.crosswalk).where(tables.crosswalk.c.golden_id == "con_0"))

    findings = reconciled(published)
    published.publish()

    assert findings.relinked == 1
    assert published.simulator.records_by_golden_id("Users")["con_0"] == 1


def test_f27_after_a_restore_of_the_ledger_nothing_is_written_before_a_reconciliation(published):
    """F27."""
    with published.ledger.transaction() as connection:
        upsert(connection, tables.mark, [{"name": "must_reconcile", "value": 1}])
    published.commit({**ANN, "job_title": "Director"})
    mark = published.mark

    held = published.publish()
    reconciled(published)
    done = published.publish()

    assert "halosync reconcile" in held.problems[0]
    assert (held.updated, done.updated) == (0, 1)
    assert published.writes_since(mark) == ["/api/Users"]


def test_what_was_last_read_too_long_ago_is_no_base_for_writing(published):
    published.commit({**ANN, "job_title": "Director"})
    published.clock.sleep(37 * 3_600)

    held = published.publish()
    reconciled(published)

    assert "mirror_age_max_h" in held.problems[0]
    assert published.publish().updated == 1


def test_a_hint_from_outside_renews_one_record(published):
    user = published.row("Users", "Fay0 Gray0")["id"]
    published.edit("Users", "Fay0 Gray0", title="Head of Tea")

    record = refresh(published.ledger, published.clock, published.halo, "Users", user)
    published.simulator.records.delete("Users", user)

    assert record is not None
    assert record.fields["job_title"] == "Head of Tea"
    assert refresh(published.ledger, published.clock, published.halo, "Users", user) is None


def test_reconciliation_and_publishing_never_run_at_once(published):
    with published.ledger.lease("publish"), pytest.raises(LedgerBusy):
        reconciled(published)


def test_a_merge_that_may_not_be_finished_by_us_is_listed_with_both_records_until_a_person_has(published):
    twin = published.row("Users", "Fay1 Gray1")
    published.edit("Users", "Fay1 Gray1", mobilenumber="+447700900001")

    published.commit(merged={"con_1": "con_0"})
    published.publish()

    kept = published.row("Users", "Fay0 Gray0")["id"]
    assert open_items(published) == [("merge", "con_1", twin["id"], kept, None)]
    published.edit("Users", "Fay1 Gray1", inactive=True)
    published.publish()
    assert open_items(published) == []


def test_a_split_creates_only_the_part_that_left(published):
    before = dict(published.rows("Users"))

    published.commit(contact("con_part", "Fay0", "Black", "org_acme"))
    result = published.publish()

    assert (result.created, result.updated) == (1, 0)
    assert {row["name"] for key, row in published.rows("Users").items() if key not in before} == {"Fay0 Black"}
