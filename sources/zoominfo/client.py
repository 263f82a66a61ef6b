"""ZoomInfo's GTM API: tokens, JSON:API envelopes, search pages, enrich calls, usage.

Belongs here: what a call looks like and what its answer says. Does not: which queries are asked (`watch.py`), what is
bought (`buy.py`), retries and limits (`sources/http.py`).
Surprise: `links.next` is believed only for its page number. It comes without host and with a `uri=` prefix, and an
address taken from an answer must never decide where our token is sent.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sources.clock import Clock
from sources.http import BadRequest, Forbidden, PatientSession, Unauthorised, Unreachable, VendorError
from sources.limiter import RateLimit
from sources.zoominfo import settings
from sources.zoominfo.settings import EntityRoutes

_PAGE_NUMBER = re.compile(r"page(?:\[|%5B)number(?:\]|%5D)=(\d+)", re.IGNORECASE)
_ATTEMPTS_FOR_A_DOCUMENT = 4


@dataclass(frozen=True)
class SearchPage:
    """One page: its rows, how many the query has in all, and the next page's number."""

    rows: list[Any]
    rows_total: int
    next_number: int | None


class ZoomInfoClient:
    """One account. Thread-safe; `rows_max` is what one query yields at most."""

    tells_management = True  # whether search rows say what is under management

    def __init__(
        self,
        base_url: str,
        client_id: str,
        client_secret: str,
        clock: Clock,
        *,
        limits: Sequence[RateLimit] = settings.RATE_LIMITS,
        rows_max: int = settings.SEARCH_ROWS_MAX,
    ) -> None:
        self.clock = clock
        self.rows_max = rows_max
        self.session = PatientSession(vendor="ZoomInfo", clock=clock, limits=limits)
        self._base_url = base_url.rstrip("/")
        self._token = _Token(self.session, self._base_url + settings.TOKEN_PATH, client_id, client_secret)

    def roots(self, routes: EntityRoutes) -> Sequence[Mapping[str, object]]:
        """Queries that together name everybody."""
        return routes.roots

    def search(
        self, routes: EntityRoutes, query: Mapping[str, Any], number: int = 1, *, sort: str | None = None
    ) -> SearchPage:
        """One page of a search; free. Rows are as sent, screened by nobody yet."""
        document = self._document(
            f"{settings.DATA_PATH}/{routes.folder}/search",
            {"type": routes.search_type, "attributes": dict(query)},
            params={"page[number]": number, "page[size]": settings.PAGE_ROWS, "sort": sort or routes.sort},
            is_whole=lambda found: _total(found) is not None,
        )
        rows = document["data"]
        return SearchPage(
            rows=rows,
            rows_total=_total(document) or 0,
            next_number=_next_number(document.get("links"), number) if rows else None,
        )

    def pages(
        self, routes: EntityRoutes, query: Mapping[str, Any], first: SearchPage, *, sort: str | None = None
    ) -> Iterator[SearchPage]:
        """The first page and those after it, at most as many as the cap lets through."""
        page = first
        yield page
        while page.next_number is not None and page.next_number <= math.ceil(self.rows_max / settings.PAGE_ROWS):
            page = self.search(routes, query, page.next_number, sort=sort)
            yield page

    def enrich(self, routes: EntityRoutes, ids: Sequence[str]) -> list[Any]:
        """Full records by id, at most 25; costs a credit for each that is not under management.

        Raises:
            BadRequest: among others when credits have run out, see `is_out_of_credits`.
        """
        assert 0 < len(ids) <= settings.ENRICH_INPUTS_MAX
        attributes = {
            routes.inputs_key: [{routes.id_key: row_id} for row_id in ids],
            "outputFields": list(routes.output_fields),
        }
        path = f"{settings.DATA_PATH}/{routes.folder}/enrich"
        rows: list[Any] = self._document(path, {"type": routes.enrich_type, "attributes": attributes})["data"]
        return rows

    def lookup(self, name: str) -> list[str]:
        """A list of allowed values, such as `countries`; free."""
        rows = self._document(f"{settings.LOOKUP_PATH}/{name}", None)["data"]
        names = ((row.get("attributes") or {}).get("name") or row.get("id") for row in rows if isinstance(row, dict))
        return [str(name) for name in names if name]

    def credits_used(self) -> int | None:
        """Records bought on this account so far, as its usage page counts them; None where it may not be read."""
        try:
            document = self._call("GET", settings.USAGE_PATH)
        except Forbidden:
            return None
        return usage_of(document)

    def _document(
        self,
        path: str,
        data: Any,
        *,
        params: Mapping[str, Any] | None = None,
        is_whole: Callable[[dict[str, Any]], bool] = lambda document: True,
    ) -> dict[str, Any]:
        """A JSON:API document with a list in `data`; one without (seen at gateways) is asked for again."""
        method = "GET" if data is None else "POST"
        for attempt in range(_ATTEMPTS_FOR_A_DOCUMENT):
            document = self._call(method, path, json=None if data is None else {"data": data}, params=params)
            if isinstance(document, dict) and isinstance(document.get("data"), list) and is_whole(document):
                return document
            self.session.retried["an answer without data"] += 1
            self.clock.sleep(2.0**attempt)
        raise Unreachable(f"ZoomInfo: the answer on {path} has no list in `data`, or no total", retryable=True)

    def _call(self, method: str, path: str, **kwargs: Any) -> Any:
        headers = {"Accept": settings.MEDIA_TYPE, "Content-Type": settings.MEDIA_TYPE}
        token = self._token.value()
        try:
            return self._send(method, path, token, headers, kwargs)
        except Unauthorised:
            self._token.discard(token)
            self.session.retried["HTTP 401"] += 1
        return self._send(method, path, self._token.value(), headers, kwargs)

    def _send(self, method: str, path: str, token: str, headers: dict[str, str], kwargs: dict[str, Any]) -> Any:
        bearer = {"Authorization": f"Bearer {token}"}
        return self.session.fetch_json(method, self._base_url + path, headers=headers | bearer, **kwargs)


def is_out_of_credits(error: VendorError) -> bool:
    """Whether a refusal means that the account has no credits left: stop buying, keep searching."""
    if isinstance(error, Forbidden):
        return settings.LEGACY_OUT_OF_CREDITS in error.body
    return isinstance(error, BadRequest) and settings.OUT_OF_CREDITS in error.body


def usage_of(document: Any) -> int | None:
    """Records bought so far, out of a usage page."""
    for entry in _objects_in(document):
        if entry.get("limitType") == "uniqueID" and isinstance(entry.get("currentUsage"), int):
            return int(entry["currentUsage"])
    return None


class _Token:
    """The bearer token, made once for all threads and renewed shortly before its end."""

    def __init__(self, session: PatientSession, url: str, client_id: str, client_secret: str) -> None:
        self._session = session
        self._url = url
        self._credentials = (client_id, client_secret)
        self._lock = threading.Lock()
        self._text = ""
        self._ends_s = 0.0

    def value(self) -> str:
        with self._lock:  # whoever comes while one renews waits for that token instead of asking for another
            if not self._text or self._session.clock.time() >= self._ends_s:
                self._renew()
            return self._text

    def discard(self, text: str) -> None:
        """Forget a token the vendor refused, unless another thread has replaced it already."""
        with self._lock:
            if self._text == text:
                self._text = ""

    def _renew(self) -> None:
        asked_s = self._session.clock.time()
        # `scope` is left out: then all scopes of the app are granted; asking for one it lacks fails the call.
        answer = self._session.fetch_json(
            "POST", self._url, data={"grant_type": "client_credentials"}, auth=self._credentials
        )
        text = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(text, str) or not text:
            raise Unauthorised("ZoomInfo: the token answer holds no access_token", status=200)
        lifetime = answer.get("expires_in")
        is_number = isinstance(lifetime, int | float) and not isinstance(lifetime, bool) and lifetime > 0
        lifetime_s = float(lifetime) if is_number else settings.TOKEN_LIFETIME_S_DEFAULT
        self._text = text
        self._ends_s = asked_s + max(lifetime_s - settings.TOKEN_MARGIN_S, lifetime_s / 2)


def _total(document: Mapping[str, Any]) -> int | None:
    """Rows of the whole search, None where the page does not say; then nobody could tell a gap from an end."""
    meta = document.get("meta")
    total = meta.get("totalResults") if isinstance(meta, dict) else None
    return total if isinstance(total, int) and not isinstance(total, bool) else None


def _next_number(links: Any, number: int) -> int | None:
    """The number of the next page, None at the end; a link that does not lead forward counts as the end."""
    link = links.get("next") if isinstance(links, dict) else None
    found = _PAGE_NUMBER.search(link) if isinstance(link, str) else None
    return int(found[1]) if found and int(found[1]) > number else None


def _objects_in(value: Any) -> Iterator[dict[str, Any]]:
    """All objects in a small document, at any depth: the usage page's envelope is not published."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _objects_in(item)
