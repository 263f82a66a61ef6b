"""Promises of adoption on a tenant: where people go whose company is in doubt, and what the person who decides reads."""

from __future__ import annotations

from publishing_house import House, contact, organisation

from assets.publishing import outbox, reasons
from sources.halopsa.simulator_records import HaloFixture

FULL = organisation("org_full", "Acme Ltd", domain="acme.test", phone="+442079460001", postcode="N1 1AA")
THIN = organisation("org_thin", "ACME", domain="acme.test")
NAMED = organisation("org_named", "Acme Limited")
ANN = contact("con_ann", "Ann", "Lee", "org_full", email="ann@acme.test")
BEN = contact("con_ben", "Ben", "Fox", "org_thin", email="ben@elsewhere.test")
CY = contact("con_cy", "Cy", "Day", "org_named", email="cy@acme.test")
DEE = contact("con_dee", "Dee", "Eck", "org_named", email="dee@elsewhere.test")


def tenant(*users: dict) -> HaloFixture:
    """One client of some other name on acme.test, and users on its site."""
    return HaloFixture(
        clients=[{"id": 7, "name": "Acme Works", "domain": "acme.test", "main_site_id": 9, "inactive": False}],
        sites=[{"id": 9, "name": "Main", "client_id": 7, "inactive": False}],
        users=[{"site_id": 9, "inactive": False, **user} for user in users],
    )


def held(house: House) -> dict[str, str]:
    with house.ledger.read() as connection:
        states = outbox.states(connection, [*house.golden["organisation"], *house.golden["contact"]])
    return {golden_id: reason or "" for golden_id, (state, reason) in states.items() if state == "held"}


def test_the_contacts_of_a_double_go_to_the_company_that_it_is_a_double_of(house):
    """By name and web domain all of them; by name alone only those whose e-mail is at that web domain."""
    house.commit(FULL, THIN, NAMED, ANN, BEN, CY, DEE)

    house.publish()

    client = house.row("Client", "Acme Ltd")
    assert {house.row("Users", name)["site_id"] for name in ("Ann Lee", "Ben Fox", "Cy Day")} == {
        client["main_site_id"]
    }
    about = f"HaloPSA client {client['id']}, org_full"
    house.walk()
    house.publish()
    assert held(house) == {
        "org_thin": f"{reasons.TWIN} [{about}]",
        "org_named": f"{reasons.TWIN} [{about}]",
        "con_dee": f"its organisation is held, because {reasons.TWIN} [org_named]",
    }


def test_a_second_publish_over_doubles_sends_nothing(house):
    house.commit(FULL, THIN, NAMED, ANN, BEN, CY, DEE)
    house.publish()
    house.walk()
    mark = house.mark

    result = house.publish()

    assert house.writes_since(mark) == []
    assert (result.created, result.updated, result.held) == (0, 0, 3)


def test_a_person_whose_company_is_contested_keeps_her_own_user_and_its_site(tmp_path):
    """Both companies have people on the client, so neither gets it; the people are known all the same."""
    ann = {"id": 21, "name": "Ann Lee", "firstname": "Ann", "surname": "Lee", "emailaddress": "ann@acme.test"}
    cy = {"id": 22, "name": "Cy Day", "firstname": "Cy", "surname": "Day", "emailaddress": "cy@acme.test"}
    house = House(tmp_path, tenant(ann, cy))
    house.commit(
        organisation("org_mills", "Acme Mills", domain="acme.test"),
        organisation("org_shops", "Acme Shops", domain="acme.test"),
        {**ANN, "organisation_golden_id": "org_mills", "job_title": "Manager"},
        {**BEN, "organisation_golden_id": "org_mills"},
        {**CY, "organisation_golden_id": "org_shops", "job_title": "Clerk"},
    )

    house.publish()

    users = {row["id"]: (row["title"], row["site_id"]) for row in house.rows("Users").values()}
    assert users == {21: ("Manager", 9), 22: ("Clerk", 9)}
    assert list(house.rows("Client")) == [7]
    assert held(house) == {
        "org_mills": f"{reasons.RIVALS} [HaloPSA client 7, org_shops]",
        "org_shops": f"{reasons.RIVALS} [HaloPSA client 7, org_mills]",
        "con_ben": f"its organisation is held, because {reasons.RIVALS} [org_mills]",
    }


def test_held_records_are_counted_by_reason_whomever_they_are_about(house):
    other = [
        organisation("org_bolt", "Bolt Inc", domain="bolt.test"),
        organisation("org_bolt_thin", "Bolt", domain="bolt.test"),
    ]
    house.commit(FULL, THIN, *other, contact("con_lone", "Lone", "Wolf", None))

    result = house.publish()

    assert outbox.held_by_reason(house.ledger) == {
        "organisation": {reasons.TWIN: 2}, "contact": {reasons.NO_ORGANISATION: 1}
    }  # fmt: skip
    assert result.waiting == [
        f"held: 2 organisations: {reasons.TWIN}.", f"held: 1 contact: {reasons.NO_ORGANISATION}.",
    ]  # fmt: skip


def test_every_reason_is_one_sentence_with_a_remedy():
    said = {name: value for name, value in vars(reasons).items() if name.isupper() and not name.startswith("_")}
    made = [
        reasons.missing(["full_name"]), reasons.still_active("it was there before us"),
        reasons.of_organisation("org_a", "held", reasons.TWIN), reasons.of_organisation("org_a", None, None),
    ]  # fmt: skip

    assert len(said) > 10
    for sentence in [*said.values(), *map(reasons.sentence_of, made)]:
        claim, _, remedy = sentence.partition(": ")
        assert len(claim) > 10, sentence
        assert len(remedy) > 10, sentence
        assert "." not in sentence, sentence
