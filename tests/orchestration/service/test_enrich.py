"""Promises to a helpdesk that asks: known records at once, unknown ones after a run, nothing fetched by a caller."""

from __future__ import annotations

import socket
from datetime import timedelta

import pytest

from assets.publishing import enrichment
from tests.assets.publishing.publishing_house import contact, organisation

ACME = organisation("org_acme", "Acme Ltd", domain="acme.test", city="Leeds")
TWIN_A, TWIN_B = organisation("org_twin_a", "Twin GmbH"), organisation("org_twin_b", "TWIN GmbH")
ANN = contact("con_ann", "Ann", "Lee", "org_acme")


@pytest.fixture
def ask(desk):
    headers = desk.key("enrich:write", name="runbook")

    def ask(kind: str, **body):
        return desk.anonymous().post(f"/enrich/{kind}", json=body, headers=headers)

    ask.job = lambda answer: desk.anonymous().get(answer.json()["status_url"], headers=headers)
    return ask


def test_a_known_organisation_is_told_at_once_by_domain_then_by_name(desk, ask):
    desk.house.commit(ACME, ANN)

    by_domain = ask("organization", organization_id=12, website="https://WWW.acme.test/about", name="Other")
    by_name = ask("organization", name="ACME LTD", site={"id": 3})

    assert by_domain.status_code == by_name.status_code == 200
    assert (by_domain.json()["match"], by_name.json()["match"]) == ("domain", "name")
    assert by_domain.json()["asked_for"] == "12"
    assert by_domain.json()["external_id"] == "org_acme"
    assert by_domain.json()["data"]["city"] == "Leeds"


def test_a_known_contact_is_told_by_e_mail_with_its_organisation(desk, ask):
    desk.house.commit(ACME, ANN)

    answer = ask("contact", contact_id="7", email="ANN.Lee@org_acme.test").json()

    assert (answer["match"], answer["external_id"], answer["data"]["organisation_name"]) == (
        "email",
        "con_ann",
        "Acme Ltd",
    )


def test_a_name_that_two_have_is_nobodys(desk, ask):
    desk.house.commit(TWIN_A, TWIN_B)

    assert ask("organization", name="Twin GmbH").status_code == 202


def test_an_unknown_one_is_queued_once_and_answered_by_the_run_that_finds_it(desk, ask):
    first = ask("organization", organization_id=12, website="acme.test", name="Acme")
    again = ask("organization", organization_id=12, website="https://acme.test/x", name="Acme")
    waiting = ask.job(first).json()
    domains = enrichment.domains_asked(desk.house.ledger, "apollo", ["apollo"])

    desk.house.commit(ACME)
    enrichment.settle(desk.house.ledger, desk.house.clock)
    done = ask.job(first).json()

    assert (first.status_code, first.headers["Retry-After"]) == (202, "300")
    assert again.json()["job_id"] == first.json()["job_id"]
    assert (waiting, domains) == ({"status": "queued", "record": None}, ["acme.test"])
    assert (done["status"], done["record"]["external_id"], done["record"]["asked_for"]) == ("done", "org_acme", "12")


def test_a_question_nobody_can_answer_ends_and_its_address_is_forgotten(desk, ask):
    asked = ask("contact", email="nobody@nowhere.test")
    desk.house.clock.sleep(timedelta(days=8).total_seconds())

    ended = enrichment.settle(desk.house.ledger, desk.house.clock)

    assert (ended, ask.job(asked).json()["status"]) == (1, "unknown")
    with desk.house.ledger.read() as connection:
        assert connection.exec_driver_sql("select email from enrichment").scalars().all() == [None]


def test_a_golden_record_that_moved_on_is_no_longer_found_under_its_old_domain(desk, ask):
    desk.house.commit(ACME)
    desk.house.commit({**ACME, "domain": "acme-group.test"})

    assert ask("organization", website="acme.test").status_code == 202
    assert ask("organization", website="acme-group.test").status_code == 200
    desk.house.commit(gone=("org_acme",))
    assert ask("organization", website="acme-group.test").status_code == 202


FORMS = [
    f"{scheme}{user}{host}{port}{path}"
    for scheme in ("http://", "https://", "//", "gopher://", "file://", "")
    for user in ("", "acme.test@", "a:b@")
    for host in (
        "169.254.169.254",
        "2130706433",
        "0177.0.0.1",
        "[::ffff:127.0.0.1]",
        "localhost",
        "127.1",
        "metadata.google.internal",
    )
    for port, path in (("", ""), (":80", "/latest/meta-data"))
]


def test_no_form_of_an_address_makes_us_open_a_connection(desk, ask, monkeypatch):
    """S5: a domain is read out of it and nothing is ever fetched."""
    opened = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: opened.append(address))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **_: opened.append(given))

    codes = {ask("organization", website=form).status_code for form in FORMS}

    assert len(FORMS) >= 200
    assert codes == {202}
    assert opened == []


@pytest.mark.parametrize(("kind", "body"), [("organization", {}), ("organization", {"organization_id": 1}), ("contact", {"email": "x"}), ("contact", {"email": 5}), ("organization", {"name": ["x"]})])  # fmt: skip
def test_a_question_without_anything_to_go_by_is_400(ask, kind, body):
    assert ask(kind, **body).status_code == 400


def test_a_person_whose_address_nobody_verified_goes_on_to_the_next_vendor(desk, ask):
    """The waterfall stops at the first verified address; after the last vendor, what there is counts."""
    order, ledger, clock = ("apollo", "uplead"), desk.house.ledger, desk.house.clock
    asked = ask("contact", contact_id="7", email="ann.lee@org_acme.test", website="acme.test")
    desk.house.commit(ACME, ANN | {"email_status": "guessed"})
    ended = []

    for source in order:
        enrichment.note_tried(ledger, source, enrichment.domains_asked(ledger, source, order))
        ended.append(enrichment.settle(ledger, clock, order))

    assert ended == [0, 1]
    assert ask.job(asked).json()["record"]["external_id"] == "con_ann"


def test_a_verified_address_stops_the_waterfall(desk, ask):
    asked = ask("contact", contact_id="7", email="ann.lee@org_acme.test", website="acme.test")
    desk.house.commit(ACME, ANN | {"email_status": "verified"})

    assert enrichment.settle(desk.house.ledger, desk.house.clock, ("apollo", "uplead")) == 1
    assert ask.job(asked).json()["status"] == "done"
