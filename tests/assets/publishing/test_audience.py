"""Who is published: what HaloPSA has and what is opted in, without those left out; leaving deletes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from publishing_house import House, contact, organisation

from assets.publishing import outbox, reasons
from assets.publishing.rules import Rules, load_rules
from sources.halopsa.simulator_records import HaloFixture

ACME = organisation("org_acme", "Acme Ltd", domain="acme.test", country="GB", employees_max=40)
BOLT = organisation("org_bolt", "Bolt Inc", domain="bolt.test", country="US", employees_max=400)
ANN = contact("con_ann", "Ann", "Lee", "org_acme", seniority="owner", email="ann@acme.test")
BEN = contact("con_ben", "Ben", "Fox", "org_acme", seniority="entry", email="ben@acme.test")
CY = contact("con_cy", "Cy", "Day", "org_bolt", email="cy@bolt.test")
ALL = (ACME, BOLT, ANN, BEN, CY)
OPEN = "plan_first = false\n[audience]\nin_halo_only = false\n"


@pytest.fixture
def rules(tmp_path: Path):
    def made(text: str) -> Rules:
        path = tmp_path / "rules.toml"
        path.write_text(text)
        return load_rules(path)

    return made


def states(house: House) -> dict[str, tuple[str, str | None]]:
    with house.ledger.read() as connection:
        return outbox.states(connection, [record["golden_id"] for record in ALL])


def in_halo(house: House) -> set[str]:
    return {golden_id for name in ("Client", "Users") for golden_id in house.simulator.records_by_golden_id(name)}


def tenant_with_acme(folder: Path) -> House:
    client = {"id": 41, "name": "Acme Ltd", "website": "https://acme.test", "main_site_id": 51}
    site = {"id": 51, "name": "Main", "client_id": 41}
    return House(folder, HaloFixture(clients=[client], sites=[site]))


def test_as_shipped_only_what_halopsa_has_is_published_with_its_people(tmp_path, rules):
    house = tenant_with_acme(tmp_path)
    house.commit(*ALL)

    result = house.publish(rules=rules("plan_first = false\n"))

    assert in_halo(house) == {"org_acme", "con_ann", "con_ben"}
    assert states(house)["org_bolt"] == ("suppressed", reasons.NOT_IN_HALO)
    assert states(house)["con_cy"] == ("suppressed", reasons.ORGANISATION_NOT_IN_HALO)
    assert (result.suppressed, result.held, result.remaining, result.problems) == (2, 0, 0, [])


def test_an_organisation_is_opted_in_by_its_domain_and_brings_its_people(tmp_path, rules):
    house = tenant_with_acme(tmp_path)
    house.commit(*ALL)

    house.publish(rules=rules('[audience]\nopt_in = ["bolt.test"]\n'))

    assert in_halo(house) == {record["golden_id"] for record in ALL}


def test_a_client_that_a_person_creates_lets_its_organisation_in(tmp_path, rules):
    house = tenant_with_acme(tmp_path)
    house.commit(*ALL)
    house.publish(rules=rules(""))

    house.simulator.records.post("Client", [{"name": "Bolt Inc", "website": "bolt.test", "toplevel_id": 1}])
    house.walk()
    house.publish(rules=rules(""))

    assert in_halo(house) == {record["golden_id"] for record in ALL}
    assert len([row for row in house.rows("Client").values() if row["name"] == "Bolt Inc"]) == 1


def test_leaving_the_audience_deletes_nothing_and_changes_nothing(tmp_path, rules):
    house = tenant_with_acme(tmp_path)
    house.commit(*ALL)
    house.publish(rules=rules(""))

    house.commit({**ANN, "job_title": "Director"})
    house.walk()
    mark = house.mark
    house.publish(rules=rules('[audience]\nsuppressed = ["ann@acme.test"]\n'))

    assert house.writes_since(mark) == []
    assert not house.row("Users", "Ann Lee").get("inactive")
    assert states(house)["con_ann"] == ("suppressed", reasons.SUPPRESSED)


def test_who_comes_back_is_brought_up_to_date(tmp_path, rules):
    house = House(tmp_path)
    house.commit(*ALL)
    house.publish(rules=rules(OPEN))
    house.commit({**ANN, "job_title": "Director"})
    house.publish(rules=rules(OPEN + 'suppressed = ["con_ann"]\n'))

    house.publish(rules=rules(OPEN))

    assert house.row("Users", "Ann Lee")["title"] == "Director"
    assert states(house)["con_ann"] == ("published", None)


@pytest.mark.parametrize(
    ("segments", "published"),
    [
        ('organisation = { british = [{ field = "country", any_of = ["GB"] }] }', {"org_acme"}),
        ('organisation = { others = [{ field = "country", none_of = ["GB"] }] }', {"org_bolt"}),
        ('organisation = { large = [{ field = "employees_max", min = 100 }] }', {"org_bolt"}),
        ('organisation = { a = [{ field = "employees_max", max = 50 }], b = [{ field = "country", any_of = ["US"] }] }',
         {"org_acme", "org_bolt"}),
        ('organisation = { both = [{ field = "employees_max", max = 50 }, { field = "country", any_of = ["US"] }] }',
         set()),
        ('organisation = { known = [{ field = "industry", present = false }] }', {"org_acme", "org_bolt"}),
    ],
)  # fmt: skip
def test_segments_choose_by_golden_columns(tmp_path, rules, segments, published):
    house = House(tmp_path)
    house.commit(ACME, BOLT)

    house.publish(rules=rules(OPEN + f"[audience.segments]\n{segments}\n"))

    assert in_halo(house) == published


def test_too_many_contacts_are_cut_to_the_most_senior_and_those_halopsa_has_stay(tmp_path, rules):
    house = House(tmp_path)
    house.commit(ACME, BEN)
    house.publish(rules=rules(OPEN + "contacts_per_organisation_max = 1\n"))
    eve = contact("con_eve", "Eve", "Ray", "org_acme", seniority="director", email="eve@acme.test")

    house.commit(ANN, eve)
    house.publish(rules=rules(OPEN + "contacts_per_organisation_max = 2\n"))

    assert in_halo(house) == {"org_acme", "con_ben", "con_ann"}
    with house.ledger.read() as connection:
        assert outbox.states(connection, ["con_eve"]) == {"con_eve": ("suppressed", reasons.BEYOND_THE_CAP)}


PRIVATE = contact(
    "con_ann", "Ann", "Lee", "org_acme", email="ann@acme.test", email_status="guessed", phone="+442079460002",
    phone_do_not_call=True, mobile="+447700900001",
)  # fmt: skip


@pytest.mark.parametrize(
    ("setting", "held"),
    [
        ("", ("", "", "+447700900001")),
        ('do_not_call = "publish"\n', ("", "+442079460002", "+447700900001")),
        ('unverified_email = "publish"\n', ("ann@acme.test", "", "+447700900001")),
    ],
)
def test_numbers_and_addresses_that_may_not_be_used_are_withheld_unless_said(tmp_path, rules, setting, held):
    house = House(tmp_path)
    house.commit(ACME, PRIVATE)

    house.publish(rules=rules(OPEN + setting))

    row = house.row("Users", "Ann Lee")
    assert tuple(row.get(name) or "" for name in ("emailaddress", "phonenumber", "mobilenumber")) == held


@pytest.mark.parametrize("setting", ['do_not_call = "leave_out"\n', 'unverified_email = "leave_out"\n'])
def test_or_the_person_is_left_out_as_a_whole(tmp_path, rules, setting):
    house = House(tmp_path)
    house.commit(ACME, PRIVATE)

    house.publish(rules=rules(OPEN + setting))

    assert in_halo(house) == {"org_acme"}


def test_update_only_creates_nothing_and_create_only_changes_nothing(tmp_path, rules):
    house = tenant_with_acme(tmp_path)
    house.commit(ACME, ANN)
    house.publish(rules=rules(OPEN + '[mode]\ncontact = "update_only"\n'))
    assert in_halo(house) == {"org_acme"}
    assert states(house)["con_ann"] == ("suppressed", reasons.UPDATE_ONLY)

    house.publish(rules=rules(OPEN + '[mode]\ncontact = "create_only"\n'))
    house.commit({**ANN, "job_title": "Director"})
    mark = house.mark
    house.publish(rules=rules(OPEN + '[mode]\ncontact = "create_only"\n'))

    assert house.row("Users", "Ann Lee").get("title") in (None, "")
    assert house.writes_since(mark) == []
    assert states(house)["con_ann"] == ("suppressed", reasons.CREATE_ONLY)


def test_upsert_makes_nothing_inactive_and_tracked_does(tmp_path, rules):
    house = House(tmp_path)
    house.commit(ACME, ANN)
    house.publish(rules=rules(OPEN))
    house.commit(gone=("con_ann",))

    house.publish(rules=rules(OPEN + '[mode]\ncontact = "upsert"\n'))
    kept = house.row("Users", "Ann Lee").get("inactive")
    house.publish(rules=rules(OPEN))

    assert not kept
    assert house.row("Users", "Ann Lee")["inactive"] is True


def test_off_publishes_nothing_of_the_entity_and_on_takes_it_up(tmp_path, rules):
    house = House(tmp_path)
    house.commit(ACME, ANN)

    result = house.publish(rules=rules(OPEN + '[delivery]\ncontact = "feed"\n'))
    without = in_halo(house)
    house.publish(rules=rules(OPEN))

    assert (without, in_halo(house)) == ({"org_acme"}, {"org_acme", "con_ann"})
    assert (result.suppressed, result.remaining) == (1, 0)


def test_a_person_edits_and_newest_lets_the_later_side_win(tmp_path, rules):
    """Both sides changed the title; golden changed last for Ann, the person last for Ben."""
    newest = rules(OPEN + '[owners.Users]\njob_title = "newest"\n')
    house = House(tmp_path)
    house.commit(ACME, {**ANN, "job_title": "Manager"}, {**BEN, "job_title": "Clerk"})
    house.publish(rules=newest)
    house.clock.sleep(60)
    house.edit("Users", "Ann Lee", title="Head of Tea")
    house.clock.sleep(60)
    house.commit({**ANN, "job_title": "Director"}, {**BEN, "job_title": "Senior Clerk"})
    house.clock.sleep(60)
    house.edit("Users", "Ben Fox", title="Head of Coffee")
    house.walk()

    house.publish(rules=newest)

    assert house.row("Users", "Ann Lee")["title"] == "Director"
    assert house.row("Users", "Ben Fox")["title"] == "Head of Coffee"
