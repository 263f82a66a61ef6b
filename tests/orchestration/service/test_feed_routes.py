"""Promises of the feed over HTTP: the seed's routes and shape, ETags, gzip, and errors that are never 200."""

from __future__ import annotations

import gzip
from datetime import timedelta

import pytest

from tests.assets.publishing.publishing_house import contact, organisation

ACME = organisation("org_acme", "Acme Ltd", sources="apollo,uplead")
BOLT = organisation("org_bolt", "Bolt Inc", sources="zoominfo")
ANN = contact("con_ann", "Ann", "Lee", "org_acme")


def ids(answer) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [record["external_id"] for record in answer.json()["records"]]


def test_each_route_gives_its_own_records(desk):
    desk.house.commit(ACME, BOLT, ANN)

    assert ids(desk.client.get("/halo-integrator/sync")) == ["org_acme", "org_bolt", "con_ann"]
    assert ids(desk.client.get("/sync/organizations")) == ["org_acme", "org_bolt"]
    assert ids(desk.client.get("/sync/contacts")) == ["con_ann"]
    assert ids(desk.client.get("/sync/zoominfo/organizations")) == ["org_bolt"]
    assert ids(desk.client.get("/sync/uplead/contacts")) == ["con_ann"]


def test_an_answer_asked_for_twice_is_the_same_and_304_to_whom_has_it(desk):
    desk.house.commit(ACME, BOLT, ANN)

    first = desk.client.get("/halo-integrator/sync", params={"limit": 1})
    desk.house.clock.sleep(60)
    again = desk.client.get("/halo-integrator/sync", params={"limit": 1})
    held = desk.client.get(
        "/halo-integrator/sync", params={"limit": 1}, headers={"If-None-Match": first.headers["ETag"]}
    )

    assert first.json()["metadata"]["has_more"]
    assert again.content == first.content
    assert (held.status_code, held.content, held.headers["ETag"]) == (304, b"", first.headers["ETag"])


def test_gzip_has_a_tag_of_its_own_and_the_same_content(desk):
    desk.house.commit(*(organisation(f"org_{number:03}", f"Company {number}") for number in range(40)))

    plain = desk.client.get("/sync/organizations", headers={"Accept-Encoding": "identity"})
    packed = desk.client.get("/sync/organizations", headers={"Accept-Encoding": "br, gzip;q=0.5"})
    refused = desk.client.get("/sync/organizations", headers={"Accept-Encoding": "gzip;q=0"})

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.content == plain.content == refused.content  # the client unpacks
    assert packed.headers["ETag"] != plain.headers["ETag"] == refused.headers["ETag"]
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
    assert len(gzip.compress(plain.content)) < len(plain.content) / 3


@pytest.mark.parametrize(
    ("path", "parameters", "status", "code"),
    [
        ("/sync/contacts", {"limit": 0}, 400, "bad_request"),
        ("/sync/contacts", {"limit": 501}, 400, "bad_request"),
        ("/sync/contacts", {"limit": "all"}, 400, "bad_request"),
        ("/sync/contacts", {"last_sync": "yesterday"}, 400, "bad_request"),
        ("/sync/contacts", {"last_sync": "2026-01-19T15:30:00"}, 400, "bad_request"),
        ("/sync/contacts", {"last_sync": "2099-01-01T00:00:00Z"}, 400, "bad_request"),
        ("/sync/contacts", {"cursor": "AAAA"}, 400, "bad_request"),
        ("/sync/hubspot/contacts", {}, 404, "unknown_source"),
        ("/sync/people", {}, 400, "bad_request"),
        ("/nowhere", {}, 404, "not_found"),
    ],
)
def test_an_error_has_the_seeds_envelope_and_no_200(desk, path, parameters, status, code):
    answer = desk.client.get(path, params=parameters)

    assert answer.status_code == status
    assert list(answer.json()) == ["status", "error_code", "message", "retry_after_seconds", "timestamp"]
    assert (answer.json()["status"], answer.json()["error_code"]) == ("error", code)
    assert answer.json()["retry_after_seconds"] == 300


def test_who_was_away_for_91_days_gets_everything_anew_with_what_is_gone(desk):
    desk.house.commit(ACME, BOLT, ANN)
    stamp = desk.client.get("/halo-integrator/sync").json()["last_sync_timestamp"]
    desk.house.clock.sleep(timedelta(days=91).total_seconds())
    desk.house.commit(gone=("con_ann",))

    answer = desk.client.get("/halo-integrator/sync", params={"last_sync": stamp})

    assert answer.json()["metadata"]["sync_type"] == "full_resync"
    assert [(one["action"], one["external_id"]) for one in answer.json()["records"]] == [
        ("upsert", "org_acme"), ("upsert", "org_bolt"), ("delete", "con_ann"),
    ]  # fmt: skip


def test_91_quiet_days_are_no_reason_to_begin_anew(desk):
    desk.house.commit(ACME)
    stamp = desk.client.get("/halo-integrator/sync").json()["last_sync_timestamp"]
    desk.house.clock.sleep(timedelta(days=91).total_seconds())

    answer = desk.client.get("/halo-integrator/sync", params={"last_sync": stamp}).json()

    assert (answer["records"], answer["metadata"]["sync_type"]) == ([], "incremental")


def test_a_defect_is_500_without_a_word_of_the_exception(desk, monkeypatch):
    from assets.publishing import feed

    def broken(*_, **__):
        raise RuntimeError("ann.lee@org_acme.test at /home/somebody")

    monkeypatch.setattr(feed, "page_in", broken)

    answer = desk.client.get("/sync/contacts")

    assert (answer.status_code, answer.json()["error_code"]) == (500, "internal")
    assert "ann" not in answer.text
    assert "/home" not in answer.text
