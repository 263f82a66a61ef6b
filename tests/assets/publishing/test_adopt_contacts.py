"""Promises of adoption of users: one fits one, or a person decides."""

from __future__ import annotations

import pytest

from assets.publishing import reasons
from assets.publishing.adopt_contacts import Candidate, Claim, contact_candidates, emails_of, match_contacts
from assets.publishing.mirror import HaloRecord

pytestmark = pytest.mark.one_store


def person(golden_id: str, name: str, client: int | None, *emails: str, is_placed: bool = True) -> Claim:
    return Claim(golden_id, name, emails_of(*emails), None if client is None else frozenset({client}), is_placed)


def user(halo_id: int, name: str, client_id: int, *emails: str) -> Candidate:
    return Candidate(halo_id, name, emails=emails_of(*emails), client_id=client_id)


def test_a_person_is_found_by_email_then_by_name_inside_the_client_only():
    claims = [person("con_a", "ann lee", 1, "ann@x.test"), person("con_b", "ben fox", 1), person("con_c", "cy day", 1)]
    users = [user(10, "a lee", 1, "ANN@x.test "), user(11, "ben fox", 1), user(12, "cy day", 2)]

    matches = match_contacts(claims, users)

    assert matches.links == {"con_a": (10, "email"), "con_b": (11, "name")}
    assert matches.held == {}


def test_an_email_at_another_client_is_held_for_a_person():
    matches = match_contacts([person("con_a", "ann lee", 1, "ann@x.test")], [user(10, "ann lee", 2, "ann@x.test")])

    assert matches.held == {"con_a": f"{reasons.OTHER_CLIENT} [HaloPSA user 10]"}


def test_two_people_of_one_name_in_one_client_are_never_guessed():
    matches = match_contacts([person("con_a", "ann lee", 1), person("con_b", "ann lee", 1)], [user(10, "ann lee", 1)])

    assert matches.links == {}
    assert matches.held["con_a"] == f"{reasons.RIVAL_CONTACTS} [HaloPSA user 10, con_b]"
    assert set(matches.held) == {"con_a", "con_b"}


def test_an_address_that_a_vendor_guessed_does_not_make_jennifer_of_jordan():
    """jbeakey@ was Jordan's in HaloPSA; Jennifer's phone went into Jordan's record."""
    jennifer = person("con_a", "jennifer beakey", 1, "jbeakey@x.test")

    alone = match_contacts([jennifer], [user(10, "jordan beakey", 1, "jbeakey@x.test")])
    with_her_own = match_contacts(
        [jennifer], [user(10, "jordan beakey", 1, "jbeakey@x.test"), user(11, "jennifer beakey", 1, "jb2@x.test")]
    )

    assert alone.held == {"con_a": f"{reasons.OTHER_NAME} [HaloPSA user 10]"}
    assert with_her_own.links == {"con_a": (11, "name")}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("bob smith", "robert smith"),
        ("ann lee", "lee ann"),
        ("s marldale", "sarah marldale"),
        ("lori wilworth", "lori hora"),
        ("joahua harvey", "joshua harvey"),
        ("clement edouard", "edouard clement"),
    ],
)
def test_an_email_is_believed_whatever_form_the_first_name_has(ours, theirs):
    matches = match_contacts([person("con_a", ours, 1, "x@x.test")], [user(10, theirs, 1, "x@x.test")])

    assert matches.links == {"con_a": (10, "email")}


def test_while_its_organisation_is_held_only_the_very_email_makes_a_person_known():
    users = [user(10, "ann lee", 1, "ann@x.test"), user(11, "ben fox", 1)]
    claims = [
        person("con_a", "ann lee", 1, "ann@x.test", is_placed=False), person("con_b", "ben fox", 1, is_placed=False)
    ]  # fmt: skip

    matches = match_contacts(claims, users)

    assert (matches.links, matches.held) == ({"con_a": (10, "email")}, {})


def test_without_an_organisation_email_and_name_must_both_be_the_same():
    users = [user(10, "ann lee", 1, "ann@x.test"), user(11, "benjamin fox", 2, "ben@x.test")]
    claims = [person("con_a", "ann lee", None, "ann@x.test"), person("con_b", "ben fox", None, "ben@x.test")]

    matches = match_contacts(claims, users)

    assert (matches.links, matches.held) == ({"con_a": (10, "email")}, {})


def test_a_user_given_to_its_owner_no_longer_stands_in_anothers_way():
    """The next run would see it so, and a second run must find nothing to do."""
    ann = person("con_a", "ann lee", 1, "ann@x.test")
    claims = [ann, person("con_b", "ann lee", 2, "ann@x.test")]

    matches = match_contacts(claims, [user(10, "ann lee", 1, "ann@x.test"), user(11, "ann lee", 2)])

    assert matches.links == {"con_a": (10, "email"), "con_b": (11, "name")}


def test_placeholders_services_and_users_of_other_golden_records_are_no_candidates():
    def record(halo_id: int, **more) -> HaloRecord:
        basics = {"client_id": 1, "site_id": 1, "golden_id": None, "is_inactive": False, "is_general": False}
        return HaloRecord("Users", halo_id, **{**basics, "fields": {"full_name": "Ann Lee"}, **more})

    found = contact_candidates(
        [record(1, is_general=True), record(2), record(3), record(4, golden_id="con_linked")],
        taken={3: "con_linked"},
    )

    assert [one.halo_id for one in found] == [2]
