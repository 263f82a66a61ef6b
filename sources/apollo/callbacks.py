"""Simulated Apollo's phones: asked for with a match, told minutes later by a callback that nobody signs.

Belongs here: what was asked for, when it is due, the callback's body, `webhook_result`. Does not: matching and its own
price (`simulator.py`). Surprise: a callback leaves with the first request after it is due, because a simulated clock
wakes nobody; it comes twice by default, for Apollo may retry; and its phones have other keys than those of a match.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import requests
from werkzeug.wrappers import Response

from sources.apollo import shapes
from sources.apollo.account import Account
from sources.clock import Clock
from sources.simulation import SimulatorStore, json_response

KEPT_S = 30 * 86_400.0  # how long `webhook_result` remembers
MOBILE_CREDITS = 8
_TIMEOUT_S = 5.0
_LOOPBACK = ("http://127.0.0.1:", "http://localhost:")

Person = Callable[[str], shapes.Row | None]
Send = Callable[[str, dict[str, Any]], None]


def post(url: str, body: dict[str, Any]) -> None:
    """Send a callback; a receiver that is down is the receiver's trouble, as with the real one."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            session.post(url, json=body, timeout=_TIMEOUT_S)
        except requests.RequestException:
            return  # what was missed is read by `webhook_result`


class Callbacks:
    """The callbacks of one account, over the simulator's durable store."""

    def __init__(
        self, store: SimulatorStore, clock: Clock, account: Account, person: Person, send: Send = post
    ) -> None:
        self._store, self._clock, self._account = store, clock, account
        self._person, self._send = person, send

    def refusal(self, url: Any) -> str | None:
        """Why phones cannot be asked for: no address, or one that is not loopback (Apollo wants public HTTPS)."""
        if isinstance(url, str) and url.startswith(_LOOPBACK):
            return None
        return "Please add a valid 'webhook_url' parameter when using 'reveal_phone_number'"

    def ask(self, request_id: int, url: str, people: Sequence[str | None]) -> None:
        """Remember a request whose match has been answered."""
        now_s = self._clock.time()
        asked = {"url": url, "people": [person for person in people if person], "total": len(people), "sent": 0}
        self._store.put("callbacks", str(request_id), asked | {"asked_s": now_s, "due_s": now_s + self._delay_s})

    def deliver_due(self) -> None:
        """Send what is due, as often as the switch says; phones are charged for when they are first told."""
        for request_id, asked in self._store.load("callbacks").items():
            while asked["due_s"] <= self._clock.time() and asked["sent"] < self._account.switches.callback_times:
                self._charge(request_id, asked)
                asked["sent"] += 1
                self._store.put("callbacks", request_id, asked)
                self._send(asked["url"], self._body(asked))

    def result(self, request_id: str) -> Response:
        """`webhook_result`: 400 no number, 404 unknown or pending, 410 after thirty days, else the callback's body."""
        if not request_id.lstrip("-").isdigit():
            return _refused(400, "invalid_request_id")
        asked = self._store.get("callbacks", request_id)
        if asked is None:
            return _refused(404, "request_id_unknown")
        now_s = self._clock.time()
        if now_s > asked["asked_s"] + KEPT_S:
            return _refused(410, "request_id_expired")
        if now_s < asked["due_s"]:
            return _refused(404, "result_pending", retry_after_seconds=int(asked["due_s"] - now_s) + 1)
        self._charge(request_id, asked)
        told: dict[str, Any] = {"request_id": request_id, "webhook_status": "delivered" if asked["sent"] else "failed"}
        told |= {"request_type": "people_match", "last_dispatched_at": None, "failure_reason": None}
        return json_response(told | {"webhook_result": self._body(asked)})

    @property
    def _delay_s(self) -> float:
        return self._account.switches.callback_delay_s

    def _charge(self, request_id: str, asked: dict[str, Any]) -> None:
        if not asked.get("is_charged"):
            self._account.spend(MOBILE_CREDITS * self._mobiles(asked))
            asked["is_charged"] = True
            self._store.put("callbacks", request_id, asked)

    def _mobiles(self, asked: dict[str, Any]) -> int:
        people = [self._person(person_id) for person_id in asked["people"]]
        return sum(bool(row and row["mobile"]) for row in people)

    def _body(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The native body; it names no request."""
        people = [(person_id, self._person(person_id)) for person_id in asked["people"]]
        found = [(person_id, row) for person_id, row in people if row is not None]
        return {
            "status": "success",
            "total_requested_enrichments": asked["total"],
            "unique_enriched_records": self._mobiles(asked),
            "missing_records": asked["total"] - len(found),
            "credits_consumed": MOBILE_CREDITS * self._mobiles(asked),
            "people": [
                {"id": person_id, "status": "success" if row["mobile"] else "failed", "phone_numbers": _numbers(row)}
                for person_id, row in found
            ],
        }


def _numbers(row: shapes.Row) -> list[dict[str, Any]]:
    if not row["mobile"]:
        return []
    return [
        {
            "id": shapes.digest(f"phone:{row['id']}")[:24],
            "raw_number": row["mobile"],
            "sanitized_number": shapes.e164(row["mobile"], row["country"]),
            "type_cd": "mobile",
            "status_cd": "valid_number",
            "confidence_cd": "high",
            "dnc_status_cd": "do_not_call" if row["mobile_do_not_call"] else None,
            "position": 0,
        }
    ]


def _refused(status: int, code: str, **more: Any) -> Response:
    return json_response({"status": "failed", "error_code": code} | more, status=status)
