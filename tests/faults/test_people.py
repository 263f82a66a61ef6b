"""F9 and I3: people who edit, rename, delete and make again while we write; what they did stands."""

from __future__ import annotations

import pytest

from sources.simulation import Fault
from tests.assets.publishing.publishing_house import Died, contact, organisation
from tests.faults.conftest import in_the_middle, state

ACME = organisation("org_acme", "Acme Ltd", domain="acme.test", phone="+442079460001")
ANN = contact("con_ann", "Ann", "Lee", "org_acme", job_title="Clerk")


def test_f09_a_person_who_edits_between_our_read_and_our_write_of_another_field_keeps_the_edit(house):
    house.commit(ACME, ANN)
    house.publish()
    house.commit({**ANN, "mobile": "+447700900001"})

    in_the_middle(house, "before_bytes_leave", lambda: house.edit("Users", "Ann Lee", title="Boss"))
    house.walk()
    house.publish()

    user = house.row("Users", "Ann Lee")
    assert (user["title"], user["mobilenumber"]) == ("Boss", "+447700900001")


def test_f09_what_a_person_deletes_in_mid_run_is_not_made_again(house):
    house.commit(ACME, ANN)
    house.publish()
    house.commit({**ANN, "job_title": "Director"})
    user_id = house.row("Users", "Ann Lee")["id"]

    in_the_middle(house, "before_bytes_leave", lambda: house.simulator.records.delete("Users", user_id))
    for _ in range(2):
        house.walk()
        house.publish()

    assert house.simulator.records_by_golden_id("Users") == {}
    assert state(house, "con_ann")[0] in ("held", "rejected")


def test_f09_what_a_person_deletes_and_makes_again_is_left_to_people(house):
    house.commit(ACME, ANN)
    house.publish()
    old = house.simulator.records.delete("Users", house.row("Users", "Ann Lee")["id"])
    again = {name: old[name] for name in ("name", "site_id", "emailaddress")}
    house.simulator.records.post("Users", [again])
    house.walk()
    house.commit({**ANN, "job_title": "Director"})

    house.publish()

    assert [row.get("title") for row in house.rows("Users").values() if row["name"] == "Ann Lee"] == [None]
    assert state(house, "con_ann")[0] == "held"


def test_f09_what_a_person_renamed_before_we_looked_for_it_is_found_all_the_same(house):
    """A look-up that goes by name alone would prove a renamed record absent and double it."""
    house.commit(ACME)
    with pytest.raises(Died):
        house.publish(die_at=("after_reply", 0))
    client = house.row("Client", "Acme Ltd")
    house.simulator.records.post("Client", [{"id": client["id"], "name": "Acme Holdings"}])

    house.restart().publish()

    assert house.simulator.records_by_golden_id("Client") == {"org_acme": 1}
    assert house.row("Client", "Acme Holdings")


def test_i03_what_a_person_puts_into_a_record_before_we_found_it_is_theirs(house):
    """A look-up shows what a record holds now; that is not what we sent."""
    house.commit(ACME, ANN)
    with pytest.raises(Died):
        house.publish(die_at=("after_reply", 2))  # of the user; those of client and site are durable by then
    house.edit("Users", "Ann Lee", title="Boss")

    house.restart().publish()
    house.commit({**ANN, "job_title": "Director"})
    house.publish()
    house.walk()
    house.publish()

    assert house.row("Users", "Ann Lee")["title"] == "Boss"


def test_i03_a_write_that_never_left_does_not_go_over_what_a_person_typed_since(house):
    house.commit(ACME, ANN)
    house.publish()
    house.commit({**ANN, "job_title": "Director"})
    with pytest.raises(Died):
        house.publish(die_at=("before_bytes_leave", 0))
    house.edit("Users", "Ann Lee", title="Boss")

    house.restart().publish()

    assert house.row("Users", "Ann Lee")["title"] == "Boss"


def test_i03_after_a_back_off_what_was_read_before_is_read_again(house):
    """Two arrays of one page: while the second waits for the first, somebody types."""
    people = [
        contact(f"con_{number:02}", "Pat", f"Lee{number:02}", "org_acme", job_title="Clerk") for number in range(40)
    ]
    house.commit(ACME, *people)
    house.publish()
    house.walk()
    house.commit(*[{**person, "job_title": "Director"} for person in people])
    house.simulator.faults.append(Fault("status", status=429, path="/api/Users", method="POST", times=3))

    in_the_middle(house, "after_reply", lambda: house.edit("Users", "Pat Lee39", title="Boss"))

    assert house.row("Users", "Pat Lee38")["title"] == "Director"
    assert house.row("Users", "Pat Lee39")["title"] == "Boss"


def test_a_record_that_was_there_before_us_is_never_made_inactive(house):
    """Even where it holds what golden says, to the letter."""
    house.commit(ACME)
    house.publish()
    site_id = house.row("Client", "Acme Ltd")["main_site_id"]
    names = {"name": "Ann Lee", "firstname": "Ann", "surname": "Lee", "title": "Clerk"}
    house.simulator.records.post("Users", [{**names, "emailaddress": ANN["email"], "site_id": site_id}])
    house.walk()
    house.commit(ANN)
    house.publish()
    house.commit(gone=("con_ann",))

    house.publish()

    assert not house.row("Users", "Ann Lee").get("inactive")
    assert state(house, "con_ann")[0] == "held"
