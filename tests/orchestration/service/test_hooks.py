"""Promises to subscribers: every change, in order, signed, at least once, whatever fails on the way."""

from __future__ import annotations

import json
import random
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from standardwebhooks import Webhook

from assets.publishing import feed, hooks, keys
from assets.publishing.hooks import BACK_OFF_S
from orchestration.service.courier import Courier
from orchestration.service.settings import HookSettings, ServiceSettings
from tests.assets.publishing.publishing_house import contact, organisation

PRIVATE = HookSettings(is_private_allowed=True, connect_s=1, answer_s=2)


class Receiver:
    """A receiver on loopback; `answers` are the statuses it will give, then 200."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.headers: dict[str, str] = {}
        self.got: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.answers.pop(0) if receiver.answers else 200
                receiver.got.append((dict(self.headers), body))
                if status == 0:  # taken, and the connection dies before the answer
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/in"

    def told(self, since: int = 0) -> list[tuple[str, str]]:
        pages = [json.loads(body)["data"] for _, body in self.got[since:]]
        return [(one["action"], one["external_id"]) for page in pages for one in page["records"]]


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture
def hook(desk, receiver):
    """Subscribe over HTTP; the courier is played by hand."""
    desk.app.state.service = desk.app.state.service.__class__(
        desk.house.ledger, desk.house.clock, ServiceSettings(hooks=PRIVATE), desk.app.state.service.metrics
    )
    headers = desk.key("hooks:write", name="n8n")

    def subscribe(**asked):
        return desk.anonymous().post("/hooks", json={"url": receiver.url, **asked}, headers=headers)

    subscribe.headers = headers
    subscribe.listed = lambda: desk.anonymous().get("/hooks", headers=headers).json()["hooks"]
    subscribe.courier = Courier(desk.house.ledger, desk.house.clock, PRIVATE)
    return subscribe


ACME, ANN = organisation("org_acme", "Acme"), contact("con_ann", "Ann", "Lee", "org_acme")


def test_a_subscriber_is_told_what_changes_after_he_subscribed_signed_with_his_secret(desk, hook, receiver):
    desk.house.commit(ACME)
    made = hook().json()

    idle = hook.courier.round()
    desk.house.commit(ANN)
    desk.house.commit({**ANN, "job_title": "Boss"}, gone=("org_acme",))
    taken = hook.courier.round()

    headers, body = receiver.got[0]
    lower = {name.lower(): value for name, value in headers.items()}
    expected = Webhook(made["secret"]).sign(lower["webhook-id"], desk.house.clock.now(), body.decode())
    assert (idle, taken, hook.courier.round()) == (0, 1, 0)
    assert receiver.told() == [("upsert", "con_ann"), ("delete", "org_acme")]
    assert lower["webhook-signature"] == expected
    assert hook.listed()[0]["delivered_at"] is not None
    assert "secret" not in hook.listed()[0]


def test_from_the_beginning_and_one_kind_only(desk, hook, receiver):
    desk.house.commit(ACME, *(contact(f"con_{number:03}", "P", f"N{number}", "org_acme") for number in range(250)))
    hook(start="beginning", kind="contacts")

    taken = hook.courier.round()

    assert (taken, len(receiver.told()), len({one for _, one in receiver.told()})) == (3, 250, 250)
    assert [json.loads(body)["data"]["metadata"]["has_more"] for _, body in receiver.got] == [True, True, False]


def test_what_failed_is_told_again_later_and_later_and_then_the_subscription_is_off(desk, hook, receiver):
    hook()
    desk.house.commit(ACME)
    receiver.answers = [500] * 20

    waits = []
    while hook.listed()[0]["state"] == "active":
        before = len(receiver.got)
        hook.courier.round()
        if len(receiver.got) == before:
            desk.house.clock.sleep(1)
            waits[-1] += 1
        else:
            waits.append(0)
        if waits[-1] > 60:
            desk.house.clock.sleep(BACK_OFF_S[len(waits) - 1] - 60 - 1)
            waits[-1] = BACK_OFF_S[len(waits) - 1] - 1

    assert len(receiver.got) == len(BACK_OFF_S) + 1
    assert hook.listed()[0] | {"created_at": "", "url": "", "hook_id": ""} == {
        "hook_id": "", "url": "", "kind": None, "state": "disabled", "failures": 8, "created_at": "",
        "reason": "8 tries failed, the last: status 500", "delivered_at": None,
    }  # fmt: skip
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1  # one and the same message


@pytest.mark.parametrize("status", [301, 302, 400, 404, 429, 503, 0])
def test_any_answer_but_2xx_and_410_leaves_the_place_where_it_is(desk, hook, receiver, status):
    hook()
    desk.house.commit(ACME)
    receiver.answers, receiver.headers = [status], {"Location": receiver.url + "/other", "Retry-After": "9"}

    hook.courier.round()
    too_early = hook.courier.round()
    desk.house.clock.sleep(10)
    hook.courier.round()

    assert too_early == 0
    assert receiver.told() == [("upsert", "org_acme")] * 2  # no redirect was followed: each try is one request
    assert hook.listed()[0]["failures"] == 0


def test_410_ends_it_for_good(desk, hook, receiver):
    hook()
    desk.house.commit(ACME)
    receiver.answers = [410]

    hook.courier.round()
    desk.house.clock.sleep(timedelta(days=3).total_seconds())
    hook.courier.round()

    assert (len(receiver.got), hook.listed()[0]["state"]) == (1, "gone")


def test_a_slow_subscriber_holds_up_nobody_else_and_two_couriers_tell_once(desk, hook, receiver):
    other = Receiver()
    hook()
    hook(url=other.url)
    desk.house.commit(ACME)
    receiver.answers = [500]

    hook.courier.round()
    Courier(desk.house.ledger, desk.house.clock, PRIVATE).round()

    assert (len(receiver.got), len(other.got)) == (1, 1)
    other.server.shutdown()
    other.server.server_close()


def test_who_lost_his_key_is_told_nothing_more(desk, hook, receiver):
    hook()
    key_id = hook.headers["Authorization"].split("_")[1]
    keys.revoke(desk.house.ledger, desk.house.clock, key_id)
    desk.house.commit(ACME)

    hook.courier.round()

    assert receiver.got == []
    assert [one.state for one in hooks.every(desk.house.ledger)] == ["orphaned"]


def test_another_owners_subscription_is_neither_seen_nor_ended(desk, hook):
    made = hook().json()["hook_id"]
    other, admin = desk.key("hooks:write", name="zapier"), desk.key("admin", name="admin")

    seen = desk.anonymous().get("/hooks", headers=other).json()["hooks"]
    refused = desk.anonymous().delete(f"/hooks/{made}", headers=other)
    by_admin = [one["hook_id"] for one in desk.anonymous().get("/hooks", headers=admin).json()["hooks"]]
    ended = desk.anonymous().delete(f"/hooks/{made}", headers=hook.headers)

    assert (seen, refused.status_code, by_admin, ended.status_code, hook.listed()) == ([], 404, [made], 204, [])


def test_an_inner_address_is_refused_by_default_and_a_21st_subscription_always(desk, hook):
    settings = desk.app.state.service.settings
    desk.app.state.service = desk.app.state.service.__class__(
        desk.house.ledger, desk.house.clock, ServiceSettings(), desk.app.state.service.metrics
    )
    refused = hook(url="https://169.254.169.254/latest")
    desk.app.state.service = desk.app.state.service.__class__(
        desk.house.ledger, desk.house.clock, settings, desk.app.state.service.metrics
    )
    codes = [hook().status_code for _ in range(21)]

    assert (refused.status_code, refused.json()["error_code"]) == (400, "bad_target")
    assert codes == [201] * 20 + [409]


@pytest.mark.parametrize("seed", range(4))
def test_any_history_of_commits_and_failures_brings_a_subscriber_to_the_servers_state(desk, hook, receiver, seed):
    """At least once and in order: whatever the receiver held, applying what it is told gives the server's state."""
    dice = random.Random(seed)
    hook(start="beginning")
    for _ in range(12):
        if dice.random() < 0.7:
            number = dice.randint(0, 5)
            if dice.random() < 0.3 and f"con_{number}" in desk.house.golden["contact"]:
                desk.house.commit(gone=(f"con_{number}",))
            else:
                desk.house.commit(contact(f"con_{number}", "P", f"N{dice.randint(0, 9)}", None))
        receiver.answers = [dice.choice([200, 200, 500, 0])]
        hook.courier.round()
        desk.house.clock.sleep(dice.choice([1, 400, 8_000]))
    receiver.answers = []
    for _ in range(4):
        desk.house.clock.sleep(60_000)
        hook.courier.round()

    held: dict[str, str] = {}
    for _, body in receiver.got:
        for one in json.loads(body)["data"]["records"]:
            held.pop(one["external_id"], None)
            if one["action"] == "upsert":
                held[one["external_id"]] = one["data"]
    true = feed.read(desk.house.ledger, desk.house.clock)["records"]
    assert held == {one["external_id"]: one["data"] for one in true}
