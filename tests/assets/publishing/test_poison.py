"""F21: a record that fails for ever is tried a bounded number of times, parked, and holds nobody up."""

from __future__ import annotations

import pytest
from publishing_house import House, contact, organisation

from assets.publishing import remedies, states
from assets.publishing.rules import demo_rules
from sources.halopsa import errors
from sources.simulation import Fault

ACME = organisation("org_acme", "Acme Ltd", domain="acme.test")
ANN = contact("con_ann", "Ann", "Lee", "org_acme")
BEN = contact("con_ben", "Ben", "Fox", "org_acme")
RULES = demo_rules().model_copy(update={"limits": demo_rules().limits.model_copy(update={"attempts_max": 3})})


def state_of(house: House, golden_id: str) -> states.RecordState:
    with house.ledger.read() as connection:
        return states.by_ids(connection, [golden_id])[golden_id]


def test_f21_a_poison_record_is_parked_and_the_others_flow_and_it_comes_back_when_its_data_change(house, monkeypatch):
    house.commit(ACME, ANN, BEN)
    write = house.halo.create
    broken = {"ann.lee@org_acme.test"}

    def create(resource, fields):
        if fields.get("emailaddress") in broken:
            house.simulator.faults = [Fault("status", path="/api/Users", method="POST", status=500, times=1)]
        return write(resource, fields)

    monkeypatch.setattr(house.halo, "create", create)
    sent = []
    for number in range(6):
        house.commit({**BEN, "job_title": f"Clerk {number}"})
        mark = house.mark
        house.publish(rules=RULES)
        sent.append(house.writes_since(mark).count("/api/Users"))

    parked = state_of(house, "con_ann")
    assert (parked.state, parked.error_class, parked.attempts) == ("rejected", "server", 3)
    assert parked.reason == "it failed 3 times and is parked until its data change"
    assert state_of(house, "con_ben").state == "published"
    assert house.row("Users", "Ben Fox")["title"] == "Clerk 5"
    assert sent[-2:] == [1, 1]

    broken.clear()
    house.commit({**ANN, "job_title": "Director"})
    house.publish(rules=RULES)
    back = state_of(house, "con_ann")
    assert (back.state, back.error_class, back.remedy, back.attempts) == ("published", None, None, 0)


def test_f21_an_update_that_halopsa_dies_of_does_not_take_its_array_along(house, monkeypatch):
    house.commit(ACME, ANN, BEN)
    house.publish(rules=RULES)
    write = house.halo.update_many

    def update_many(resource, updates):
        if any(fields.get("title") == "Poison" for _, fields in updates):
            house.simulator.faults = [Fault("status", path="/api/Users", method="POST", status=500, times=1)]
        return write(resource, updates)

    monkeypatch.setattr(house.halo, "update_many", update_many)
    house.commit({**ANN, "job_title": "Poison"}, {**BEN, "job_title": "Clerk"})
    for number in range(4):
        house.commit({**ACME, "phone": f"+44207946000{number}"})  # HaloPSA is well: others succeed
        house.publish(rules=RULES)

    assert house.row("Users", "Ben Fox")["title"] == "Clerk"
    assert (state_of(house, "con_ben").state, state_of(house, "con_ben").attempts) == ("published", 0)
    assert (state_of(house, "con_ann").state, state_of(house, "con_ann").attempts) == ("rejected", 3)


def test_f21_while_halopsa_is_down_nobody_is_parked(house):
    house.commit(ACME)
    for _ in range(8):
        house.simulator.faults = [Fault("status", path="/api/Client", method="POST", status=500, times=-1)]
        house.publish(rules=RULES)
    house.simulator.faults = []

    house.publish(rules=RULES)

    assert state_of(house, "org_acme").state == "published"


def test_f21_a_refusal_names_its_class_and_a_remedy(tmp_path):
    house = House(tmp_path, mandatory_fields={"Users": ("other1",)})
    house.commit(ACME, ANN)

    house.publish(rules=RULES)

    refused = state_of(house, "con_ann")
    assert (refused.state, refused.error_class, refused.attempts) == ("rejected", "mandatory_field", 1)
    assert "`create_defaults` of the publishing rules" in refused.remedy


@pytest.mark.parametrize("name", sorted({name for name, _ in errors._CLASSES} | set(errors._BY_STATUS.values())))
def test_every_class_of_refusal_has_its_own_remedy(name):
    assert name in remedies.REMEDIES


def people(count: int) -> list[dict]:
    return [
        contact(f"con_{number:03}", f"Pat{number}", "Lee", "org_acme", job_title="Clerk") for number in range(count)
    ]


def test_a_right_that_is_missing_stops_the_run_and_is_final_for_nobody(house):
    """403 is of the application: five in a row end the run, and all is sent as soon as the right is there."""
    house.commit(ACME)
    house.publish()
    house.commit(*people(40))
    house.simulator.faults = [Fault("status", path="/api/Users", method="POST", status=403, times=-1)]
    mark = house.mark

    result = house.publish()
    refused = state_of(house, "con_000")
    tried = len(house.writes_since(mark))
    house.simulator.faults = []
    after = house.publish()

    assert (refused.state, refused.error_class, refused.attempts) == ("unpublished", "forbidden", 0)
    assert "edit:customers" in refused.remedy
    assert (result.rejected, tried) == (0, 5)
    assert "(forbidden): give the API application edit:customers" in result.problems[0]
    assert after.created == 40


def test_a_client_that_we_may_not_write_holds_up_no_other(house, monkeypatch):
    """The agent lacks one client: its people come first by id and travel in the same arrays."""
    house.commit(ACME, organisation("org_zeta", "Zeta Ltd", domain="zeta.test"), *people(8))
    others = [contact(f"con_9{number:02}", f"Kim{number}", "Fox", "org_zeta", job_title="Clerk") for number in range(8)]
    house.commit(*others)
    house.publish()
    locked = {house.row("Users", f"Pat{number} Lee")["id"] for number in range(8)}
    post = house.halo.session.write

    def write(path, body, params=None):
        if path == "Users" and any(element.get("id") in locked for element in body):
            house.simulator.faults = [Fault("status", path="/api/Users", method="POST", status=403)]
        return post(path, body, params)

    monkeypatch.setattr(house.halo.session, "write", write)
    house.commit(*({**person, "job_title": "Director"} for person in [*people(8), *others]))
    for _ in range(3):
        house.publish()

    titles = [house.row("Users", f"Kim{number} Fox")["title"] for number in range(8)]
    assert titles == ["Director"] * 8
    assert state_of(house, "con_000").error_class == "forbidden"
