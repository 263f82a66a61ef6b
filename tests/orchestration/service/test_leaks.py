"""S7 to S10 and S12: what leaves the service, in an answer, a log line or a socket, and what never does."""

from __future__ import annotations

import io
import json
import logging
import random
import socket

import pytest

from assets.publishing import feed, wire
from orchestration.service.logs import JsonLine
from tests.assets.publishing.publishing_house import contact, organisation

NASTY = [
    "'; drop table head; --", '"; delete from head; --', "\\' or 1=1 --", "%' or '%'='", "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>", "{{7*7}}", "${jndi:ldap://x.test/a}", "=cmd|' /C calc'!A0", "+44 20 7946 0000",
    "-1+1", "@SUM(1)", "\t=1", "line\nbreak", "carriage\rreturn", "null\x00byte", "\x1b[31mred", "\u202eright to left",
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"), "ﬀ ligature", "a" * 2_000, "\u0000", "\u2028",
    '","action":"delete","x":"', "]}", "\\", '\\"', "/../../etc/passwd", "%s%n", "{0}", "None", "NaN", "1e999",
]  # fmt: skip
FIELDS = {
    "organisation": ["name", "website", "domain", "phone", "street", "city", "state", "postcode", "country", "industry"],
    "contact": ["first_name", "last_name", "email", "job_title", "phone"],
}  # fmt: skip


def test_only_mapped_fields_leave(desk):
    """S7: a column that a source or a rule brings newly is in no answer until somebody maps it."""
    secret = {"salary": "canary-salary", "notes": "canary-notes", "customfields": "canary-fields", "email2": "canary-2"}
    mapped = {
        "organisation": {"name", "website", "domain", "phonenumber", "street", "city", "state", "postcode", "country",
                         "industry", "employees", "notes", "customfields"},
        "contact": {"firstname", "surname", "emailaddress", "jobtitle", "phonenumber", "organisation_name",
                    "organization_external_id", "notes", "customfields"},
    }  # fmt: skip

    for entity, names in mapped.items():
        told = wire.record(golden_id="x", entity=entity, content={**dict.fromkeys(FIELDS[entity], "v"), **secret})

        assert "canary" not in json.dumps(told)
        assert told["data"].keys() == names


def test_hostile_text_in_every_field_arrives_as_it_was_and_does_nothing(desk):
    """S8: every string through every field to the wire and back; the ledger stands, +44 numbers are intact."""
    companies = [
        organisation(f"org_{number:03}", text, **dict.fromkeys(FIELDS["organisation"][1:], text))
        for number, text in enumerate(NASTY)
    ]
    people = [
        contact(f"con_{number:03}", text, text, f"org_{number:03}", email_status="verified",
                **dict.fromkeys(FIELDS["contact"][2:], text))
        for number, text in enumerate(NASTY)
    ]  # fmt: skip
    desk.house.commit(*companies, *people)

    told = {}
    last_sync = None
    while True:
        page = desk.client.get("/halo-integrator/sync", params={"limit": 7} | ({"last_sync": last_sync} if last_sync else {})).json()  # fmt: skip
        told |= {one["external_id"]: one["data"] for one in page["records"]}
        last_sync = page["last_sync_timestamp"]
        if not page["metadata"]["has_more"]:
            break

    for number, text in enumerate(NASTY):
        person, company = told[f"con_{number:03}"], told[f"org_{number:03}"]
        assert {person[name] for name in ("firstname", "surname", "emailaddress", "jobtitle", "organisation_name")} == {
            text
        }
        assert {company[name] for name in ("name", "website", "street", "city", "postcode", "industry")} == {text}


def test_no_secret_and_no_person_is_in_a_log_line(desk, monkeypatch):
    """S9: canaries in key, record, question, path and an exception; not one is in the log."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLine())
    monkeypatch.setattr(logging.getLogger("halosync"), "handlers", [handler])
    monkeypatch.setattr(logging.getLogger("halosync"), "propagate", False)
    logging.getLogger("halosync").setLevel(logging.INFO)
    desk.house.commit(contact("con_canary", "Canary", "Person", None, job_title="canary-title"))
    headers = desk.key("admin", name="canary-name")
    client = desk.anonymous()

    def broken(*_, **__):
        raise RuntimeError("canary in an exception")

    client.get("/sync/contacts", headers=headers)
    client.get("/sync/contacts?last_sync=canary", headers=headers)
    client.get("/canary/path", headers={"Authorization": "Bearer hs_canary"})
    client.post("/webhook/apollo/canary-token", json={"email": "canary@x.test"})
    client.post("/enrich/contact", json={"email": "canary@x.test"}, headers=headers)
    client.post("/hooks", json={"url": "https://canary.test/?token=canary"}, headers=headers)
    monkeypatch.setattr(feed, "page_in", broken)
    client.get("/sync/contacts", headers=headers)

    lines = stream.getvalue()
    assert len(lines.splitlines()) >= 8
    assert '"event": "defect"' in lines
    assert "canary" not in lines.casefold()
    assert headers["Authorization"].split("_", 2)[2] not in lines


@pytest.mark.parametrize("seed", [1])
def test_no_question_however_odd_gets_text_of_an_exception_or_a_5xx(desk, seed):
    """S10: fixed codes, a request id, the envelope; 400 odd questions here, schemathesis asks more."""
    dice = random.Random(seed)
    headers = desk.key("admin", name="fuzz")
    paths = ["/sync/contacts", "/sync/apollo/contacts", "/halo-integrator/sync", "/enrich/jobs/x", "/hooks", "/readyz",
             "/enrich/contact", "/webhook/apollo/x", "/hooks/x", "/metrics", "/../x", "/sync//contacts"]  # fmt: skip
    desk.ran()
    client = desk.anonymous()

    for _ in range(400):
        names = dice.sample(["last_sync", "cursor", "limit", "x"], dice.randint(0, 3))
        answer = client.request(
            dice.choice(["GET", "POST", "DELETE", "PUT", "OPTIONS"]),
            dice.choice(paths),
            params={name: dice.choice(NASTY) for name in names},
            headers={
                **headers,
                "X-Request-ID": "fuzz",
                "Content-Type": dice.choice(["application/json", "text/plain"]),
            },
            content=dice.choice(NASTY).encode("utf-8", "replace"),
        )
        if answer.status_code < 400:
            continue
        assert answer.status_code < 500, answer.text
        assert answer.headers["X-Request-ID"] == "fuzz"
        assert {"status", "error_code", "message"} <= answer.json().keys()
        assert not any(word in answer.text for word in ("Traceback", "Error(", ".py", "sqlalchemy", "sqlite"))


def test_the_service_opens_no_socket(desk, monkeypatch):
    """S12: polling, asking, being told: nothing makes the service speak to anybody."""
    opened: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: opened.append(address))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **_: opened.append(given))
    headers = desk.key("admin", name="admin")

    for path in ("/halo-integrator/sync", "/metrics", "/openapi.json", "/docs", "/healthz", "/hooks"):
        assert desk.anonymous().get(path, headers=headers).status_code == 200, path
    desk.anonymous().post("/enrich/organization", json={"website": "acme.test"}, headers=headers)

    assert opened == []
