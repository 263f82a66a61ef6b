"""Promises of adoption of clients: evidence decides, or a person does."""

from __future__ import annotations

import pytest

from assets.publishing import reasons
from assets.publishing.adopt_organisations import (
    Candidate,
    Claim,
    Holder,
    OrganisationMatches,
    StandIn,
    match_organisations,
)
from assets.publishing.evidence import Facts, facts_of

pytestmark = pytest.mark.one_store


def facts(name: str | None, *addresses: str, phone: str | None = None, postcode: str | None = None) -> Facts:
    return facts_of(names=[name], addresses=addresses, phones=[phone], postcodes=[postcode])


def claim(golden_id: str, name: str | None, *addresses: str, clients: tuple[int, ...] = (), **more) -> Claim:
    return Claim(golden_id, facts(name, *addresses, **more), frozenset(clients))


def candidate(halo_id: int, name: str, *addresses: str, stamp: str | None = None, **more) -> Candidate:
    return Candidate(halo_id, facts(name, *addresses, **more), stamp)


def sentences(matches: OrganisationMatches) -> dict[str, str]:
    return {golden_id: reasons.sentence_of(reason) for golden_id, reason in matches.held.items()}


def test_the_golden_id_in_halo_outweighs_domain_and_name():
    claims = [claim("org_a", "Acme", "acme.test")]
    candidates = [candidate(1, "Acme", "acme.test"), candidate(2, "Other", stamp="org_a")]

    assert match_organisations(claims, candidates).links == {"org_a": (2, "golden_id")}


@pytest.mark.parametrize("website", ["acme.co.uk", "https://www.acme.co.uk/about", "HTTP://shop.Acme.co.uk"])
def test_a_web_domain_is_found_however_it_is_written(website):
    matches = match_organisations([claim("org_a", "Acme", "acme.co.uk")], [candidate(1, "Whatever", website)])

    assert matches.links == {"org_a": (1, "domain")}


def test_a_name_is_found_without_its_legal_form():
    matches = match_organisations([claim("org_a", "Acme Ltd")], [candidate(1, "ACME Limited")])

    assert matches.links == {"org_a": (1, "name")}


def test_a_client_whose_phone_a_person_changed_is_still_found_by_name_and_domain():
    ours = claim("org_a", "Acme", "acme.test", phone="0113 496 4991", postcode="RG6 7LS")
    theirs = candidate(1, "Acme", "acme.test", phone="0114 000 0000", postcode="LS1 1AA")

    assert match_organisations([ours], [theirs]).links == {"org_a": (1, "domain")}


def test_two_clients_with_one_domain_are_told_apart_by_name_or_held():
    claims = [claim("org_a", "Acme Retail", "acme.test")]
    same_name = [candidate(1, "Acme Retail", "acme.test"), candidate(2, "Acme Trade", "acme.test")]
    other_names = [candidate(1, "Acme Works", "acme.test"), candidate(2, "Acme Trade", "acme.test")]

    assert match_organisations(claims, same_name).links == {"org_a": (1, "domain")}
    assert match_organisations(claims, other_names).held == {
        "org_a": f"{reasons.SEVERAL_CLIENTS} [HaloPSA client 1, HaloPSA client 2]"
    }


def test_the_one_of_two_golden_records_with_more_evidence_gets_the_client_and_the_other_names_it():
    """The demo held 23 companies and 135 of their contacts because a thin double fitted the client as well."""
    full = claim("org_full", "Acme Ltd", "acme.test", phone="+44 113 496 4991")
    thin = claim("org_thin", "ACME", "acme.test")

    matches = match_organisations([thin, full], [candidate(1, "Acme Limited", "acme.test", phone="0113 496 4991")])

    assert matches.links == {"org_full": (1, "domain")}
    assert matches.held == {"org_thin": f"{reasons.TWIN} [HaloPSA client 1, org_full]"}
    assert matches.stand_ins == {"org_thin": StandIn("org_full", frozenset({"acme.test"}), is_sure=True)}


def test_two_names_on_one_domain_are_told_apart_by_whose_people_are_users_there_or_held():
    parties = [claim("org_a", "Acme Mills", "acme.test"), claim("org_b", "Acme Shops", "acme.test")]
    known = [claim("org_a", "Acme Mills", "acme.test"), claim("org_b", "Acme Shops", "acme.test", clients=(1,))]
    client = [candidate(1, "Acme Works", "acme.test")]

    unclear, clear = match_organisations(parties, client), match_organisations(known, client)

    assert unclear.links == {}
    assert unclear.held["org_a"] == f"{reasons.RIVALS} [HaloPSA client 1, org_b]"
    assert unclear.near == {"org_a": frozenset({1}), "org_b": frozenset({1})}
    assert clear.links == {"org_b": (1, "domain")}
    assert sentences(clear) == {"org_a": reasons.SHARED_HOST}


def test_evidence_that_points_both_ways_is_left_to_a_person():
    by_name = claim("org_a", "Acme", "acme.test")
    by_phone = claim("org_b", "Zenith", "acme.test", phone="0113 496 4991")

    matches = match_organisations([by_name, by_phone], [candidate(1, "Acme", "acme.test", phone="0113 496 4991")])

    assert matches.links == {}
    assert set(matches.held) == {"org_a", "org_b"}


def test_an_equal_name_with_another_domain_needs_a_second_witness_or_is_another_company():
    def against(**more):
        ours = claim("org_a", "Acme", "acme.test", postcode="N1 1AA", phone="0113 496 4991")
        return match_organisations([ours], [candidate(1, "Acme", "acme.example", **more)])

    assert against().held == {"org_a": f"{reasons.DOUBTFUL} [HaloPSA client 1]"}
    assert against(postcode="N1 1AA").links == {"org_a": (1, "name")}
    another = against(phone="0114 999 9999")
    assert (another.links, another.held) == ({}, {})


def test_a_namesake_with_another_phone_and_postcode_is_not_taken_for_the_client():
    ours = claim("org_a", "Cardiff Distribution", "cardiff.test", phone="+441914965857", postcode="SE93 0JJ")
    theirs = candidate(1, "Cardiff Distribution", phone="0207 946 2505", postcode="CF37 5SN")

    assert sentences(match_organisations([ours], [theirs])) == {"org_a": reasons.DOUBTFUL}


def test_a_branch_is_a_company_of_its_own_beside_its_parent():
    parent = claim("org_parent", "Acme", "acme.test", phone="0113 496 4991")
    branch = claim("org_branch", "Acme Scotland", "acme.test")

    matches = match_organisations([parent, branch], [candidate(1, "Acme", "acme.test")])

    assert (matches.links, matches.held) == ({"org_parent": (1, "domain")}, {})


def test_a_double_is_held_even_where_halo_knows_neither():
    """Else two clients of one company are made; the demo made 63 such."""
    matches = match_organisations([claim("org_a", "Acme", "acme.test"), claim("org_b", "Acme")], [])

    assert matches.held == {"org_b": f"{reasons.TWIN} [org_a]"}
    assert matches.stand_ins["org_b"] == StandIn("org_a", frozenset({"acme.test"}), is_sure=False)


def test_a_double_of_a_company_that_was_linked_on_an_earlier_run_is_still_held():
    """Once its rival had the client, the loser found no candidate and was made a second time."""
    holder = Holder("org_a", facts("Acme", "acme.test"), facts("Acme (managed)", "acme.test"), halo_id=7)

    matches = match_organisations([claim("org_b", "Acme", "acme.test")], [], [holder])

    assert matches.held == {"org_b": f"{reasons.TWIN} [HaloPSA client 7, org_a]"}


def test_a_name_that_two_companies_have_and_nothing_more_is_held():
    two = [claim("org_a", "Acme", "acme.test"), claim("org_b", "Acme", "acme.example")]

    matches = match_organisations([*two, claim("org_c", "Acme")], [])

    assert matches.held == {"org_c": f"{reasons.TWINS} [org_a, org_b]"}
    assert matches.stand_ins == {}


def test_a_page_host_that_many_companies_share_is_nobodys_web_domain():
    many = [claim(f"org_{index}", f"{index} Company", "https://pages.test/company") for index in range(11)]

    matches = match_organisations(many, [candidate(1, "Somebody", "pages.test")])

    assert (matches.links, matches.held) == ({}, {})
