"""ZoomInfo's legacy Enterprise API, as an option: the same records behind other envelopes.

Belongs here: the JWT, flat requests, flat rows told in the shape of the GTM API. Does not: which queries are asked
(`watch.py`), what is bought (`buy.py`); neither knows which surface it speaks to.
Surprise: a search row does not say whether a record is under management, so what a purchase cost is read off the
account's usage afterwards. ZoomInfo says that this API goes away; whoever may use GTM should.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest

from sources.clock import Clock
from sources.http import Forbidden, PatientSession, Unauthorised, Unreachable
from sources.limiter import RateLimit
from sources.tariffs import Call, Charge
from sources.zoominfo import settings
from sources.zoominfo.client import SearchPage, ZoomInfoClient, usage_of
from sources.zoominfo.settings import EntityRoutes

_US_MOMENT = re.compile(r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2} [AP]M")
_LOOKUPS = {"countries": "country", "states": "state", "management-levels": "managementlevel"}
_FOLDERS = {"contacts": "contact", "companies": "company"}


class LegacyClient(ZoomInfoClient):
    """One account on the legacy surface."""

    tells_management = False

    def __init__(
        self,
        base_url: str,
        username: str,
        password: str,
        clock: Clock,
        *,
        limits: Sequence[RateLimit] = settings.LEGACY_LIMITS,
        rows_max: int = settings.SEARCH_ROWS_MAX,
    ) -> None:
        self.clock = clock
        self.rows_max = rows_max
        self.session = PatientSession(vendor="ZoomInfo", clock=clock, limits=limits)
        self._base_url = base_url.rstrip("/")
        self._account = {"username": username, "password": password}
        self._jwt, self._ends_s = "", 0.0

    def roots(self, routes: EntityRoutes) -> Sequence[Mapping[str, object]]:
        """There is no filter for management; a contact search needs a criterion, and every contact has a score."""
        return ({settings.SCORE_FILTER: routes.scores[0]},) if routes.scores else ({},)

    def search(
        self, routes: EntityRoutes, query: Mapping[str, Any], number: int = 1, *, sort: str | None = None
    ) -> SearchPage:
        key = sort or routes.sort
        order = {"sortBy": key.removeprefix("-"), "sortOrder": "desc" if key.startswith("-") else "asc"}
        asked = {**query, **order, "rpp": settings.PAGE_ROWS, "page": number}
        path = f"/search/{_FOLDERS[routes.folder]}"
        for attempt in range(4):
            answer = self._send_signed("POST", path, json=asked)
            rows, total = answer.get("data"), answer.get("maxResults")
            if isinstance(rows, list) and isinstance(total, int) and not isinstance(total, bool):
                has_more = bool(rows) and number * settings.PAGE_ROWS < min(total, self.rows_max)
                return SearchPage([_told(row) for row in rows], total, number + 1 if has_more else None)
            self.session.retried["an answer without data"] += 1
            self.clock.sleep(2.0**attempt)
        raise Unreachable(f"ZoomInfo: the answer on {path} has no list in `data`, or no total", retryable=True)

    def enrich(self, routes: EntityRoutes, ids: Sequence[str]) -> list[Any]:
        asked = {
            routes.inputs_key: [{routes.id_key: row_id} for row_id in ids],
            "outputFields": list(routes.output_fields),
        }
        path = f"/enrich/{_FOLDERS[routes.folder]}"
        data = self._send_signed("POST", path, json=asked).get("data")
        results = data.get("result") if isinstance(data, dict) else None
        if not isinstance(results, list):
            raise Unreachable(f"ZoomInfo: the answer on {path} has no list in `data.result`", retryable=True)
        return [_item(result, routes) for result in results]

    def lookup(self, name: str) -> list[str]:
        rows = self._send_signed("GET", f"/lookup/{_LOOKUPS[name]}").get("data")
        return [str(row["name"]) for row in rows or () if isinstance(row, dict) and row.get("name")]

    def credits_used(self) -> int | None:
        try:
            return usage_of(self._send_signed("GET", "/lookup/usage"))
        except Forbidden:
            return None

    def _send_signed(self, method: str, path: str, **kwargs: Any) -> dict[str, Any]:
        """A call with the token; one that was refused is renewed once."""
        for is_last in (False, True):
            try:
                headers = {"Authorization": f"Bearer {self._signed_in()}"}
                answer = self.session.fetch_json(method, self._base_url + path, headers=headers, **kwargs)
                return answer if isinstance(answer, dict) else {}
            except Unauthorised:
                self._jwt = ""
                if is_last:
                    raise
                self.session.retried["HTTP 401"] += 1
        raise AssertionError("the second call returns or raises")

    def _signed_in(self) -> str:
        """The JWT, kept for 55 of its 60 minutes: logging in is limited to once a second."""
        if not self._jwt or self.clock.time() >= self._ends_s:
            asked_s = self.clock.time()
            answer = self.session.fetch_json("POST", self._base_url + settings.LEGACY_TOKEN_PATH, json=self._account)
            jwt = answer.get("jwt") if isinstance(answer, dict) else None
            if not isinstance(jwt, str) or not jwt:
                raise Unauthorised("ZoomInfo: the answer of /authenticate holds no jwt", status=200)
            self._jwt, self._ends_s = jwt, asked_s + settings.LEGACY_TOKEN_S
        return self._jwt


class LegacyTariff:
    """A credit a record enriched, at the worst: this surface does not say what is under management and so free."""

    balance_path = None  # a record charged is under management then, and reading it again is free

    def price(self, request: PreparedRequest) -> Call | None:
        path = urlsplit(request.url or "").path
        if not path.startswith("/enrich/"):
            return None
        body = json.loads(request.body or b"{}")
        for entity, key in (("contact", "matchPersonInput"), ("organisation", "matchCompanyInput")):
            if body.get(key):
                asked = tuple(str(next(iter(one.values()))) for one in body[key])
                return Call(float(len(asked)), entity, asked)
        return None

    def charge(self, call: Call, answer: Any) -> Charge:
        data = answer.get("data") if isinstance(answer, dict) else None
        results = data.get("result") if isinstance(data, dict) else None
        found = sum(bool(one.get("data")) for one in results or () if isinstance(one, dict))
        return Charge(min(float(found), call.price), found)

    def learns_from(self, request: PreparedRequest) -> bool:
        return False

    def learn(self, request: PreparedRequest, answer: Any) -> None:
        return

    def balance(self, answer: Any) -> float | None:
        return None


def _told(row: Any) -> Any:
    """A flat search row in the shape of the GTM API."""
    if not isinstance(row, dict):
        return row
    return {"id": _text(row.get("id")), "type": "Legacy", "attributes": _attributes(row)}


def _item(result: Any, routes: EntityRoutes) -> Any:
    """A result of enrich in the shape of the GTM API; an empty list of data is a miss."""
    if not isinstance(result, dict):
        return result
    asked = {name.lower(): value for name, value in (result.get("input") or {}).items()}
    meta = {"input": {routes.id_key: _text(asked.get(routes.id_key.lower()))}}
    rows = result.get("data")
    if not isinstance(rows, list) or not rows:
        return {"id": "0", "type": "NoMatch", "attributes": {}, "meta": meta | {"matchStatus": "NO_MATCH"}}
    if not isinstance(rows[0], dict):
        return rows[0]
    names = {name.lower(): name for name in routes.output_fields}
    row: dict[str, Any] = {names.get(str(name).lower()) or str(name): value for name, value in rows[0].items()}
    told = {"id": _text(row.get("id")), "type": "Legacy", "attributes": _attributes(row)}
    return told | {"meta": meta | {"matchStatus": "FULL_MATCH"}}


def _attributes(row: Mapping[str, Any]) -> dict[str, Any]:
    """What is known: the legacy API says `""` where GTM says nothing, and writes moments as Americans do, in UTC."""
    return {name: _iso(value) for name, value in row.items() if name != "id" and value not in ("", None)}


def _iso(value: Any) -> Any:
    if isinstance(value, str) and _US_MOMENT.fullmatch(value):
        return datetime.strptime(value, "%m/%d/%Y %I:%M %p").strftime("%Y-%m-%dT%H:%M:%SZ")
    return value


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
