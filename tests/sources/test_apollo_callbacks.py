"""Phones of simulated Apollo: asked for at once, called back later and twice, kept for thirty days, charged for once."""

from __future__ import annotations

import pytest
import requests

from sources.apollo.simulator import ApolloSimulator
from sources.clock import VirtualClock
from sources.simulation import InMemoryAdapter
from sources.world.world import World

HOOK = "http://127.0.0.1:9/webhook/apollo/token"


@pytest.fixture
def apollo():
    world = World.replay(60, 7, "bench-v1", [])
    simulator = ApolloSimulator(world, VirtualClock(), saved_share=0.0)
    called = []
    simulator.callbacks._send = lambda url, body: called.append((url, body))
    session = requests.Session()
    session.mount("http://apollo.test", InMemoryAdapter(simulator))
    session.headers["x-api-key"] = "apollo-good"
    people = world.contacts("apollo")
    return simulator, session, called, people[people["mobile"].notna()]["id"].iloc[0]


def ask(session, person, **more):
    body = {"id": person, "reveal_phone_number": True} | more
    return session.post("http://apollo.test/api/v1/people/match", json=body)


def poll(session, request_id):
    return session.get(f"http://apollo.test/api/v1/webhook_result/{request_id}")


def test_a_phone_comes_minutes_later_and_twice_and_costs_eight_credits_once(apollo):
    simulator, session, called, person = apollo

    request_id = ask(session, person, webhook_url=HOOK).json()["request_id"]
    pending = poll(session, request_id)
    before = list(called), simulator.credits_consumed
    simulator.clock.sleep(240)
    ready = poll(session, request_id)

    assert (pending.status_code, pending.json()["error_code"], before) == (404, "result_pending", ([], 1))
    assert [url for url, _ in called] == [HOOK, HOOK]
    assert called[0] == called[1]
    [told] = called[0][1]["people"]
    assert (told["id"], told["phone_numbers"][0]["type_cd"]) == (person, "mobile")
    assert ready.json()["webhook_result"] == called[0][1]
    assert ready.json()["request_id"] == str(request_id)
    assert simulator.credits_consumed == 9


def test_a_callback_that_was_never_sent_can_be_read_for_thirty_days(apollo):
    simulator, session, called, person = apollo
    simulator.switches.callback_times = 0

    request_id = ask(session, person, webhook_url=HOOK).json()["request_id"]
    simulator.clock.sleep(20 * 86_400)
    kept = poll(session, request_id)
    simulator.clock.sleep(11 * 86_400)
    expired = poll(session, request_id)

    assert (kept.status_code, called) == (200, [])
    assert (expired.status_code, expired.json()["error_code"]) == (410, "request_id_expired")
    assert poll(session, "7").json()["error_code"] == "request_id_unknown"
    assert (poll(session, "seven").status_code, simulator.credits_consumed) == (400, 9)


@pytest.mark.parametrize("url", [None, "https://elsewhere.example/hook", "http://127.0.0.1.elsewhere.example/"])
def test_phones_are_not_asked_for_without_an_address_of_this_machine(apollo, url):
    simulator, session, _, person = apollo

    refused = ask(session, person, webhook_url=url)

    assert (refused.status_code, simulator.credits_consumed) == (422, 0)
    assert "webhook_url" in refused.json()["error"]
