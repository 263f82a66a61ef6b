"""Promises of the door: no route without a key but those named, nothing read before it, a fair share for each."""

from __future__ import annotations

import pytest
from fastapi.routing import APIRoute

from assets.publishing import keys
from orchestration.service.access import WRONG_KEYS_PER_MINUTE
from orchestration.service.app import build_app
from orchestration.service.settings import ServiceSettings
from tests.assets.publishing.publishing_house import House

OPEN = {"/healthz", "/readyz"}  # docs/feed.md
OF_SENDERS = ("/webhook/",)  # each sender has a proof of his own: test_webhooks.py


def routes(app) -> list[tuple[str, str, str]]:
    """(method, path with its parameters filled in, scope) of every guarded route, from the router itself."""
    description = app.openapi()
    found = []
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            if path not in OPEN and not path.startswith(OF_SENDERS):
                filled = path.replace("{kind}", "contacts").replace("{source}", "apollo").replace("{token}", "t")
                found.append((method.upper(), filled.replace("{hook_id}", "h").replace("{job_id}", "j"), operation))
    return [(method, path, operation.get("security")) for method, path, operation in found]


def body_of(method: str):
    """A body that says when somebody reads it."""
    read = []

    def chunks():
        read.append(True)
        yield b"{}"

    return read, (chunks() if method in ("POST", "PUT", "PATCH") else None)


def test_every_route_that_is_not_open_asks_for_a_key_in_its_description(desk):
    guarded = routes(desk.app)

    assert len(guarded) >= 4
    assert all(security == [{"key": []}] for *_, security in guarded)


@pytest.mark.parametrize("given", ["none", "wrong", "malformed", "basic", "revoked"])
def test_without_a_live_key_each_route_is_401_before_its_body_is_read(desk, given):
    """S1: the routes are those of the router, so none is forgotten."""
    good = keys.add(desk.house.ledger, desk.house.clock, name="gone", scopes=["admin"])
    headers = {
        "none": {},
        "wrong": {"Authorization": f"Bearer {good[:-3]}abc"},
        "malformed": {"Authorization": "Bearer hs_"},
        "basic": {"Authorization": f"Basic {good}"},
        "revoked": {"Authorization": f"Bearer {good}"},
    }[given]
    if given == "revoked":
        keys.revoke(desk.house.ledger, desk.house.clock, good.split("_")[1])

    for method, path, _ in routes(desk.app):
        read, content = body_of(method)
        answer = desk.anonymous().request(method, path, headers=headers, content=content)
        assert (answer.status_code, answer.json()["error_code"], read) == (401, "unauthorised", []), path


def test_a_key_without_the_scope_is_403_before_the_body_is_read(desk):
    """S1."""
    for scope in keys.SCOPES[:-1]:
        headers = desk.key(scope, name=scope)
        for method, path, _ in routes(desk.app):
            read, content = body_of(method)
            answer = desk.anonymous().request(method, path, headers=headers, content=content)
            assert answer.status_code != 401, path
            assert answer.status_code == 403 or scope_of(desk.app, method, path) == scope, path
            assert answer.status_code != 403 or read == [], path


def scope_of(app, method: str, path: str) -> str:
    for route in all_routes(app.routes):
        if isinstance(route, APIRoute) and method in route.methods and route.path_regex.match(path):
            return getattr(route, "scope_wanted", "")
    raise AssertionError(path)


def all_routes(routes):
    """Flat, whatever FastAPI makes of routers that are included."""
    for route in routes:
        yield route
        inner = getattr(route, "original_router", None) or getattr(route, "router", None)
        if inner is not None:
            yield from all_routes(inner.routes)


def test_admin_may_do_everything(desk):
    headers = desk.key("admin", name="admin")

    assert desk.anonymous().get("/sync/contacts", headers=headers).status_code == 200
    assert desk.anonymous().get("/metrics", headers=headers).status_code == 200


def test_two_keys_of_one_name_live_at_once_and_a_third_is_refused(desk):
    first, second = (keys.add(desk.house.ledger, desk.house.clock, name="n8n", scopes=["feed:read"]) for _ in range(2))

    with pytest.raises(keys.KeyRefused, match="n8n has 2 live keys"):
        keys.add(desk.house.ledger, desk.house.clock, name="n8n", scopes=["feed:read"])
    keys.revoke(desk.house.ledger, desk.house.clock, first.split("_")[1])

    assert keys.recognise(desk.house.ledger, first) is None
    assert keys.recognise(desk.house.ledger, second).name == "n8n"


def test_the_ledger_holds_no_key(desk):
    made = keys.add(desk.house.ledger, desk.house.clock, name="secret", scopes=["feed:read"])

    held = b"".join(path.read_bytes() for path in desk.house.folder.glob("ledger.sqlite*"))

    assert made.split("_", 2)[2].encode() not in held
    assert made.split("_")[1].encode() in held


def test_a_flood_of_one_key_does_not_take_the_share_of_another(tmp_path):
    house = House(tmp_path / "house")
    app = build_app(house.ledger, house.clock, ServiceSettings(calls_per_minute=20))
    from fastapi.testclient import TestClient

    flood, calm = (
        {"Authorization": f"Bearer {keys.add(house.ledger, house.clock, name=name, scopes=['feed:read'])}"}
        for name in ("flood", "calm")
    )
    client = TestClient(app)

    answers = [client.get("/sync/contacts", headers=flood) for _ in range(30)]

    assert [answer.status_code for answer in answers] == [200] * 20 + [429] * 10
    assert answers[-1].headers["Retry-After"] == "60"
    assert client.get("/sync/contacts", headers=calm).status_code == 200


def test_who_guesses_keys_is_asked_to_wait(desk):
    client = desk.anonymous()

    codes = [client.get("/sync/contacts").status_code for _ in range(WRONG_KEYS_PER_MINUTE + 2)]

    assert codes[-1] == 429
    assert codes[:WRONG_KEYS_PER_MINUTE] == [401] * WRONG_KEYS_PER_MINUTE
