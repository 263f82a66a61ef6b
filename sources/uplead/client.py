"""UpLead's API: the bare key, tolerant envelopes, pages with their balance.

Belongs here: what a call looks like and what its answer says. Does not: what is walked and kept (`visit.py`), retries
and limits (`sources/http.py`).
Surprise: UpLead publishes prose only, and specifications written by others differ from it. So a body is read in both
forms (`data` around everything, or flat), and an answer that fits neither is asked for again instead of read as empty.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sources.clock import Clock
from sources.http import PatientSession, Unreachable
from sources.limiter import RateLimit
from sources.uplead import settings

_ATTEMPTS_FOR_A_DOCUMENT = 4


@dataclass(frozen=True)
class ContactPage:
    """One page; `balance` is the credits left after it, None where the answer does not say."""

    rows: list[Any]
    rows_total: int
    next_number: int | None
    balance: int | None


class UpLeadClient:
    """One key. `base_url` is the host, with or without `/v2`."""

    def __init__(
        self, base_url: str, api_key: str, clock: Clock, *, limits: Sequence[RateLimit] = settings.RATE_LIMITS
    ) -> None:
        self.clock = clock
        # The key goes bare: `Bearer <key>` is a 401.
        self.session = PatientSession(
            vendor="UpLead", clock=clock, limits=limits, base_headers={"Authorization": api_key}
        )
        self._base_url = base_url.rstrip("/").removesuffix(settings.API_PATH)

    def credits(self) -> int:
        """The balance; free."""
        for _ in range(_ATTEMPTS_FOR_A_DOCUMENT):
            document = self._fetch("GET", settings.CREDITS_PATH)
            data = document.get("data")
            balance = _whole((data if isinstance(data, dict) else document).get("credits"))
            if balance is not None:
                return balance
        raise Unreachable("UpLead: the balance is missing from /credits", retryable=True)

    def count(self, path: str, filters: Mapping[str, Any]) -> int | None:
        """How many rows a search has; free. None where UpLead does not say."""
        document = self._fetch("POST", path, json={**filters, "count_only": True})
        data = document.get("data")
        return _whole((data if isinstance(data, dict) else document).get("count"))

    def contacts(self, path: str, filters: Mapping[str, Any], number: int = 1) -> ContactPage:
        """One page of a search; costs a credit for each billed row that this key has not bought before."""
        asked = {**filters, "page": number, "per_page": settings.PAGE_ROWS}
        for attempt in range(_ATTEMPTS_FOR_A_DOCUMENT):
            document = self._fetch("POST", path, json=asked)
            page = _page_of(document, number)
            if page is not None:
                return page
            self.session.retried["an answer without data"] += 1
            self.clock.sleep(2.0**attempt)
        raise Unreachable(f"UpLead: the answer on {path} has no results", retryable=True)

    def company(self, domain: str) -> tuple[dict[str, Any] | None, int | None]:
        """The company of a domain and the balance; a credit the first time, nothing for a miss."""
        document = self._fetch("POST", settings.COMPANY_SEARCH_PATH, json={"domain": domain})
        data = document.get("data")
        return (data if isinstance(data, dict) and data else None), _balance(document)

    def _fetch(self, method: str, path: str, **kwargs: Any) -> dict[str, Any]:
        document = self.session.fetch_json(method, self._base_url + path, **kwargs)
        return document if isinstance(document, dict) else {}


def _page_of(document: Mapping[str, Any], number: int) -> ContactPage | None:
    """The page in either envelope; None where there is none. `data: null` is an empty page."""
    data = document.get("data", document)
    if data is None:
        return ContactPage([], 0, None, _balance(document))
    rows = data.get("results") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        return None
    meta = data.get("meta") or document.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    total = _whole(meta.get("total"))
    if total is None:
        return None
    following = _whole(meta.get("next_page"))
    is_last = meta.get("last_page") is True or not rows or following is None
    is_past_end = number >= math.ceil(total / settings.PAGE_ROWS)
    goes_on = not is_last and not is_past_end and following is not None and following > number
    return ContactPage(rows, total, following if goes_on else None, _balance(document))


def _balance(document: Mapping[str, Any]) -> int | None:
    """The balance that rides on every billed answer, in any of the three places where it was seen."""
    data = document.get("data")
    nested = data.get("userInfo") if isinstance(data, dict) else None
    for place in (document.get("userInfo"), nested, document):
        if isinstance(place, dict) and _whole(place.get("availableCredits")) is not None:
            return _whole(place["availableCredits"])
    return None


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and value == value else None
