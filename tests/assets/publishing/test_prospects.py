"""Promises of `new_organisations = "prospect"`: new companies come as prospects, their people under them."""

from __future__ import annotations

from pathlib import Path

import pytest
from publishing_house import URL, House, contact, organisation

from assets.publishing.rules import Rules, load_rules
from sources.halopsa.client import HaloClient
from sources.simulation import InMemoryAdapter

ACME = organisation("org_acme", "Acme Ltd", domain="acme.test")
ANN = contact("con_ann", "Ann", "Lee", "org_acme")
BEN = contact("con_ben", "Ben", "Fox", "org_acme")
PROSPECTS = """
new_organisations = "prospect"
plan_first = false
[audience]
in_halo_only = false
[create_defaults.Client]
customertype = 3
customer_relationship = "Lead"
[create_defaults.Users]
other1 = "imported"
"""


@pytest.fixture
def rules(tmp_path: Path) -> Rules:
    (tmp_path / "mine.toml").write_text(PROSPECTS)
    return load_rules(tmp_path / "mine.toml")


@pytest.fixture
def tenant(tmp_path: Path, rules: Rules) -> House:
    """A tenant that demands a kind, a relationship and a mark of its users."""
    mandatory = {"Client": ("toplevel_id", "customertype", "customer_relationship"), "Users": ("other1",)}
    house = House(tmp_path / "house", mandatory_fields=mandatory)
    modes = house.simulator.modes
    house.halo = HaloClient(
        URL, "acme", modes.client_id, modes.client_secret, house.clock, adapter=InMemoryAdapter(house.simulator),
        defaults={name: rules.defaults_of(name) for name in ("Client", "Site", "Users")},
    )  # fmt: skip
    return house


def test_a_new_company_comes_as_a_prospect_with_all_the_tenant_demands_and_its_people_under_it(tenant, rules):
    tenant.commit(ACME, ANN)

    result = tenant.publish(rules=rules)

    client, user = tenant.row("Client", "Acme Ltd"), tenant.row("Users", "Ann Lee")
    assert (result.created, result.rejected) == (2, 0)
    assert (client["is_account"], client["customertype"], client["customer_relationship"]) == (True, 3, "Lead")
    assert (user["is_prospect"], user["other1"], user["site_id"]) == (True, "imported", client["main_site_id"])
    assert not tenant.simulator.ignored


def test_what_a_person_has_made_a_customer_stays_one_and_newcomers_are_ordinary_users(tenant, rules):
    tenant.commit(ACME, ANN)
    tenant.publish(rules=rules)
    tenant.edit("Client", "Acme Ltd", is_account=False)
    tenant.edit("Users", "Ann Lee", is_prospect=False)
    tenant.walk()

    tenant.commit({**ACME, "website": "https://acme.test"}, {**ANN, "job_title": "Director"}, BEN)
    tenant.publish(rules=rules)

    assert tenant.row("Client", "Acme Ltd")["is_account"] is False
    assert tenant.row("Users", "Ann Lee")["is_prospect"] is False
    assert not tenant.row("Users", "Ben Fox").get("is_prospect")


def test_as_shipped_a_new_company_is_a_client(house):
    house.commit(ACME, ANN)

    house.publish()

    assert not house.row("Client", "Acme Ltd").get("is_account")
    assert not house.row("Users", "Ann Lee").get("is_prospect")
