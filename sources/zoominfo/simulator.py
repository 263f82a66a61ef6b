"""A faithful local ZoomInfo (GTM surface): tokens, JSON:API, search with its cap, paid enrich, usage, limits.

Belongs here: routes, authentication, credits. Does not: what the data are (`catalogue.py`), how they look
(`shapes.py`), the rate windows (`windows.py`), the legacy surface (`legacy_simulator.py`).
Surprise: what is not known of the real service is a switch that starts at the worse case, so `meta.page.total` counts
the rows of the page, as seen live, and not the pages, as documented.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from sources.clock import Clock
from sources.simulation import Fault, Simulator, SimulatorStore, json_response
from sources.zoominfo import settings, shapes
from sources.zoominfo.catalogue import Catalogue, UnknownFilter
from sources.zoominfo.legacy_simulator import Legacy
from sources.zoominfo.windows import PACKAGES, SlidingWindows

CLIENT_ID = "zi-demo-client"
CLIENT_SECRET = "zi-demo-secret"
MANAGED_S = 365 * 86_400.0  # a record once bought is free for twelve months
_ROUTES = {"contacts": settings.CONTACT, "companies": settings.COMPANY}
_KINDS = {"contacts": "contact", "companies": "company"}
_ENTITIES = {"contact": settings.CONTACT, "company": settings.COMPANY}
_CALLS_MAX = 1_000_000_000  # calls of a package; never reached here
_REPEAT_EVERY = 7  # every seventh page starts with the last row of the page before it
_POISON = {
    "NUL": lambda row: row["attributes"].update(firstName="Nul\x00l"),
    "no id": lambda row: row.update(id=None),
    "huge": lambda row: row["attributes"].update(jobTitle="x" * 300_000),
    "nameless": lambda row: row.update(id=None, meta={"matchStatus": "FULL_MATCH"}),
}
_PAID = "paid "


class Refusal(Exception):
    """An answer of status 4xx that ends a request; `code` is ZoomInfo's."""

    def __init__(self, code: str, detail: str, *, status: int = 400, pointer: str = "/data/attributes") -> None:
        super().__init__(detail)
        self.code, self.detail, self.status, self.pointer = code, detail, status, pointer


class ZoomInfoSimulator(Simulator):
    """One account on one world.

    Switches: `credits` (records that may be bought), `rows_max` (the cap of a query), `token_s` (life of a token),
    `package` (rate limits), `is_page_total_rows` (what `meta.page.total` counts), `has_repeats` (rows that come
    twice), `opted_out` (ids that enrich refuses), `poison` (id -> "NUL", "no id" or "huge", in search and enrich;
    "paid NUL", "paid nameless" or "paid huge", in enrich alone).
    Fault effects of its own: `revoke` (all tokens end), `no_data` (a body without `data`).
    """

    name = "zoominfo"

    def __init__(
        self,
        world: Any,
        clock: Clock,
        store: SimulatorStore | None = None,
        *,
        credits: int = 10_000_000,
        rows_max: int = settings.SEARCH_ROWS_MAX,
        token_s: int = 3_600,
        package: str = "builder",
        is_page_total_rows: bool = True,
        has_repeats: bool = True,
        opted_out: frozenset[str] = frozenset(),
        poison: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(clock, store)
        self.world = world
        self.credits = credits
        self.rows_max = rows_max
        self.token_s = token_s
        self.is_page_total_rows = is_page_total_rows
        self.has_repeats = has_repeats
        self.opted_out = opted_out
        self.poison = dict(poison or {})
        self.windows = SlidingWindows(PACKAGES[package])
        self._tokens: dict[str, float] = {}
        self._bought: dict[str, dict[str, float]] = {
            kind: self.store.load(f"bought {kind}") for kind in _KINDS.values()
        }
        self._bought_version = 0
        self._unwritten: list[tuple[str, float]] = []
        self._used = int(self.store.get("account", "used", 0))
        self._catalogue: tuple[int, Catalogue] | None = None
        self._rate_headers: dict[str, str] = {}
        self.legacy = Legacy(self)
        self.route("POST", settings.TOKEN_PATH, self._token)
        for folder in _ROUTES:
            self.route("POST", f"{settings.DATA_PATH}/{folder}/search", self._answering(self._search, folder))
            self.route("POST", f"{settings.DATA_PATH}/{folder}/enrich", self._answering(self._enrich, folder))
        self.route("GET", f"{settings.LOOKUP_PATH}/<name>", self._lookup)
        self.route("GET", settings.USAGE_PATH, self._usage)

    @property
    def credits_used(self) -> int:
        """Credits charged since the store was made."""
        return self._used

    @property
    def catalogue(self) -> Catalogue:
        """The data of the world's present round; indexed once a round."""
        round_now = len(self.world.rounds)
        if self._catalogue is None or self._catalogue[0] != round_now:
            self._catalogue = round_now, Catalogue(self.world)
        return self._catalogue[1]

    # -- the gate -------------------------------------------------------------------------------------------------

    def before(self, request: Request) -> Response | None:
        is_let_in, self._rate_headers = self.windows.count(self.clock.time())
        if not is_let_in:
            return self._gateway("ZI0004", "Rate limit exceeded", 429, is_retryable=True)
        if request.path == settings.TOKEN_PATH:
            return None
        if self.legacy.owns(request.path):
            return self.legacy.before(request)
        if not request.headers.get("User-Agent"):
            return self._gateway("ZI0002", "Forbidden", 403)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        ends_s = self._tokens.get(token)
        if ends_s is None:
            return self._gateway("ZI0001", "Invalid access token", 401)
        if self.clock.time() >= ends_s:
            return self._gateway("ZI0001", "Access token expired", 401, is_retryable=True)
        if settings.MEDIA_TYPE not in request.headers.get("Accept", ""):
            return json_response({"title": "Not Acceptable"}, status=406, headers=self._rate_headers)
        return None

    def not_found(self, request: Request) -> Response:
        return self._gateway("ZI9998", "No such route or verb", 404)

    def strike(self, fault: Fault, request: Request) -> Response | None:
        if fault.effect == "revoke":
            self.revoke_tokens()
            return None
        if fault.effect == "no_data":
            return self._document({"meta": {}})
        return super().strike(fault, request)

    def revoke_tokens(self) -> None:
        """End every token now."""
        self._tokens.clear()
        self.legacy.revoke()

    def _gateway(self, code: str, message: str, status: int, *, is_retryable: bool = False) -> Response:
        error = {"code": code, "message": message, "status": status, "requestId": "sim", "retryable": is_retryable}
        return json_response({"error": error}, status=status, headers=self._rate_headers)

    def _refuse(self, refusal: Refusal) -> Response:
        error = {"id": "sim", "code": refusal.code, "status": str(refusal.status), "title": "Bad Request"}
        error |= {"detail": refusal.detail, "source": {"pointer": refusal.pointer}}  # type: ignore[dict-item]
        body = {"title": "Bad Request", "detail": refusal.detail, "errors": [error]}
        return json_response(body, status=refusal.status, headers=self._rate_headers, mimetype=settings.MEDIA_TYPE)

    def _document(self, body: dict[str, Any]) -> Response:
        return json_response(body, headers=self._rate_headers, mimetype=settings.MEDIA_TYPE)

    # -- tokens ---------------------------------------------------------------------------------------------------

    def _token(self, request: Request) -> Response:
        self.counters["token calls"] += 1
        basic = request.authorization
        client_id = basic.username if basic else request.form.get("client_id")
        secret = basic.password if basic else request.form.get("client_secret")
        if (client_id, secret) != (CLIENT_ID, CLIENT_SECRET):
            return json_response(
                {"error": "invalid_client", "error_description": "Client authentication failed"}, status=401
            )
        if request.form.get("grant_type") != "client_credentials":
            body = {"error": "unauthorized_client", "error_description": "The grant is not enabled for this app"}
            return json_response(body, status=400)
        if request.form.get("scope"):
            return json_response({"error": "invalid_scope", "error_description": "Scope not granted"}, status=400)
        ends_s = self.clock.time() + self.token_s
        token = self.token_for(CLIENT_ID, ends_s)
        self._tokens[token] = ends_s
        return json_response({"access_token": token, "token_type": "Bearer", "expires_in": self.token_s})

    def token_for(self, subject: str, ends_s: float) -> str:
        return _jwt({"sub": subject, "exp": int(ends_s), "jti": self.counters["token calls"]})

    # -- search ---------------------------------------------------------------------------------------------------

    def _answering(self, handler: Callable[[Request, str], Response], folder: str) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            try:
                return handler(request, folder)
            except Refusal as refusal:
                return self._refuse(refusal)

        return answer

    def _search(self, request: Request, folder: str) -> Response:
        kind = _KINDS[folder]
        query = _attributes(request, _ROUTES[folder].search_type)
        if kind == "contact" and not query:
            raise Refusal("PFAPI0004", "At least one search criterion is required")
        number, size = _paging(request)
        try:
            places = self.places(kind, query, request.args.get("sort", ""))
        except UnknownFilter as unknown:
            raise Refusal("PFAPI0005", f"Attribute not allowed: {unknown}") from unknown
        except ValueError as wrong:
            raise Refusal("PFAPI0008", "Wrong type of value") from wrong
        self._check_page(number, size, len(places))
        reach = min(len(places), self.rows_max)
        rows = [self.hit(kind, int(place)) for place in places[(number - 1) * size : min(number * size, reach)]]
        if self.has_repeats and number % _REPEAT_EVERY == 0 and rows:
            rows.insert(0, self.hit(kind, int(places[(number - 1) * size - 1])))
        page_total = len(rows) if self.is_page_total_rows else -(-len(places) // size)
        return self._document(
            {
                "data": rows,
                "links": _links(request.path, number, size, is_last=number * size >= reach),
                "meta": {"totalResults": len(places), "page": {"number": number, "total": page_total}},
            }
        )

    def places(self, kind: str, query: Mapping[str, Any], sort: str) -> Any:
        """Rows that meet a query, sorted. Raises UnknownFilter or ValueError as the catalogue does."""
        return self.catalogue.select(kind, query, lambda: self._managed(kind), self._bought_version, sort)

    def _check_page(self, number: int, size: int, rows: int) -> None:
        if number > settings.PAGE_NUMBER_MAX:
            raise Refusal("PFAPI0002", "page[number] must not be greater than 100", pointer="page[number]")
        if (number - 1) * size >= self.rows_max:
            raise Refusal("PFAPI0006", f"Total results cannot exceed {self.rows_max}", pointer="page[number]")
        if number > 1 and (number - 1) * size >= rows:
            raise Refusal("PFAPI0004", "Page is beyond the results", pointer="page[number]")

    def hit(self, kind: str, place: int) -> dict[str, Any]:
        """A row of the free search."""
        catalogue = self.catalogue
        if kind == "contact":
            row = catalogue.contacts.row(place)
            hit = shapes.contact_hit(
                row, catalogue.companies.by_id(row["organisation_id"]), self._is_managed(kind, row["id"])
            )
        else:
            row = catalogue.companies.row(place)
            is_managed = self._is_managed(kind, row["id"])
            bought_at = datetime.fromtimestamp(self._bought[kind][row["id"]], UTC) if is_managed else None
            hit = shapes.company_hit(row, is_managed, bought_at.date().isoformat() if bought_at else None)
        spoil = _POISON.get(self.poison.get(row["id"], ""))
        if spoil is not None:
            spoil(hit)
        return hit

    # -- enrich ---------------------------------------------------------------------------------------------------

    def _enrich(self, request: Request, folder: str) -> Response:
        kind, routes = _KINDS[folder], _ROUTES[folder]
        attributes = _attributes(request, routes.enrich_type)
        inputs, fields = attributes.get(routes.inputs_key), attributes.get("outputFields")
        if not isinstance(inputs, list) or not inputs:
            raise Refusal("PFAPI0004", f"{routes.inputs_key} is required")
        if len(inputs) > settings.ENRICH_INPUTS_MAX:
            raise Refusal("PFAPI0002", f"{routes.inputs_key} takes at most {settings.ENRICH_INPUTS_MAX} inputs")
        if not isinstance(fields, list) or not fields:
            raise Refusal("PFAPI0003", "outputFields is required")
        unknown = sorted(set(map(str, fields)) - set(routes.output_fields))
        if unknown:
            raise Refusal("PFAPI0001", f"Fields not allowed: {', '.join(unknown)}")
        if self.is_broke(kind, inputs):
            raise Refusal(settings.OUT_OF_CREDITS, "Credit limit reached")
        return self._document({"data": self.sold(kind, inputs, fields, attributes.get("requiredFields") or [])})

    def is_broke(self, kind: str, inputs: list[Any]) -> bool:
        """Whether credits are used up and some of the inputs would cost one."""
        id_key = _ENTITIES[kind].id_key
        return self._used >= self.credits and not all(self._is_free(kind, asked, id_key) for asked in inputs)

    def sold(
        self, kind: str, inputs: list[Any], fields: list[Any], required: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """One item for each input, charged for."""
        id_key, names = _ENTITIES[kind].id_key, frozenset(map(str, fields))
        items = [self._match(kind, asked, id_key, names, list(required)) for asked in inputs]
        self._write_charges(kind)
        return items

    def _match(self, kind: str, asked: Any, id_key: str, fields: frozenset[str], required: list[str]) -> dict[str, Any]:
        asked = asked if isinstance(asked, dict) else {}
        row_id = str(asked.get(id_key, ""))
        table = self.catalogue.contacts if kind == "contact" else self.catalogue.companies
        row = table.by_id(row_id)
        if row is None:
            return shapes.miss(asked)
        if row_id in self.opted_out:
            return shapes.miss(asked, "OPT_OUT")
        if kind == "contact":
            employer = self.catalogue.companies.by_id(row["organisation_id"])
            item = shapes.contact(row, employer, fields, asked)
        else:
            item = shapes.company(row, self.catalogue.companies.by_id(row["parent_id"]), fields, asked)
        if any(name not in item["attributes"] for name in required):
            return shapes.miss(asked, "NON_MATCH_BY_REQUIRED_FIELDS")
        if not self._charge(kind, row_id):
            return shapes.miss(asked, "LIMIT_EXCEEDED")
        spoil = _POISON.get(self.poison.get(row_id, "").removeprefix(_PAID))
        if spoil is not None:
            spoil(item)
        return item

    def _is_free(self, kind: str, asked: Any, id_key: str) -> bool:
        row_id = str(asked.get(id_key, "")) if isinstance(asked, dict) else ""
        table = self.catalogue.contacts if kind == "contact" else self.catalogue.companies
        return self._is_managed(kind, row_id) or table.by_id(row_id) is None

    def _charge(self, kind: str, row_id: str) -> bool:
        """Take a credit unless the record is under management; False where there is none left."""
        if self._is_managed(kind, row_id):
            return True
        if self._used >= self.credits:
            return False
        self._used += 1
        self._bought[kind][row_id] = self.clock.time()
        self._bought_version += 1
        self._unwritten.append((row_id, self._bought[kind][row_id]))
        return True

    def _write_charges(self, kind: str) -> None:
        """Keep the charges of one call, in one transaction each: a store a record would be the slowest part."""
        if self._unwritten:
            self.store.put_many(f"bought {kind}", self._unwritten)
            self.store.put("account", "used", self._used)
            self._unwritten = []

    def _is_managed(self, kind: str, row_id: str) -> bool:
        bought_at = self._bought[kind].get(row_id)
        return bought_at is not None and self.clock.time() < bought_at + MANAGED_S

    def _managed(self, kind: str) -> set[str]:
        return {row_id for row_id in self._bought[kind] if self._is_managed(kind, row_id)}

    # -- free routes ----------------------------------------------------------------------------------------------

    def _lookup(self, request: Request, name: str) -> Response:
        values = self.catalogue.values(name)
        if values is None:
            return self.not_found(request)
        return self._document(
            {"data": [{"id": value, "type": "Lookup", "attributes": {"name": value}} for value in values]}
        )

    def _usage(self, request: Request) -> Response:
        return self._document({"data": {"type": "Usage", "attributes": self.usage()}})

    def usage(self) -> dict[str, Any]:
        """The account's three limits."""
        left = max(self.credits - self._used, 0)
        calls = self.counters["200"]
        usage = [
            {
                "limitType": "request",
                "totalLimit": _CALLS_MAX,
                "currentUsage": calls,
                "usageRemaining": _CALLS_MAX - calls,
            },
            {"limitType": "record", "totalLimit": self.credits, "currentUsage": self._used, "usageRemaining": left},
            {"limitType": "uniqueID", "totalLimit": self.credits, "currentUsage": self._used, "usageRemaining": left},
        ]
        return {"usage": usage}


def _attributes(request: Request, expected_type: str) -> dict[str, Any]:
    """The attributes of a JSON:API request; refused where the envelope is wrong."""
    body = request.get_json(silent=True, force=True)
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, dict) or data.get("type") != expected_type:
        raise Refusal("PFAPI0003", f"The body must be {{data: {{type: {expected_type}, attributes}}}}", pointer="/data")
    attributes = data.get("attributes")
    return attributes if isinstance(attributes, dict) else {}


def _paging(request: Request) -> tuple[int, int]:
    try:
        number, size = int(request.args.get("page[number]", 1)), int(request.args.get("page[size]", 25))
    except ValueError as wrong:
        raise Refusal("PFAPI0008", "Paging values are numbers", pointer="page") from wrong
    if number < 1 or not 1 <= size <= settings.PAGE_ROWS:
        raise Refusal("PFAPI0002", "page[number] from 1, page[size] 1 to 100", pointer="page")
    return number, size


def _links(path: str, number: int, size: int, *, is_last: bool) -> dict[str, str]:
    """Links as seen live: a `uri=` prefix, no host, and no `next` on the last page."""

    def link(to: int) -> str:
        return f"uri={path}?page[number]={to}&page[size]={size}"

    links = {"first": link(1)}
    if number > 1:
        links["prev"] = link(number - 1)
    if not is_last:
        links["next"] = link(number + 1)
    return links


def _jwt(claims: Mapping[str, Any]) -> str:
    """A signed token in the real shape; only the simulator ever checks it."""
    parts = [_base64({"alg": "HS256", "typ": "JWT"}), _base64(claims)]
    signature = hmac.digest(b"simulator", ".".join(parts).encode(), hashlib.sha256)
    return ".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=").decode()])


def _base64(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
