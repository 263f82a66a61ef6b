"""What each vendor's calls may cost, and what an answer says they did cost.

Belongs here: paths, prices, the reading of a charge. Does not: reserving and settling (`tollgate.py`), what is bought
(each source).
Surprise: a price is what a call costs at the worst. ZoomInfo's searches tell which records are under management, and
these are free for twelve months; so its tariff reads searches too. UpLead never says what a page cost: its balance
does, and so the charge of a page may hold that of an earlier one whose answer was lost.

Prices: docs.apollo.io (credits), docs.zoominfo.com (credits and usage), docs.uplead.com (credits), read in 2026.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from requests import PreparedRequest

APOLLO_MOBILE_CREDITS = 8  # besides the credit of the person, where a mobile is asked for
_APOLLO_BALANCE = "/api/v1/usage_stats/credit_usage_stats"
_APOLLO_FREE = ("mixed_people/api_search", "contacts/", "accounts/", "usage_stats/", "webhook_result/")
_ZOOMINFO_MATCHED = frozenset({"FULL_MATCH", "CONTACT_ONLY_MATCH", "COMPANY_ONLY_MATCH"})
_UPLEAD_PAGES = ("prospector-search", "prospector-pro-search", "quick-search")
_UPLEAD_RECORDS = ("person-search", "company-search", "combined-search", "company-name-to-domain")
_UPLEAD_ROWS_DEFAULT = 25
_UPLEAD_BILLED = frozenset({"valid", "accept_all"})


@dataclass(frozen=True)
class Call:
    """A call that may cost `price` credits. `asked`: the records it names, where it names any."""

    price: float
    entity: str
    asked: tuple[str, ...] = ()


@dataclass(frozen=True)
class Charge:
    """What an answer cost, and how many records it brought."""

    credits: float
    records: int


class Tariff(Protocol):
    """One vendor's prices."""

    @property
    def balance_path(self) -> str | None:
        """The free call that tells what the account has consumed; None where it is not needed."""

    def price(self, request: PreparedRequest) -> Call | None:
        """What a call may cost; None where it is free."""

    def charge(self, call: Call, answer: Any) -> Charge:
        """What an answer of 2xx did cost."""

    def learn(self, request: PreparedRequest, answer: Any) -> None:
        """Take in what a free answer says of prices."""

    def learns_from(self, request: PreparedRequest) -> bool:
        """Whether `learn` wants this call's answer."""

    def balance(self, answer: Any) -> float | None:
        """Credits consumed as a balance answer tells them: a number that grows with what is spent."""


class ApolloTariff:
    """1 credit a person or company, 8 more for a mobile, 1 a page of the company search."""

    balance_path = _APOLLO_BALANCE

    def price(self, request: PreparedRequest) -> Call | None:
        path, body = _path(request).removeprefix("/api/v1/"), _body(request)
        if path.startswith(_APOLLO_FREE):
            return None
        each = 1 + (APOLLO_MOBILE_CREDITS if body.get("reveal_phone_number") else 0)
        if path == "people/bulk_match":
            details = [detail for detail in _list(body.get("details")) if isinstance(detail, dict)]
            ids = tuple(str(detail["id"]) for detail in details if detail.get("id"))
            return Call(each * len(details), "contact", ids) if details else None
        if path == "organizations/bulk_enrich":
            asked = _list(body.get("domains")) + _list(body.get("details"))
            return Call(len(asked), "organisation") if asked else None
        if path.startswith("people/"):
            return Call(each, "contact", tuple(str(body[name]) for name in ("id",) if body.get(name)))
        if path.startswith("organizations/") or path == "mixed_companies/search":
            return Call(1, "organisation")
        return None

    def charge(self, call: Call, answer: Any) -> Charge:
        told = answer if isinstance(answer, dict) else {}
        if "matches" in told:
            rows = [row for row in _list(told["matches"]) if row is not None]
            consumed = told.get("credits_consumed")
            is_told = isinstance(consumed, int | float) and not isinstance(consumed, bool)
            return Charge(float(consumed) if is_told else call.price, len(rows))  # type: ignore[arg-type]
        found = [value for name, value in told.items() if name in ("person", "organization", "organizations")]
        is_hit = not found or any(found)
        return Charge(call.price if is_hit else 0.0, int(is_hit))

    def learns_from(self, request: PreparedRequest) -> bool:
        return False

    def learn(self, request: PreparedRequest, answer: Any) -> None:
        return

    def balance(self, answer: Any) -> float | None:
        stats = answer.get("credit_usage_stats") if isinstance(answer, dict) else None
        consumed = [kind.get("consumed") for kind in stats.values() if isinstance(kind, dict)] if stats else []
        numbers = [float(one) for one in consumed if isinstance(one, int | float) and not isinstance(one, bool)]
        return sum(numbers) if numbers else None


class ZoomInfoTariff:
    """1 credit a record enriched; nothing for one under management, and nothing for a miss."""

    balance_path = None  # a record charged is under management then, and reading it again is free

    def __init__(self) -> None:
        self._managed: set[tuple[str, str]] = set()

    def price(self, request: PreparedRequest) -> Call | None:
        folder = _zoominfo_folder(request, "enrich")
        if folder is None:
            return None
        attributes = _attributes(_body(request).get("data"))
        inputs: Any = next((value for name, value in attributes.items() if name.startswith("match")), None)
        asked = [_id_of(one) for one in _list(inputs)]
        priced = [row_id for row_id in asked if (folder, row_id) not in self._managed]
        entity = "contact" if folder == "contacts" else "organisation"
        return Call(len(priced), entity, tuple(priced)) if priced else None

    def charge(self, call: Call, answer: Any) -> Charge:
        rows = _list(answer.get("data")) if isinstance(answer, dict) else []
        matched = [row for row in rows if not isinstance(row, dict) or _is_matched(row)]
        folder = "contacts" if call.entity == "contact" else "companies"
        charged = [row for row in matched if not isinstance(row, dict) or (folder, _asked_id(row)) not in self._managed]
        self._managed.update((folder, _asked_id(row)) for row in matched if isinstance(row, dict))
        return Charge(min(float(len(charged)), call.price), len(matched))

    def learns_from(self, request: PreparedRequest) -> bool:
        return _zoominfo_folder(request, "search") is not None

    def learn(self, request: PreparedRequest, answer: Any) -> None:
        folder = _zoominfo_folder(request, "search") or ""
        for row in _list(answer.get("data")) if isinstance(answer, dict) else []:
            status = _attributes(row).get("managementStatus")
            is_managed = isinstance(status, dict) and status.get("underManagement") is True
            if isinstance(row, dict) and is_managed:
                self._managed.add((folder, str(row.get("id"))))

    def balance(self, answer: Any) -> float | None:
        return None


class UpLeadTariff:
    """1 credit a person whose address is valid or accept_all, 1 a company; a record shown again is free."""

    balance_path = None  # rides on every answer

    def __init__(self) -> None:
        self._left: float | None = None

    def price(self, request: PreparedRequest) -> Call | None:
        path, body = _path(request).removeprefix("/v2/"), _body(request)
        if path in _UPLEAD_PAGES:
            status = body.get("email_status")
            statuses = set(status if isinstance(status, list) else [status]) - {None}
            is_free = bool(statuses) and not statuses & _UPLEAD_BILLED and path != "quick-search"
            if str(body.get("count_only", "")).lower() == "true" or is_free:
                return None
            rows = body.get("per_page")
            return Call(int(rows) if isinstance(rows, int) else _UPLEAD_ROWS_DEFAULT, "contact")
        if path in _UPLEAD_RECORDS:
            return Call(2 if path == "combined-search" else 1, "contact" if path == "person-search" else "organisation")
        return None

    def charge(self, call: Call, answer: Any) -> Charge:
        data = answer.get("data", answer) if isinstance(answer, dict) else None
        rows = _list(data.get("results")) if isinstance(data, dict) and "results" in data else [data] if data else []
        left_before, self._left = self._left, _uplead_left(answer)
        if left_before is not None and self._left is not None:
            return Charge(max(left_before - self._left, 0.0), len(rows))
        billed = [row for row in rows if not isinstance(row, dict) or row.get("email_status") in _UPLEAD_BILLED]
        return Charge(min(float(len(billed)), call.price), len(rows))

    def learns_from(self, request: PreparedRequest) -> bool:
        return _path(request) == "/v2/credits"

    def learn(self, request: PreparedRequest, answer: Any) -> None:
        self._left = _uplead_left(answer)

    def balance(self, answer: Any) -> float | None:
        return None


TARIFFS: Mapping[str, Callable[[], Tariff]] = {
    "apollo": ApolloTariff,
    "zoominfo": ZoomInfoTariff,
    "uplead": UpLeadTariff,
}


def _path(request: PreparedRequest) -> str:
    return urlsplit(request.url or "").path


def _body(request: PreparedRequest) -> dict[str, Any]:
    """Parameters of the query (`name[]` is a list) and of a JSON body; the body wins."""
    told: dict[str, Any] = {}
    for name, values in parse_qs(urlsplit(str(request.url or "")).query).items():
        told[name.removesuffix("[]")] = values if name.endswith("[]") else values[-1]
    raw = request.body
    if raw:
        try:
            sent = json.loads(raw)
        except ValueError:
            return told  # a form, such as the one that asks for a token
        told |= {str(name).removesuffix("[]"): value for name, value in sent.items()} if isinstance(sent, dict) else {}
    return told


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _attributes(data: Any) -> dict[str, Any]:
    attributes = data.get("attributes") if isinstance(data, dict) else None
    return attributes if isinstance(attributes, dict) else {}


def _zoominfo_folder(request: PreparedRequest, verb: str) -> str | None:
    parts = _path(request).rsplit("/", 2)
    return parts[1] if len(parts) == 3 and parts[2] == verb else None


def _id_of(asked: Any) -> str:
    told = asked if isinstance(asked, dict) else {}
    return str(told.get("personId") or told.get("companyId") or "")


def _asked_id(row: Mapping[str, Any]) -> str:
    meta = row.get("meta")
    asked = meta.get("input") if isinstance(meta, dict) else None
    return _id_of(asked) or str(row.get("id"))


def _is_matched(row: Mapping[str, Any]) -> bool:
    meta = row.get("meta")
    status = meta.get("matchStatus") if isinstance(meta, dict) else None
    return row.get("type") != "NoMatch" and status in _ZOOMINFO_MATCHED


def _uplead_left(answer: Any) -> float | None:
    """The balance in any of the places where it was seen."""
    told = answer if isinstance(answer, dict) else {}
    data = told.get("data") if isinstance(told.get("data"), dict) else {}
    places: Sequence[Any] = (told.get("userInfo"), data.get("userInfo"), told, data)  # type: ignore[union-attr]
    for place in places:
        if isinstance(place, dict):
            for name in ("availableCredits", "credits"):
                value = place.get(name)
                if isinstance(value, int | float) and not isinstance(value, bool):
                    return float(value)
    return None
