"""Simulated Apollo's companies, and what a team has saved: contacts and accounts.

Belongs here: `contacts/search`, `accounts/search` (free), and everything about companies (1 credit a page or record).
Does not: people who are not saved (`simulator.py`).
Surprise: saved companies have their own ids, and their search sorts by an update time that it never shows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Response

from sources.apollo import shapes
from sources.apollo.account import Account
from sources.apollo.answers import NO_CREDITS, OVER_THRESHOLD, Body, error, escaped, list_page, page_size, refused
from sources.apollo.directory import Directory
from sources.columns import Columns
from sources.simulation import json_response


class Workspace:
    """Handlers over the directory of the moment."""

    def __init__(self, account: Account, directory: Callable[[], Directory]) -> None:
        self._account = account
        self._directory = directory
        self._remembered: tuple[Directory | None, dict[tuple[Any, ...], list[int]]] = (None, {})

    def contacts_search(self, body: Body) -> Response:
        places = self._saved("people", is_sorted=body.get("sort_by_field") == "contact_updated_at", body=body)
        return self._page("contacts", body, places, self._contact)

    def _contact(self, place: int) -> dict[str, Any]:
        row = self._directory().people.row(place)
        told = shapes.contact(row, self._directory().employer_of(row))
        return told | {"person_id": None} if row["id"] in self._account.switches.handmade_ids else told

    def accounts_search(self, body: Body) -> Response:
        field_name = body.get("sort_by_field")
        if field_name not in (None, "account_updated_at", "account_created_at", "account_last_activity_date"):
            return json_response({"error": "Invalid sort criteria", "skip_alert_dialog": True}, status=422)
        companies = self._directory().companies
        places = self._saved("companies", is_sorted=field_name == "account_updated_at", body=body)
        return self._page("accounts", body, places, lambda place: shapes.account(companies.row(place)))

    def _page(self, name: str, body: Body, places: list[int], tell: Callable[[int], dict[str, Any]]) -> Response:
        page, rows = page_size(body)
        if page * rows > self._account.switches.saved_rows_max:
            return error(OVER_THRESHOLD)
        told = [tell(place) for place in places[(page - 1) * rows : page * rows]]
        return escaped(list_page(name, told, page, rows, len(places)))

    def _saved(self, kind: str, *, is_sorted: bool, body: Body) -> list[int]:
        """Places of what is saved, newest first where a sort is asked for; remembered for one state of the world."""
        directory, is_ascending = self._directory(), bool(body.get("sort_ascending", False))
        if self._remembered[0] is not directory:
            self._remembered = directory, {}
        key = (kind, is_sorted, is_ascending, self._account.switches.saved_share)
        if key not in self._remembered[1]:
            rows: Columns = getattr(directory, kind)
            places = [place for place, row_id in enumerate(rows.values["id"]) if self._account.is_saved(row_id)]
            if is_sorted:
                moments = rows.values["updated_at"]
                places.sort(key=lambda place: moments[place], reverse=not is_ascending)
            self._remembered[1][key] = places
        return self._remembered[1][key]

    def organisation(self, body: Body, company_id: str) -> Response:
        row = self._directory().companies.by_id(company_id)
        if row is None:
            return error("Organization does not exist.")
        return (
            json_response({"organization": shapes.organisation(row)}) if self._account.spend(1) else error(NO_CREDITS)
        )

    def organisation_enrich(self, body: Body) -> Response:
        company_id = self._directory().companies.first("domain", body.get("domain"))
        return self.organisation(body, company_id) if company_id else json_response({"organization": None})

    def organisation_bulk_enrich(self, body: Body) -> Response:
        """At most ten, by domain; 1 credit each that is found, null for a miss."""
        domains = body.get("domains")
        if not isinstance(domains, list) or len(domains) > 10:
            return refused("RECORD_LIMIT_EXCEEDED", "You can enrich at most 10 records in one request.")
        companies = self._directory().companies
        found = [companies.by_id(companies.first("domain", domain)) for domain in domains]
        price = sum(row is not None for row in found)
        if not self._account.spend(price):
            return error(NO_CREDITS)
        told = [None if row is None else shapes.organisation(row) for row in found]
        counts = {"total_requested_domains": len(domains), "unique_enriched_records": price, "credits_consumed": price}
        return json_response(
            {"status": "success", "missing_records": found.count(None), "organizations": told} | counts
        )

    def company_search(self, body: Body) -> Response:
        """1 credit a page, thin rows; saved companies stand under `accounts`, the others under `organizations`."""
        page, rows = page_size(body)
        if page * rows > self._account.switches.search_rows_max:
            return error(OVER_THRESHOLD)
        if not self._account.spend(1):
            return error(NO_CREDITS)
        companies = self._directory().companies
        wanted = {str(value).casefold() for value in body.get("organization_locations") or []}
        domains = set(body.get("q_organization_domains_list") or [])
        places = [
            place
            for place, (country, domain) in enumerate(
                zip(companies.values["country"], companies.values["domain"], strict=True)
            )
            if (not wanted or str(country).casefold() in wanted) and (not domains or domain in domains)
        ]
        shown = [companies.row(place) for place in places[(page - 1) * rows : page * rows]]
        told = list_page(
            "organizations",
            [shapes.thin_organisation(row) for row in shown if not self._account.is_saved(row["id"])],
            page,
            rows,
            len(places),
        )
        told["accounts"] = [shapes.account(row) for row in shown if self._account.is_saved(row["id"])]
        told["model_ids"] = [row["id"] for row in shown]
        return json_response(told)
