"""Laws of adoption, whatever golden records and whatever tenant: one to one, no order, no guess, no edit lost."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.publishing import mapping, plan
from assets.publishing.adopt_contacts import Candidate as User
from assets.publishing.adopt_contacts import Claim as Person
from assets.publishing.adopt_contacts import match_contacts
from assets.publishing.adopt_organisations import Candidate, Claim, Holder, OrganisationMatches, match_organisations
from assets.publishing.crosswalk import Link
from assets.publishing.evidence import Facts, compare, facts_of
from assets.publishing.mirror import HaloRecord
from assets.publishing.rules import shipped_rules

pytestmark = pytest.mark.one_store

# Few values, so that they meet: equal, near, a branch, another, none.
NAMES = ("Acme", "Acme Ltd", "Acme Works", "Acme Wroks", "Acme Scotland", "Bolt", None)
HOSTS = ("acme.test", "bolt.test", None)
PHONES = ("0113 496 4991", "0114 496 4992", None)
POSTCODES = ("N1 1AA", "LS1 1BB", None)
MANY = settings(max_examples=300, deadline=None)


@st.composite
def any_facts(draw) -> Facts:
    return facts_of(
        names=[draw(st.sampled_from(NAMES))],
        addresses=[draw(st.sampled_from(HOSTS))],
        phones=[draw(st.sampled_from(PHONES))],
        postcodes=[draw(st.sampled_from(POSTCODES))],
    )


@st.composite
def any_tenant(draw) -> tuple[list[Claim], list[Candidate]]:
    halo_ids = range(draw(st.integers(0, 4)))
    candidates = [
        Candidate(halo_id, draw(any_facts()), draw(st.sampled_from((None, None, None, "org_0", "org_x"))))
        for halo_id in halo_ids
    ]
    claims = [
        Claim(f"org_{index}", draw(any_facts()), frozenset(draw(st.sets(st.integers(0, 3), max_size=1))))
        for index in range(draw(st.integers(1, 5)))
    ]
    return claims, candidates


def shuffled(items: list, seed: int) -> list:
    return random.Random(seed).sample(items, len(items))


@MANY
@given(any_tenant())
def test_a_client_belongs_to_one_golden_organisation_and_nobody_is_linked_and_held(tenant):
    matches = match_organisations(*tenant)

    halo_ids = [halo_id for halo_id, _ in matches.links.values()]
    assert len(halo_ids) == len(set(halo_ids))
    assert not set(matches.links) & set(matches.held)
    assert set(matches.stand_ins) <= set(matches.held)


@MANY
@given(any_tenant(), st.integers())
def test_the_order_of_organisations_and_clients_does_not_matter(tenant, seed):
    claims, candidates = tenant

    assert match_organisations(shuffled(claims, seed), shuffled(candidates, seed)) == match_organisations(*tenant)


@MANY
@given(any_tenant())
def test_no_client_is_chosen_while_another_fits_as_well(tenant):
    claims, candidates = tenant
    matches = match_organisations(claims, candidates)
    taken = {halo_id for halo_id, _ in matches.links.values()}
    facts, people = (
        {one.golden_id: one.facts for one in claims},
        {one.golden_id: one.clients_of_people for one in claims},
    )

    for golden_id, (chosen, origin) in matches.links.items():
        evidence = {
            one.halo_id: compare(facts[golden_id], one.facts, people=one.halo_id in people[golden_id])
            for one in candidates
        }
        for other in set(evidence) - taken:
            assert origin == "golden_id" or evidence[other] != evidence[chosen]
            assert origin == "golden_id" or not evidence[other].beats(evidence[chosen])


def next_run(tenant: tuple[list[Claim], list[Candidate]], first: OrganisationMatches) -> OrganisationMatches:
    """As it is after publishing: what was linked is filled, what was new is made, what was held is asked again."""
    claims, candidates = tenant
    free = {candidate.halo_id: candidate for candidate in candidates}
    holders = []
    for serial, claim in enumerate(claims):
        if claim.golden_id in first.links:
            halo_id = first.links[claim.golden_id][0]
            found = free.pop(halo_id).facts
            holders.append(Holder(claim.golden_id, claim.facts, filled(found, claim.facts), halo_id))
        elif claim.golden_id not in first.held:
            holders.append(Holder(claim.golden_id, claim.facts, claim.facts, 100 + serial))
    held = [claim for claim in claims if claim.golden_id in first.held]
    return match_organisations(held, list(free.values()), holders)


def filled(client: Facts, golden: Facts) -> Facts:
    """Adoption writes into blanks only."""
    pairs = ((getattr(client, name), getattr(golden, name)) for name in ("names", "hosts", "phones", "postcodes"))
    return Facts(*(theirs or ours for theirs, ours in pairs))


@MANY
@given(any_tenant())
def test_a_second_run_over_the_same_organisations_links_and_creates_nothing(tenant):
    first = match_organisations(*tenant)

    second = next_run(tenant, first)

    assert second.links == {}
    assert set(second.held) == set(first.held)


FULL_NAMES = ("ann lee", "anna lee", "ben fox", "")
EMAILS = ("ann@x.test", "lee@x.test", "ben@x.test")


@st.composite
def any_people(draw) -> tuple[list[Person], list[User]]:
    some_emails = st.frozensets(st.sampled_from(EMAILS), max_size=1)
    clients = st.sampled_from((None, frozenset({1}), frozenset({2}), frozenset({1, 2})))
    claims = []
    for index in range(draw(st.integers(1, 5))):
        bounds = draw(clients)
        is_placed = bounds is not None and len(bounds) == 1 and draw(st.booleans())
        claims.append(Person(f"con_{index}", draw(st.sampled_from(FULL_NAMES)), draw(some_emails), bounds, is_placed))
    users = [
        User(
            halo_id,
            draw(st.sampled_from(FULL_NAMES)),
            draw(st.sampled_from((None, None, None, "con_0"))),
            draw(some_emails),
            draw(st.integers(1, 2)),
        )
        for halo_id in range(draw(st.integers(0, 5)))
    ]
    return claims, users


@MANY
@given(any_people(), st.integers())
def test_a_user_belongs_to_one_contact_in_whatever_order_they_come(people, seed):
    claims, users = people
    matches = match_contacts(claims, users)

    halo_ids = [halo_id for halo_id, _ in matches.links.values()]
    assert len(halo_ids) == len(set(halo_ids))
    assert not set(matches.links) & set(matches.held)
    assert match_contacts(shuffled(claims, seed), shuffled(users, seed)) == matches


@MANY
@given(any_people())
def test_a_second_run_over_the_same_contacts_links_nothing_new(people):
    claims, users = people
    first = match_contacts(claims, users)
    taken = {halo_id for halo_id, _ in first.links.values()}

    left = [claim for claim in claims if claim.golden_id not in first.links]
    free = [one for one in users if one.halo_id not in taken and one.golden_id not in first.links]
    second = match_contacts(left, free)

    assert (second.links, second.held) == ({}, first.held)


@MANY
@given(st.data(), st.sampled_from(sorted(mapping.FIELDS)))
def test_on_adoption_a_value_that_a_person_typed_is_never_overwritten(data, resource):
    values = st.dictionaries(
        st.sampled_from(sorted(mapping.FIELDS[resource])), st.sampled_from(("", "theirs", "ours", "OURS", None))
    )
    typed, golden = data.draw(values), data.draw(values)
    now = HaloRecord(resource, 7, 7, 7, None, False, False, typed)

    owners = shipped_rules().owners_of(resource)
    decision = plan.decide(resource, golden, Link("any", resource, 7, origin="name"), now, owners, can_stamp=False)

    writes = decision.merge.writes if isinstance(decision, plan.Update) else {}
    assert [name for name in writes if typed.get(name)] == []
