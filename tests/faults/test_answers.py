"""F2-F8: answers of HaloPSA that are lost, late, partial, unreadable or rude; the tenant holds each record once."""

from __future__ import annotations

import itertools
import threading

import pytest

from assets.publishing import recover
from sources.simulation import Fault, InMemoryAdapter
from tests.assets.publishing.publishing_house import URL, House, contact, organisation
from tests.faults.witness import Witness

ACME = organisation("org_acme", "Acme Ltd", domain="acme.test", phone="+442079460001")
ANN = contact("con_ann", "Ann", "Lee", "org_acme", job_title="Clerk")
BEN = contact("con_ben", "Ben", "Fox", "org_acme")
ONCE = {"Client": {"org_acme": 1}, "Users": {"con_ann": 1, "con_ben": 1}}


def holdings(house: House) -> dict[str, dict[str, int]]:
    return {resource: dict(house.simulator.records_by_golden_id(resource)) for resource in ONCE}


def settle(house: House) -> None:
    """Runs with a healthy tenant, as the next days bring them."""
    house.simulator.faults.clear()
    for _ in range(2):
        house.walk()
        house.publish()


@pytest.mark.parametrize("path", ["/api/Client", "/api/Site", "/api/Users"])
@pytest.mark.parametrize("effect", ["timeout_after_apply", "reset_after_apply", "html_after_apply"])
def test_f02_a_write_that_was_applied_and_not_answered_is_found_and_not_sent_again(house, effect, path):
    house.commit(ACME, ANN, BEN)
    house.simulator.faults.append(Fault(effect, path=path, method="POST"))

    house.publish()

    assert holdings(house) == ONCE
    assert len(house.rows("Client")) == 1
    assert house.rows("Site")[house.row("Client", "Acme Ltd")["main_site_id"]]["phonenumber"] == "+442079460001"


@pytest.mark.parametrize("effect", ["timeout_after_apply", "drop", "status", "truncate", "apply_late"])
def test_f02_an_update_or_deactivation_counts_as_applied_where_it_was_and_only_there(house, effect):
    """I7: the ledger says of each lost write what the tenant knows of it."""
    witness = Witness(house.simulator)
    house.commit(ACME, ANN, BEN)
    house.publish()
    acts = [
        ("/api/Site", lambda: house.commit({**ACME, "phone": "+442079460009"})),
        ("/api/Users", lambda: house.commit({**ANN, "job_title": "Director"})),
        ("/api/Users", lambda: house.commit(gone=("con_ben",))),
    ]
    for path, act in acts:
        act()
        house.simulator.faults.append(Fault(effect, method="POST", path=path, delay_s=20.0))
        house.publish()
        assert witness.contradictions(house.ledger) == []

    settle(house)

    assert witness.contradictions(house.ledger) == []
    assert house.row("Users", "Ann Lee")["title"] == "Director"
    assert house.row("Users", "Ben Fox")["inactive"] is True


@pytest.mark.parametrize("path", ["/api/Client", "/api/Users"])
def test_f03_a_create_that_is_applied_after_the_first_look_is_found_by_the_second(house, path):
    house.commit(ACME, ANN, BEN)
    house.simulator.faults.append(Fault("apply_late", path=path, method="POST", delay_s=recover.SETTLE_S / 2))

    house.publish()
    settle(house)

    assert holdings(house) == ONCE


def test_f03_an_update_that_is_applied_late_never_lands_on_a_newer_one(house):
    """I4: the next version leaves only when the last one has landed, or never will."""
    witness = Witness(house.simulator)
    house.commit(ACME, ANN)
    house.publish()
    house.commit({**ANN, "job_title": "Director"})
    house.simulator.faults.append(Fault("apply_late", path="/api/Users", method="POST", delay_s=recover.SETTLE_S / 2))

    house.publish()
    house.commit({**ANN, "job_title": "Owner"})
    house.publish()
    house.clock.sleep(recover.SETTLE_S)
    house.walk()

    titles = [element["title"] for _, _, element in witness.from_us if "title" in element]
    assert list(dict.fromkeys(titles)) == ["Clerk", "Director", "Owner"]
    assert titles[-1] == house.row("Users", "Ann Lee")["title"] == "Owner"


def test_f03_a_create_that_is_applied_after_the_settle_time_doubles_once_and_never_again(house):
    """The honest limit of the protocol; the reconciliation names the double."""
    house.commit(ACME)
    house.simulator.faults.append(Fault("apply_late", path="/api/Client", method="POST", delay_s=3_600.0))

    house.publish()
    house.clock.sleep(7_200.0)
    for _ in range(3):
        settle(house)

    assert house.simulator.records_by_golden_id("Client") == {"org_acme": 2}


@pytest.mark.parametrize("retry_after", [None, "120", "0", "-5", "31536000", "soon", "Mon, 02 Nov 2026 06:10:00 GMT"])
def test_f04_a_storm_of_429_with_any_retry_after_delays_and_neither_loses_nor_doubles(house, retry_after):
    house.commit(ACME, ANN, BEN)
    headers = () if retry_after is None else (("Retry-After", retry_after),)
    house.simulator.faults.append(Fault("status", status=429, path="/api/", headers=headers, times=6))
    began_s, mark = house.clock.elapsed_s, house.mark

    house.publish()

    assert holdings(house) == ONCE
    assert 6.0 <= house.clock.elapsed_s - began_s < 86_400.0  # never a blind burst, never a wait for ever
    refused = [entry.at_s for entry in list(house.simulator.log)[mark:] if entry.status == 429]
    assert min(after - before for before, after in itertools.pairwise(refused)) >= 1.0


def test_f04_a_storm_that_outlasts_our_patience_speaks_against_no_record(house):
    house.commit(ACME, ANN, BEN)
    house.simulator.faults.append(Fault("status", status=429, path="/api/", method="POST", times=-1))

    first = house.publish()
    house.simulator.faults.clear()
    second = house.publish()

    assert (first.created, first.rejected, first.unknown) == (0, 0, 0)
    assert (second.created, holdings(house)) == (3, ONCE)


@pytest.mark.parametrize("effect", ["expire_token_now", "revoke_all_tokens"])
def test_f05_a_token_that_dies_between_two_writes_is_renewed_once(house, effect):
    house.commit(ACME, ANN, BEN)
    house.simulator.faults.append(Fault(effect, path="/api/Users", method="POST", after=1))
    mark = house.mark

    result = house.publish()

    asked = [entry.path for entry in list(house.simulator.log)[mark:] if entry.path == "/auth/token"]
    assert (result.created, result.unknown, len(asked)) == (3, 0, 1)
    assert holdings(house) == ONCE


def test_f05_a_tenant_that_refuses_every_token_for_a_while_costs_time_and_no_record(house):
    """A 401 says nothing of the record: it waits for the next run and is not given up."""
    house.commit(ACME, ANN, BEN)
    house.simulator.faults.append(Fault("status", status=401, path="/api/", method="POST", times=-1))

    first = house.publish()
    house.simulator.faults.clear()
    second = house.publish()

    assert (first.created, first.rejected, first.remaining, first.held) == (0, 0, 1, 2)
    assert (second.created, holdings(house)) == (3, ONCE)


def test_f05_threads_whose_token_dies_together_renew_it_once(house):
    house.halo.custom_field_ids()
    together, found = threading.Barrier(4), []

    class Together(InMemoryAdapter):
        """All four ask with the old token before any of them is answered, and all four again with the new one."""

        def send(self, request, *args, **kwargs):
            if "/api/Client" in request.url:
                together.wait()
            return super().send(request, *args, **kwargs)

    house.halo.session.http.mount(URL, Together(house.simulator))
    house.simulator.faults.append(Fault("revoke_all_tokens", path="/api/Client", method="GET"))
    mark = house.mark

    threads = [threading.Thread(target=lambda: found.append(house.halo.rows("Client"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    said = [(entry.path, entry.status) for entry in list(house.simulator.log)[mark:]]
    assert said.count(("/api/Client", 401)) == 4
    assert said.count(("/auth/token", 200)) == 1
    assert found == [[], [], [], []]


def test_f06_an_array_of_which_a_part_was_applied_ends_with_every_element_applied_once(house):
    people = [contact(f"con_{number}", "Pat", f"Lee{number}", "org_acme") for number in range(8)]
    house.commit(ACME, *people)
    house.publish()
    ids = sorted(row["id"] for row in house.rows("Users").values() if row.get("emailaddress"))
    # The first two are sent alone, to see how this tenant answers arrays; the fourth of the other six is refused.
    house.simulator.faults.append(Fault("partial_batch", path="/api/Users", method="POST", body="3", after=1))

    outcomes = house.halo.update_many("Users", [(user_id, {"title": f"Clerk {user_id}"}) for user_id in ids])

    assert [outcome.kind for outcome in outcomes] == ["acked"] * 8
    assert [house.rows("Users")[user_id]["title"] for user_id in ids] == [f"Clerk {user_id}" for user_id in ids]


def test_f06_an_array_that_is_answered_with_its_last_record_only_leaves_the_others_unknown(tmp_path):
    house = House(tmp_path, is_returnall_supported=False)
    house.commit(ACME, ANN, BEN)
    house.publish()
    ids = [house.row("Users", name)["id"] for name in ("Ann Lee", "Ben Fox")]

    outcomes = house.halo.update_many("Users", [(user_id, {"title": "Boss"}) for user_id in ids])

    assert [outcome.kind for outcome in outcomes] == ["unknown", "acked"]


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, '{"error": "An error has occurred"}'), (204, ""), (200, "null"), (200, "[]"), (200, "<html>Sign in</html>"),
     (200, '{"id": 999999}'), (200, "[" * 5_000), (200, '"ok"')],
)  # fmt: skip
def test_f07_a_success_that_shows_no_record_is_looked_up_and_not_believed(house, status, body):
    house.commit(ACME, ANN, BEN)
    house.simulator.faults.append(Fault("status", status=status, body=body, path="/api/Users", method="POST"))

    house.publish()
    settle(house)

    assert holdings(house) == ONCE
    assert house.row("Users", "Ann Lee")["title"] == "Clerk"


def test_f07_half_an_answer_is_looked_up(house):
    house.commit(ACME, ANN, BEN)
    house.simulator.faults.append(Fault("truncate", path="/api/Users", method="POST"))
    mark = house.mark

    house.publish()

    assert holdings(house) == ONCE
    assert house.writes_since(mark).count("/api/Users") == 2


def test_f07_an_answer_without_end_is_cut_off_and_looked_up(house, monkeypatch):
    house.commit(ACME, ANN, BEN)
    monkeypatch.setattr(house.halo.session.http, "body_bytes_max", 100_000)
    endless = '{"id": 1, "name": "' + "x" * 300_000 + '"}'
    house.simulator.faults.append(Fault("status", status=200, body=endless, path="/api/Users", method="POST"))

    house.publish()
    settle(house)

    assert holdings(house) == ONCE


def test_f08_a_list_that_lags_behind_hides_a_lost_create_for_a_while_only(house):
    house.commit(ACME, ANN, BEN)
    lost = Fault("timeout_after_apply", path="/api/Users", method="POST")
    lag = Fault("stale_read", path="/api/Users", method="POST", after=0, delay_s=recover.SETTLE_S - 5)
    house.simulator.faults.extend([lag, lost])

    house.publish()
    settle(house)

    assert holdings(house) == ONCE


def test_f08_a_list_that_shows_less_than_it_counts_proves_nothing_absent(tmp_path):
    house = House(tmp_path, past_end="empty")
    house.commit(ACME, ANN, BEN)
    house.simulator.faults.append(Fault("timeout_after_apply", path="/api/Users", method="POST"))
    house.simulator.faults.append(Fault("drop_page", path="/api/Users", method="GET", times=2))

    result = house.publish()
    settle(house)

    assert any("showed" in problem for problem in result.problems), result.problems
    assert holdings(house) == ONCE


def test_a_run_that_an_outage_ended_says_so(house):
    house.commit(ACME, ANN)
    house.simulator.faults.append(Fault("drop", path="/api/", times=-1))

    result = house.publish()

    assert any("stopped early" in problem for problem in result.problems), result.problems
