"""Simulated Apollo: the routes, keys, credits and limits of the facts sheet, over the people of one seeded world.

Belongs here: which request is answered how; people and what they cost. Does not: JSON shapes (`shapes.py`), filters
(`directory.py`), windows (`limits.py`), keys and credits (`account.py`), companies and saved rows (`workspace.py`),
phones by callback (`callbacks.py`).
Surprise: what costs money is durable (the store keeps it), so a second process sees what the first one spent.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Request, Response

from sources.apollo import answers, shapes
from sources.apollo.account import Account, Key, Switches, standard_keys
from sources.apollo.answers import Body
from sources.apollo.callbacks import Callbacks
from sources.apollo.directory import BadFilter, Directory
from sources.apollo.limits import QUOTAS, FixedWindows
from sources.apollo.poison import poisoned
from sources.apollo.workspace import Workspace
from sources.clock import Clock
from sources.simulation import Fault, Simulator, SimulatorStore, json_response

API = "/api/v1"
Answer = Callable[..., Response]


class ApolloSimulator(Simulator):
    """One Apollo account. `switches` may be changed at any time."""

    name = "apollo"

    def __init__(
        self,
        world: Any,
        clock: Clock,
        store: SimulatorStore | None = None,
        *,
        keys: dict[str, Key] | None = None,
        **switches: Any,
    ) -> None:
        super().__init__(clock, store)
        self.world = world
        self.keys = keys if keys is not None else standard_keys()
        self.switches = Switches(**switches)
        self.account = Account(self.store, self.switches)
        self._windows = FixedWindows()
        self.callbacks = Callbacks(self.store, clock, self.account, lambda row_id: self.directory.people.by_id(row_id))
        self._directory: tuple[int, Directory] | None = None
        self._add_routes()

    @property
    def credits_consumed(self) -> float:
        """Credits spent by the whole team since the store was made."""
        return self.account.consumed

    @property
    def directory(self) -> Directory:
        """The world as it is now; read again when a round of changes has passed."""
        rounds = len(self.world.rounds)
        if self._directory is None or self._directory[0] != rounds:
            self._directory = rounds, Directory(self.world)
        return self._directory[1]

    def before(self, request: Request) -> Response | None:
        self.callbacks.deliver_due()
        key = self.keys.get(request.headers.get("x-api-key", ""))
        if key is None or key.is_revoked:
            return Response(answers.INVALID_KEY, status=401, mimetype="text/plain")
        return None

    def strike(self, fault: Fault, request: Request) -> Response | None:
        """`bom`: a byte order mark before the JSON; `revoke`: the key dies with this request."""
        if fault.effect == "revoke":
            key = self.keys.get(request.headers.get("x-api-key", ""))
            if key is not None:
                key.is_revoked = True
            return None
        if fault.effect == "bom":
            whole = self._route(request)
            return Response(b"\xef\xbb\xbf" + whole.get_data(), status=whole.status_code, mimetype=whole.mimetype)
        return super().strike(fault, request)

    # -- routes ---------------------------------------------------------------------------------------------------

    def _add_routes(self) -> None:
        workspace = Workspace(self.account, lambda: self.directory)
        self._add("POST", "mixed_people/api_search", "search", self._people_search, is_paid_plan=True)
        self._add("POST", "mixed_companies/search", "search", workspace.company_search)
        self._add("POST", "people/match", "enrich", self._match)
        self._add("POST", "people/bulk_match", "enrich", self._bulk_match)
        self._add("GET", "people/<person_id>", "default", self._person)
        self._add(
            "GET", "webhook_result/<request_id>", "default", lambda body, request_id: self.callbacks.result(request_id)
        )
        self._add("POST", "organizations/bulk_enrich", "enrich", workspace.organisation_bulk_enrich)
        self._add("GET", "organizations/enrich", "enrich", workspace.organisation_enrich)
        self._add("GET", "organizations/<company_id>", "default", workspace.organisation)
        self._add("POST", "contacts/search", "default", workspace.contacts_search)
        self._add("POST", "accounts/search", "default", workspace.accounts_search)
        self._add("POST", "usage_stats/credit_usage_stats", "default", lambda body: self.account.credit_stats())
        self._add("POST", "usage_stats/api_usage_stats", "default", lambda body: self.account.api_stats())
        self.route("POST", f"{API}/mixed_people/search", lambda request: answers.error(answers.DEPRECATED))
        self.route("POST", "/v1/<path:rest>", lambda request, rest: answers.error(answers.DEPRECATED))

    def _add(self, method: str, route: str, group: str, answer: Answer, *, is_paid_plan: bool = False) -> None:
        def guarded(request: Request, **values: str) -> Response:
            key = self.keys[request.headers["x-api-key"]]
            if key.scopes is not None and route not in key.scopes:
                return answers.out_of_scope(route)
            if is_paid_plan and key.plan == "free":
                return answers.paid_only(route)
            verdict = self._windows.count(route, QUOTAS[key.plan][group], self.clock.time())
            if verdict.is_over:
                return answers.too_many(route, verdict, has_details=self.switches.has_error_details)
            try:
                response = answer(answers.body_of(request), **values)
            except BadFilter as bad:
                response = answers.error(str(bad))
            response.headers.extend(verdict.headers)
            return response

        self.route(method, f"{API}/{route}", guarded)

    # -- free searches --------------------------------------------------------------------------------------------

    def _people_search(self, body: Body) -> Response:
        places = self.directory.select(body)
        page, rows = answers.page_size(body)
        if page * rows > self.switches.search_rows_max:
            return answers.error(answers.OVER_THRESHOLD)
        people = []
        for place in places[self._slice(page, rows)]:
            row = self.directory.people.row(place)
            people.append(self._spoilt(row["id"], shapes.stub(row, self.directory.employer_of(row)), is_stub=True))
        answer: dict[str, Any] = {"total_entries": len(places), "people": people}
        if self.switches.has_pagination:
            answer["pagination"] = answers.pagination(page, rows, len(places))
        return answers.escaped(answer)

    def _slice(self, page: int, rows: int) -> slice:
        """Where a page lies; with drift it starts with the last row of the page before."""
        start = (page - 1) * rows
        return slice(start - 1 if self.switches.has_drift and start else start, page * rows)

    # -- what costs credits ---------------------------------------------------------------------------------------

    def _match(self, body: Body) -> Response:
        refusal = self.callbacks.refusal(body.get("webhook_url")) if body.get("reveal_phone_number") else None
        if refusal:
            return answers.error(refusal)
        person_id = self._found(body)
        price = self._price([person_id])
        if not self.account.spend(price):
            return answers.error(answers.NO_CREDITS)
        told = None if person_id is None else self._sold(person_id)
        return answers.escaped({"person": told, "request_id": self._asked(body, [person_id])})

    def _bulk_match(self, body: Body) -> Response:
        details = body.get("details")
        if not isinstance(details, list) or not all(isinstance(detail, dict) for detail in details):
            return answers.refused("INVALID_REQUEST", "details must be a list of objects.")
        if len(details) > 10:
            return answers.refused("RECORD_LIMIT_EXCEEDED", "You can enrich at most 10 records in one request.")
        refusal = self.callbacks.refusal(body.get("webhook_url")) if body.get("reveal_phone_number") else None
        if refusal:
            return answers.error(refusal)
        found = [self._found(detail) for detail in details]
        price = self._price(found)
        if not self.account.spend(price):
            return answers.error(answers.NO_CREDITS)
        self.account.charges.update({person_id for person_id in found if person_id and self._price([person_id])})
        request_id = self._asked(body, found)
        return answers.escaped(
            {
                "status": "success",
                "error_code": None,
                "error_message": None,
                "total_requested_enrichments": len(details),
                "unique_enriched_records": int(price),
                "missing_records": found.count(None),
                "credits_consumed": price,
                "matches": self._shuffled(found, request_id),
                "request_id": request_id,
            }
        )

    def _asked(self, body: Body, found: list[str | None]) -> int:
        """The request's number; its phones, where they were asked for, come by callback."""
        request_id = self.account.request_id()
        if body.get("reveal_phone_number"):
            self.callbacks.ask(request_id, body["webhook_url"], found)
        return request_id

    def _shuffled(self, found: list[str | None], request_id: int) -> list[Any]:
        """Out of order; every other miss is dropped, the rest are null."""
        misses = [None] * ((found.count(None) + 1) // 2)
        rows = [self._sold(person_id) for person_id in found if person_id is not None] + misses
        random.Random(f"{self.switches.shuffle_seed}:{request_id}").shuffle(rows)
        return rows

    def _found(self, detail: Body) -> str | None:
        """The person a detail means: by id, by address, by LinkedIn, else by whole name and domain."""
        people = self.directory.people
        person_id = detail.get("id")
        if person_id is None:
            person_id = self._found_by_evidence(detail)
        if person_id is None or person_id not in people.place or person_id in self.switches.obsolete_ids:
            return None
        return str(person_id)

    def _found_by_evidence(self, detail: Body) -> str | None:
        for column in ("email", "linkedin_url"):
            if detail.get(column):
                return self.directory.people.first(column, detail[column])
        people = self.directory.people.values
        name, domain = (detail.get("first_name"), detail.get("last_name")), detail.get("domain")
        candidates = zip(
            *(people[column] for column in ("id", "first_name", "last_name", "organisation_domain")), strict=True
        )
        if not all(name) or not domain:
            return None
        return next((row[0] for row in candidates if row[1:3] == name and row[3] == domain), None)

    def _price(self, found: list[str | None]) -> int:
        """1 for each found person who is not saved; the same person twice in two calls is charged twice."""
        return len({person_id for person_id in found if person_id is not None and not self.account.is_saved(person_id)})

    def _sold(self, person_id: str) -> Any:
        row = self.directory.people.by_id(person_id)
        assert row is not None, person_id
        employer, is_saved = self.directory.employer_of(row), self.account.is_saved(person_id)
        if self.switches.leaks_placeholder and not is_saved:
            told = shapes.unpaid_person(row, employer)
        else:
            told = shapes.person(row, employer, is_saved=is_saved, oddity_share=self.switches.oddity_share)
        return self._spoilt(person_id, told, is_stub=False)

    def _person(self, body: Body, person_id: str) -> Response:
        if self._found({"id": person_id}) is None:
            return answers.error(
                "This is obsolete data." if person_id in self.directory.people.place else "Person does not exist."
            )
        if not self.account.spend(1):
            return answers.error(answers.NO_CREDITS)
        row = self.directory.people.by_id(person_id)
        assert row is not None, person_id
        tell = shapes.person if self.account.is_saved(person_id) else shapes.unpaid_person
        kwargs = {"is_saved": True} if self.account.is_saved(person_id) else {}
        return json_response({"person": tell(row, self.directory.employer_of(row), **kwargs)})

    def _spoilt(self, person_id: str, told: dict[str, Any], *, is_stub: bool) -> Any:
        kind = self.switches.poison.get(person_id)
        if kind is None or kind.startswith("stub_") is not is_stub:
            return told
        return poisoned(told, kind.removeprefix("stub_"))
