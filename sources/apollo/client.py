"""Apollo's HTTP: which call is which, and what its errors mean.

Belongs here: requests, answers as small objects, the classes of errors that only Apollo knows.
Does not: what to ask for (`watch.py`), what to pay for (`purchase.py`), retries and limits (`sources/http.py`).
Surprise: running out of credits is a plain 422 with HTML inside the message; only the word "credit" tells it apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from requests.adapters import BaseAdapter

from sources.apollo import settings
from sources.clock import Clock
from sources.http import BadRequest, Forbidden, PatientSession, VendorError

Filters = Mapping[str, Any]


class OutOfCredits(VendorError):
    """Nothing more can be bought in this credit cycle; not retryable."""


@dataclass(frozen=True)
class Page:
    """One page of a search: the size of the whole, and this page's rows as sent."""

    total: int
    rows: list[Any]


@dataclass(frozen=True)
class Delivery:
    """One answer of `bulk_match`: rows in any order, null for a miss, and what it cost."""

    rows: list[Any]
    credits: float


class ApolloClient:
    """One account. Searches, enrichment and other routes are counted apart by Apollo, so each has its own session."""

    def __init__(self, base_url: str, api_key: str, clock: Clock, *, adapter: BaseAdapter | None = None) -> None:
        self.clock = clock
        self._root = base_url.rstrip("/") + settings.PREFIX
        headers = {"x-api-key": api_key, "accept": "application/json", "cache-control": "no-cache"}
        self._searching = PatientSession(
            vendor="apollo", clock=clock, limits=settings.SEARCH_LIMITS, base_headers=headers
        )
        self._enriching = PatientSession(
            vendor="apollo", clock=clock, limits=settings.ENRICH_LIMITS, base_headers=headers
        )
        self._listing = PatientSession(
            vendor="apollo", clock=clock, limits=settings.DEFAULT_LIMITS, base_headers=headers
        )
        if adapter is not None:
            for session in self.sessions:
                session.mount(base_url, adapter)

    @property
    def sessions(self) -> tuple[PatientSession, PatientSession, PatientSession]:
        """For searches, for enrichment, for all else."""
        return self._searching, self._enriching, self._listing

    @property
    def retried(self) -> Counter[str]:
        """Why we had to ask again, and how often."""
        return self._searching.retried + self._enriching.retried + self._listing.retried

    def note_retry(self, error: VendorError) -> None:
        """Count a purchase that is sent again."""
        self._enriching.retried[error.reason] += 1

    def people(self, filters: Filters, *, page: int) -> Page:
        """One page of the free people search (stubs: id, first name, masked surname, `last_refreshed_at`)."""
        body = {**filters, "page": page, "per_page": settings.PAGE_ROWS}
        answer = self._ask(self._searching, "/mixed_people/api_search", body)
        return Page(_total(answer), _rows(answer, "people"))

    def contacts(self, *, page: int, is_ascending: bool = False) -> Page:
        """One page of the saved contacts, newest first; free."""
        return self._saved("contacts", "contact_updated_at", page, is_ascending)

    def accounts(self, *, page: int, is_ascending: bool = False) -> Page:
        """One page of the saved accounts, newest first, though no row tells when it was updated; free."""
        return self._saved("accounts", "account_updated_at", page, is_ascending)

    def _saved(self, what: str, sort: str, page: int, is_ascending: bool) -> Page:
        order = {"sort_by_field": sort, "sort_ascending": is_ascending}
        answer = self._ask(self._listing, f"/{what}/search", {**order, "page": page, "per_page": settings.PAGE_ROWS})
        return Page(_total(answer), _rows(answer, what))

    def match(self, ids: Sequence[str], *, is_guarded: bool = False) -> Delivery:
        """Enrich people by id; 1 credit for each that is found and not saved in the workspace.

        Raises:
            OutOfCredits: the balance does not cover the request.
            VendorError: among others where the answer was lost or cannot be read, although it may have been charged.

        The same person bought twice is charged twice. So it is not sent again here, unless it `is_guarded` by a
        tollgate, which asks the balance before each attempt.
        """
        body = {"details": [{"id": person_id} for person_id in ids]}
        try:
            answer = self._ask(self._enriching, "/people/bulk_match", body, is_charged=not is_guarded)
        except BadRequest as error:
            if error.status == 422 and "credit" in error.body.lower():
                raise OutOfCredits("apollo: out of credits", status=422) from error
            raise
        return Delivery(_rows(answer, "matches"), _number(answer.get("credits_consumed")))

    def credits_left(self) -> float | None:
        """The lead credits left in this cycle, for nothing; None where the key may not ask, or Apollo does not say."""
        try:
            answer = self._ask(self._listing, "/usage_stats/credit_usage_stats", {})
        except Forbidden:
            return None
        stats = answer.get("credit_usage_stats")
        lead = stats.get("lead_credit") if isinstance(stats, dict) else None
        left = lead.get("left_over") if isinstance(lead, dict) else None
        return float(left) if isinstance(left, int | float) and not isinstance(left, bool) else None

    def _ask(
        self, session: PatientSession, path: str, body: dict[str, Any], *, is_charged: bool = False
    ) -> dict[str, Any]:
        answer = session.fetch_json("POST", self._root + path, json=body, is_charged=is_charged)
        if not isinstance(answer, dict):
            raise VendorError(f"apollo: {path} answered with a {type(answer).__name__} instead of an object")
        return answer


def _total(answer: Mapping[str, Any]) -> int:
    """Documented at the top; some accounts still see it under `pagination`."""
    pagination = answer.get("pagination")
    nested = pagination.get("total_entries") if isinstance(pagination, dict) else None
    found = answer.get("total_entries", nested)
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        raise VendorError("apollo: the search tells no total_entries")
    try:
        return int(found)
    except (ValueError, OverflowError) as error:
        raise VendorError("apollo: total_entries of the search is no number") from error


def _rows(answer: Mapping[str, Any], key: str) -> list[Any]:
    rows = answer.get(key)
    if not isinstance(rows, list):
        raise VendorError(f"apollo: {key} is a {type(rows).__name__} instead of a list")
    return rows


def _number(value: Any) -> float:
    """A count of credits; may be fractional or text, and counts as 0 where it cannot be read."""
    try:
        return max(float(value), 0.0)
    except (TypeError, ValueError):
        return 0.0
