"""Promises of adoption: one fits one, or a person decides."""

from __future__ import annotations

import pytest

from assets.publishing.adopt import (
    Candidate,
    Claim,
    contact_candidates,
    emails_of,
    hosts_of,
    marks_of,
    match_contacts,
    match_organisations,
    organisation_key,
)
from assets.publishing.mirror import HaloRecord


def claim(golden_id: str, name: str, *hosts: str, **more) -> Claim:
    return Claim(golden_id, organisation_key(name), hosts=hosts_of(*hosts), **more)


def candidate(halo_id: int, name: str, *hosts: str, **more) -> Candidate:
    return Candidate(halo_id, organisation_key(name), hosts=hosts_of(*hosts), **more)


def test_the_golden_id_in_halo_outweighs_domain_and_name():
    claims = [claim("org_a", "Acme", "acme.test")]
    candidates = [candidate(1, "Acme", "acme.test"), candidate(2, "Other", golden_id="org_a")]

    assert match_organisations(claims, candidates).links == {"org_a": (2, "golden_id")}


@pytest.mark.parametrize("website", ["acme.co.uk", "https://www.acme.co.uk/about", "HTTP://shop.Acme.co.uk"])
def test_a_web_domain_is_found_however_it_is_written(website):
    matches = match_organisations([claim("org_a", "Acme", "acme.co.uk")], [candidate(1, "Whatever", website)])

    assert matches.links == {"org_a": (1, "domain")}


def test_a_name_is_found_without_its_legal_form():
    assert match_organisations([claim("org_a", "Acme Ltd")], [candidate(1, "ACME Limited")]).links == {
        "org_a": (1, "name")
    }


def test_two_clients_with_one_domain_are_told_apart_by_name_or_held():
    claims = [claim("org_a", "Acme Retail", "acme.test")]
    same_name = [candidate(1, "Acme Retail", "acme.test"), candidate(2, "Acme Trade", "acme.test")]
    other_names = [candidate(1, "Acme North", "acme.test"), candidate(2, "Acme Trade", "acme.test")]

    assert match_organisations(claims, same_name).links == {"org_a": (1, "domain")}
    assert match_organisations(claims, other_names).held == {"org_a": "several HaloPSA clients have its web domain"}


def test_two_golden_records_for_one_client_are_told_apart_by_name_or_held():
    clear = match_organisations(
        [claim("org_a", "Acme", "acme.test"), claim("org_b", "Acme Leasing", "acme.test")],
        [candidate(1, "Acme", "acme.test")],
    )
    unclear = match_organisations(
        [claim("org_a", "Acme One", "acme.test"), claim("org_b", "Acme Two", "acme.test")],
        [candidate(1, "Acme", "acme.test")],
    )

    assert (clear.links, clear.held) == ({"org_a": (1, "domain")}, {})
    assert (unclear.links, set(unclear.held)) == ({}, {"org_a", "org_b"})


def test_an_equal_name_with_another_domain_needs_a_second_witness():
    postcode = marks_of(None, "N1 1AA")
    without = match_organisations([claim("org_a", "Acme", "acme.test")], [candidate(1, "Acme", "acme.example")])
    witnessed = match_organisations(
        [claim("org_a", "Acme", "acme.test", marks=postcode)], [candidate(1, "Acme", "acme.example", marks=postcode)]
    )

    assert without.held == {"org_a": "a HaloPSA client has its name but another web domain"}
    assert witnessed.links == {"org_a": (1, "name")}


def test_the_order_of_the_input_does_not_matter():
    claims = [claim("org_a", "Acme", "acme.test"), claim("org_b", "Bolt", "bolt.test"), claim("org_c", "Acme")]
    candidates = [candidate(1, "Acme", "acme.test"), candidate(2, "Bolt"), candidate(3, "Acme")]

    forward = match_organisations(claims, candidates)
    backward = match_organisations(claims[::-1], candidates[::-1])

    assert forward.links == backward.links == {
        "org_a": (1, "domain"), "org_b": (2, "name"), "org_c": (3, "name"),
    }  # fmt: skip


def person(golden_id: str, name: str, client_id: int, *emails: str) -> Claim:
    return Claim(golden_id, name, emails=emails_of(*emails), client_id=client_id)


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

    assert matches.held == {"con_a": "a user of another HaloPSA client has its e-mail"}


def test_two_people_of_one_name_in_one_client_are_never_guessed():
    matches = match_contacts([person("con_a", "ann lee", 1), person("con_b", "ann lee", 1)], [user(10, "ann lee", 1)])

    assert (matches.links, set(matches.held)) == ({}, {"con_a", "con_b"})


def test_placeholders_services_and_users_of_other_golden_records_are_no_candidates():
    def record(halo_id: int, **more) -> HaloRecord:
        basics = {"client_id": 1, "site_id": 1, "golden_id": None, "is_inactive": False, "is_general": False}
        return HaloRecord("Users", halo_id, **{**basics, "fields": {"full_name": "Ann Lee"}, **more})

    found = contact_candidates(
        [record(1, is_general=True), record(2), record(3), record(4, golden_id="con_linked")],
        taken={3: "con_linked"},
    )

    assert [one.halo_id for one in found] == [2]
