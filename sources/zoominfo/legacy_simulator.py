"""Simulated ZoomInfo's legacy surface: JWT, flat bodies, text errors; over the same records and credits as GTM.

Belongs here: routes and envelopes of the legacy API. Does not: what the data are, how they are paid for, limits of the
account (`simulator.py`). Surprise: ids are numbers here, input keys and field names come back in lower case, what is
unknown is `""`, and moments are American and have no zone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from sources.simulation import json_response
from sources.zoominfo import settings
from sources.zoominfo.catalogue import UnknownFilter

if TYPE_CHECKING:
    from sources.zoominfo.simulator import ZoomInfoSimulator

USERNAME, PASSWORD = "zi-demo-user", "zi-demo-password"
_ENTITIES = {"contact": settings.CONTACT, "company": settings.COMPANY}
_LOOKUPS = {"country": "countries", "state": "states", "managementlevel": "management-levels"}
_OUR_OWN = ("rpp", "page", "sortBy", "sortOrder")


class Legacy:
    """The legacy routes of one simulated account."""

    def __init__(self, account: ZoomInfoSimulator) -> None:
        self._account = account
        self._tokens: dict[str, float] = {}
        self._logged_in_s: float | None = None
        account.route("POST", settings.LEGACY_TOKEN_PATH, self._authenticate)
        account.route("POST", "/search/<kind>", self._guarded(self._search))
        account.route("POST", "/enrich/<kind>", self._guarded(self._enrich))
        account.route("GET", "/lookup/usage", lambda request: json_response(account.usage()))
        account.route("GET", "/lookup/<name>", self._lookup)

    def owns(self, path: str) -> bool:
        return path.startswith(("/search/", "/enrich/", "/lookup/", settings.LEGACY_TOKEN_PATH))

    def before(self, request: Request) -> Response | None:
        if request.path == settings.LEGACY_TOKEN_PATH:
            return None
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        is_alive = self._account.clock.time() < self._tokens.get(token, 0.0)
        return None if is_alive else _text(401, "Authentication failed")

    def revoke(self) -> None:
        """End every token now."""
        self._tokens.clear()

    def _authenticate(self, request: Request) -> Response:
        now_s = self._account.clock.time()
        if self._logged_in_s is not None and now_s - self._logged_in_s < 1:
            return _text(429, "You have exceeded your API query rate limit")
        told = request.get_json(silent=True, force=True) or request.form
        if (told.get("username"), told.get("password")) != (USERNAME, PASSWORD):
            return _text(401, "Authentication failed")
        self._account.counters["token calls"] += 1
        self._logged_in_s = now_s
        token = self._account.token_for(USERNAME, now_s + self._account.token_s)
        self._tokens[token] = now_s + self._account.token_s
        return json_response({"jwt": token})

    def _guarded(self, answer: Callable[[str, dict[str, Any]], Response]) -> Callable[[Request, str], Response]:
        def guarded(request: Request, kind: str) -> Response:
            body = request.get_json(silent=True, force=True)
            if kind not in _ENTITIES or not isinstance(body, dict):
                return _text(400, "Invalid request")
            return answer(kind, body)

        return guarded

    def _search(self, kind: str, body: dict[str, Any]) -> Response:
        query = {name: value for name, value in body.items() if name not in _OUR_OWN}
        number, size = body.get("page", 1), body.get("rpp", 25)
        if not isinstance(number, int) or not isinstance(size, int) or not 1 <= size <= 100 or number < 1:
            return _text(400, "rpp must be between 1 and 100")
        if (number - 1) * size >= self._account.rows_max:
            return _text(400, f"Total results cannot exceed {self._account.rows_max}")
        if (kind == "contact" and not query) or "underManagement" in query:
            return _text(400, "Invalid search criteria")
        sort = ("-" if body.get("sortOrder") == "desc" else "") + str(body.get("sortBy", ""))
        try:
            places = self._account.places(kind, query, sort)
        except (UnknownFilter, ValueError):
            return _text(400, "Invalid field requested")
        reach = min(len(places), self._account.rows_max)
        hits = [
            self._account.hit(kind, int(place)) for place in places[(number - 1) * size : min(number * size, reach)]
        ]
        rows = [_flat(hit["id"], hit["attributes"]) for hit in hits]
        return json_response(
            {"maxResults": len(places), "totalResults": len(rows), "currentPage": number, "data": rows}
        )

    def _enrich(self, kind: str, body: dict[str, Any]) -> Response:
        routes = _ENTITIES[kind]
        inputs, fields = body.get(routes.inputs_key), body.get("outputFields")
        if not isinstance(inputs, list) or not 0 < len(inputs) <= settings.ENRICH_INPUTS_MAX or not fields:
            return _text(400, "Invalid request")
        if self._account.is_broke(kind, inputs):
            return _text(403, "You have used up all of your allowed record limit")
        results = []
        for asked, item in zip(inputs, self._account.sold(kind, inputs, fields), strict=True):
            rows = [] if item["type"] == "NoMatch" else [_lowered(_flat(asked[routes.id_key], item["attributes"]))]
            results.append({"input": {name.lower(): value for name, value in asked.items()}, "data": rows})
        return json_response({"success": True, "data": {"outputFields": [list(fields)], "result": results}})

    def _lookup(self, request: Request, name: str) -> Response:
        values = self._account.catalogue.values(_LOOKUPS.get(name, ""))
        if values is None:
            return _text(404, "Not found")
        return json_response({"data": [{"id": value, "name": value} for value in values]})


def _flat(row_id: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the legacy API has it: the number first, blanks for what is unknown, no word of management."""
    row = {name: value for name, value in attributes.items() if name not in ("managementStatus", "id")}
    moments = {name: _american(row.get(name)) for name in ("lastUpdatedDate", "validDate")}
    return {"id": int(row_id), "middleName": "", **row, **moments}


def _american(moment: Any) -> str:
    """`2026-06-19T13:41:05Z` becomes `6/19/2026 1:41 PM`."""
    if not moment:
        return ""
    at = datetime.strptime(moment, "%Y-%m-%dT%H:%M:%SZ")
    return f"{at.month}/{at.day}/{at.year} {at.hour % 12 or 12}:{at:%M} {'AM' if at.hour < 12 else 'PM'}"


def _lowered(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in row.items()}


def _text(status: int, message: str) -> Response:
    return json_response({"success": False, "error": message}, status=status)
