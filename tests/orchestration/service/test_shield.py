"""Promises of the shield: bounded bodies, safe headers, a log that tells routes and never what was asked."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from orchestration.service import shield
from orchestration.service.logs import JsonLine
from orchestration.service.metrics import Metrics
from tests.assets.publishing.publishing_house import contact

SCOPE = {"type": "http", "method": "POST", "path": "/x", "headers": []}


async def reading(scope, receive, send):
    """An application that reads the whole body and says how long it was."""
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


def call(chunks: list[bytes], headers: list[tuple[bytes, bytes]], *, pause_s: float = 0.0) -> list[dict]:
    sent: list[dict] = []
    waiting = list(chunks)

    async def receive():
        await asyncio.sleep(pause_s)
        body = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(waiting)}

    async def send(message):
        sent.append(message)

    app = shield.Shield(reading, Metrics())
    asyncio.run(app({**SCOPE, "headers": headers}, receive, send))
    return sent


def test_a_body_within_the_bound_passes():
    sent = call([b"a" * 1000, b"b" * 1000], [(b"content-length", b"2000")])

    assert (sent[0]["status"], sent[1]["body"]) == (200, b"2000")


@pytest.mark.parametrize(
    ("chunks", "headers"),
    [
        ([b"a"], [(b"content-length", str(shield.BODY_BYTES_MAX + 1).encode())]),
        ([b"a"], [(b"content-length", b"-5")]),
        ([b"a" * 200_000] * 3, [(b"transfer-encoding", b"chunked")]),
        ([b"a" * 200_000] * 3, [(b"content-length", b"10")]),
    ],
    ids=["declared", "nonsense", "chunked", "a lie"],
)
def test_a_body_too_long_is_refused_without_reading_it_whole(chunks, headers):
    """S6: size."""
    with pytest.raises(shield.Refusal) as refused:
        call(chunks, headers)

    assert refused.value.status_code == 413


def test_a_body_that_dawdles_is_refused(monkeypatch):
    """S6: slow bodies."""
    monkeypatch.setattr(shield, "BODY_S_MAX", 0.05)

    with pytest.raises(shield.Refusal) as refused:
        call([b"a"] * 20, [(b"transfer-encoding", b"chunked")], pause_s=0.02)

    assert refused.value.status_code == 408


def test_every_answer_has_safe_headers_and_an_id(desk):
    for path in ("/healthz", "/sync/contacts", "/nowhere", "/docs"):
        headers = desk.client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert len(headers["X-Request-ID"]) == 32


def test_a_callers_own_id_is_kept_where_it_is_harmless(desk):
    kept = desk.client.get("/healthz", headers={"X-Request-ID": "run-7.a"}).headers["X-Request-ID"]
    replaced = desk.client.get("/healthz", headers={"X-Request-ID": '"},{"level":"forged'}).headers["X-Request-ID"]

    assert kept == "run-7.a"
    assert len(replaced) == 32


def test_the_log_tells_route_and_key_and_never_what_was_asked(desk, caplog):
    desk.house.commit(contact("con_ann", "Ann", "Lee", None))
    logging.getLogger("halosync").propagate = True
    with caplog.at_level(logging.INFO, logger="halosync"):
        desk.client.get("/sync/contacts", params={"last_sync": "ann.lee@example.test"})
        desk.client.get("/sync/ann.lee@example.test/contacts")

    lines = [JsonLine().format(record) for record in caplog.records if record.name == "halosync.access"]

    assert [json.loads(line)["route"] for line in lines] == ["/sync/{kind}", "/sync/{source}/{kind}"]
    assert all(len(json.loads(line)["key_id"]) == 12 for line in lines)
    assert "ann" not in "".join(lines)
    assert desk.client.headers["Authorization"][20:] not in "".join(lines)
