"""A faithful local UpLead: bare keys and plans, billed searches that remember what was bought, envelopes, limits.

Belongs here: routes, keys, credits, envelopes. Does not: what the data are (`directory.py`), how they look
(`shapes.py`), UpLead's logo host.
Surprise: what UpLead does not publish is a switch that starts at the worse case: the memory of what was bought ends
after 90 days, and at zero credits a search is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from sources.clock import Clock
from sources.simulation import Fault, Simulator, SimulatorStore, json_response
from sources.uplead import settings, shapes
from sources.uplead.directory import BadFilter, Directory

API_KEY = "uplead-demo-key"
KEYS = {API_KEY: "professional", "uplead-essentials-key": "essentials", "uplead-paused-key": "paused"}
_GATED = ("prospector-pro-search", "quick-search", "industries", "lists")
_WINDOW_S = 60
_ROWS_DEFAULT, _ROWS_DEFAULT_OF_LISTS = 25, 15
_BRACKETS = re.compile(r"\[\]$")
_POISON: Mapping[str, Callable[[dict[str, Any]], None]] = {
    "NUL": lambda row: row.update(first_name="Nul\x00l"),
    "no id": lambda row: row.update(id=None),
    "huge": lambda row: row.update(title="x" * 300_000),
}


class Refusal(Exception):
    """An answer of status 4xx that ends a request."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status, self.kind, self.message = status, kind, message


class UpLeadSimulator(Simulator):
    """One account on one world.

    Switches: `credits` (balance at the start), `memory_s` (how long a bought record stays free, None for ever),
    `at_zero` (`refuse` with 403 or `empty` results), `over_100` (`refuse` or `clamp` a larger `per_page`),
    `is_flat` (the envelope of third-party specifications), `is_error_text` (errors as plain text), `calls_a_minute`,
    `poison` (id -> "NUL", "no id" or "huge"). Fault effect of its own: `empty_data` (`{"data": {}}`).
    """

    name = "uplead"

    def __init__(
        self,
        world: Any,
        clock: Clock,
        store: SimulatorStore | None = None,
        *,
        credits: int = 10_000_000,
        memory_s: float | None = 90 * 86_400.0,
        at_zero: str = "refuse",
        over_100: str = "refuse",
        is_flat: bool = False,
        is_error_text: bool = False,
        calls_a_minute: int = 500,
        poison: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(clock, store)
        self.world = world
        self.memory_s = memory_s
        self.at_zero = at_zero
        self.over_100 = over_100
        self.is_flat = is_flat
        self.is_error_text = is_error_text
        self.calls_a_minute = calls_a_minute
        self.poison = dict(poison or {})
        self._credits_at_start = credits
        self._used = int(self.store.get("account", "used", 0))
        self._bought: dict[str, float] = self.store.load("bought")
        self._unwritten: list[tuple[str, float]] = []
        self._window: tuple[int, int] = (0, 0)
        self._headers: dict[str, str] = {}
        self._directory: tuple[int, Directory] | None = None
        self._add_routes()

    @property
    def credits_used(self) -> int:
        """Credits charged since the store was made."""
        return self._used

    @property
    def balance(self) -> int:
        """Credits left."""
        return max(self._credits_at_start - self._used, 0)

    @property
    def directory(self) -> Directory:
        """The data of the world's present round; indexed once a round."""
        round_now = len(self.world.rounds)
        if self._directory is None or self._directory[0] != round_now:
            self._directory = round_now, Directory(self.world)
        return self._directory[1]

    def _add_routes(self) -> None:
        handlers: dict[str, Callable[[dict[str, Any]], Response]] = {
            "prospector-search": self._prospector,
            "prospector-pro-search": self._prospector_pro,
            "person-search": self._person,
            "company-search": self._company,
            "combined-search": self._combined,
            "company-name-to-domain": self._name_to_domain,
            "credits": self._credits,
            "industries": self._industries,
            "lists": self._lists,
        }
        for path, handler in handlers.items():
            for method in ("GET", "POST"):
                self.route(method, f"{settings.API_PATH}/{path}", self._answering(handler))

    # -- the gate -------------------------------------------------------------------------------------------------

    def before(self, request: Request) -> Response | None:
        key = request.headers.get("Authorization", "")
        plan = KEYS.get(key)
        if plan is None:
            return self._error(Refusal(401, "unauthorized", "Invalid API key"))
        refused = self._count_call()
        if refused is not None:
            return refused
        path = request.path.removeprefix(f"{settings.API_PATH}/")
        if plan == "paused":
            return self._error(Refusal(403, "forbidden", "Your account is paused"))
        if plan == "essentials" and path.split("/")[0] in _GATED:
            return self._error(Refusal(403, "forbidden", "Your plan does not include this endpoint"))
        return None

    def not_found(self, request: Request) -> Response:
        return self._error(Refusal(404, "not_found", "Not found"))

    def strike(self, fault: Fault, request: Request) -> Response | None:
        if fault.effect == "empty_data":
            return json_response({"data": {}})
        return super().strike(fault, request)

    def _count_call(self) -> Response | None:
        """Fixed windows of a minute; a refused call is not counted."""
        now_s = self.clock.time()
        window = int(now_s // _WINDOW_S)
        used = self._window[1] if self._window[0] == window else 0
        ends_s = (window + 1) * _WINDOW_S
        is_over = used >= self.calls_a_minute
        self._window = (window, used if is_over else used + 1)
        self._headers = {
            "X-RateLimit-Limit": str(self.calls_a_minute),
            "X-RateLimit-Remaining": str(self.calls_a_minute - self._window[1]),
            "X-RateLimit-Reset": str(ends_s),
        }
        if not is_over:
            return None
        self._headers["Retry-After"] = str(int(ends_s - now_s) + 1)
        text = f"Rate limit exceeded. Limit is {self.calls_a_minute} requests per minute."
        return self._error(Refusal(429, "rate_limit", text))

    def _answering(self, handler: Callable[[dict[str, Any]], Response]) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            try:
                return handler(_asked(request))
            except Refusal as refusal:
                return self._error(refusal)
            except BadFilter as wrong:
                return self._error(Refusal(400, "bad_request", str(wrong)))

        return answer

    def _error(self, refusal: Refusal) -> Response:
        error: Any = refusal.message if self.is_error_text else {"type": refusal.kind, "message": refusal.message}
        return json_response({"error": error}, status=refusal.status, headers=self._headers)

    def _success(self, data: Any) -> Response:
        self._write_charges()
        if not self.is_flat:
            body: dict[str, Any] = {"data": data, "userInfo": {"availableCredits": self.balance}}
        elif isinstance(data, dict) and "results" in data:
            body = {**data, "availableCredits": self.balance}
        else:
            body = {"data": data, "availableCredits": self.balance}
        return json_response(body, headers=self._headers)

    # -- searches -------------------------------------------------------------------------------------------------

    def _prospector(self, asked: dict[str, Any]) -> Response:
        if not asked.get("domain"):
            raise Refusal(400, "bad_request", "domain is required")
        return self._search(asked, has_company=False)

    def _prospector_pro(self, asked: dict[str, Any]) -> Response:
        return self._search(asked, has_company=True)

    def _search(self, asked: dict[str, Any], *, has_company: bool) -> Response:
        places = self.directory.select(asked)
        if str(asked.get("count_only", "")).lower() == "true":
            return json_response({"data": {"count": len(places)}}, headers=self._headers)
        number, size = self._paging(asked, _ROWS_DEFAULT)
        last = max(-(-len(places) // size), 1)
        is_broke = self.balance <= 0
        if is_broke and self.at_zero == "refuse":
            raise Refusal(403, "forbidden", "You have no credits left")
        chosen = places[:0] if is_broke else places[(number - 1) * size : number * size]
        rows = [self.directory.contacts.row(int(place)) for place in chosen]
        results = [self._contact(row, has_company=has_company) for row in rows if self._charge_contact(row)]
        is_last = number >= last
        meta = {
            "total": len(places),
            "page": number,
            "next_page": None if is_last else number + 1,
            "previous_page": None if number == 1 else number - 1,
            "first_page": number == 1,
            "last_page": is_last,
        }
        return self._success({"results": results, "meta": meta})

    def _contact(self, row: Mapping[str, Any], *, has_company: bool) -> dict[str, Any]:
        told = shapes.contact(row, self.directory.industry_of(row))
        if has_company:
            company = self.directory.companies.by_id(row["organisation_id"])
            is_hidden = company is None or shapes.is_odd(str(row["id"]), "no company")
            told["company"] = None if is_hidden or company is None else shapes.company(company)
        if row["id"] in self.poison:
            _POISON[self.poison[str(row["id"])]](told)
        return told

    def _paging(self, asked: Mapping[str, Any], size_default: int) -> tuple[int, int]:
        try:
            number, size = int(asked.get("page") or 1), int(asked.get("per_page") or size_default)
        except (TypeError, ValueError) as wrong:
            raise Refusal(400, "bad_request", "page and per_page are numbers") from wrong
        if number < 1 or size < 1 or (size > settings.PAGE_ROWS and self.over_100 == "refuse"):
            raise Refusal(400, "bad_request", f"per_page must be between 1 and {settings.PAGE_ROWS}")
        return number, min(size, settings.PAGE_ROWS)

    # -- look-ups -------------------------------------------------------------------------------------------------

    def _person(self, asked: dict[str, Any]) -> Response:
        has_name = all(asked.get(name) for name in ("first_name", "last_name", "domain"))
        if not (asked.get("id") or asked.get("email") or has_name):
            raise Refusal(400, "bad_request", "email, or first_name, last_name and domain, or id is required")
        row = self.directory.person_by(asked)
        if row is None or not self._charge_contact(row):
            return self._success(None)
        return self._success(self._contact(row, has_company=False))

    def _company(self, asked: dict[str, Any]) -> Response:
        if not (asked.get("domain") or asked.get("company") or asked.get("id")):
            raise Refusal(400, "bad_request", "domain, company or id is required")
        row = self.directory.company_by(
            domain=str(asked.get("domain") or ""),
            name=str(asked.get("company") or ""),
            row_id=str(asked.get("id") or ""),
        )
        if row is None or not self._charge(f"company:{row['id']}", is_billed=True):
            return self._success(None)
        return self._success(shapes.company(row))

    def _combined(self, asked: dict[str, Any]) -> Response:
        if not asked.get("email"):
            raise Refusal(400, "bad_request", "email is required")
        row = self.directory.person_by({"email": asked["email"]})
        if row is None or not self._charge_contact(row):
            return self._success(None)
        return self._success(self._contact(row, has_company=True))

    def _name_to_domain(self, asked: dict[str, Any]) -> Response:
        row = self.directory.company_by(name=str(asked.get("company_name") or ""))
        told = {"company_name": row["name"], "domain": row["domain"]} if row else None
        return self._success(told)

    def _credits(self, asked: dict[str, Any]) -> Response:
        """The one answer without `userInfo`."""
        return json_response({"data": {"email": "ops@example.test", "credits": self.balance}}, headers=self._headers)

    def _industries(self, asked: dict[str, Any]) -> Response:
        text = str(asked.get("text") or "").lower()
        names = sorted({name for name in self.directory.companies.values["industry"] if name and text in name.lower()})
        return self._success([{"id": str(place), "industry_name": name} for place, name in enumerate(names)])

    def _lists(self, asked: dict[str, Any]) -> Response:
        self._paging(asked, _ROWS_DEFAULT_OF_LISTS)
        meta = {"total": 0, "page": 1, "next_page": None, "previous_page": None, "first_page": True, "last_page": True}
        return self._success({"results": [], "meta": meta})

    # -- credits --------------------------------------------------------------------------------------------------

    def _charge_contact(self, row: Mapping[str, Any]) -> bool:
        is_billed = shapes.email_status(row) in settings.BILLED_STATUSES
        return self._charge(f"contact:{row['id']}", is_billed=is_billed)

    def _charge(self, key: str, *, is_billed: bool) -> bool:
        """Take a credit unless the record is free or remembered; False where there is none left."""
        bought_at = self._bought.get(key)
        is_remembered = bought_at is not None and (
            self.memory_s is None or self.clock.time() < bought_at + self.memory_s
        )
        if not is_billed or is_remembered:
            return True
        if self.balance <= 0:
            return False
        self._used += 1
        self._bought[key] = self.clock.time()
        self._unwritten.append((key, self._bought[key]))
        return True

    def _write_charges(self) -> None:
        if self._unwritten:
            self.store.put_many("bought", self._unwritten)
            self.store.put("account", "used", self._used)
            self._unwritten = []


def _asked(request: Request) -> dict[str, Any]:
    """Parameters: JSON on POST, the query string with `name[]` for lists on GET."""
    if request.method == "POST":
        body = request.get_json(silent=True, force=True)
        return body if isinstance(body, dict) else {}
    asked: dict[str, Any] = {}
    for name, values in request.args.lists():
        plain = _BRACKETS.sub("", name)
        asked[plain] = values if plain != name else values[-1]
    return asked
