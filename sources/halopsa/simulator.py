"""A faithful local HaloPSA: sign-in, rate limit, Client, Site, Users and their definitions, with its real manners.

Belongs here: HTTP, tokens, the rolling limit, faults. Does not: records (`simulator_records.py`), reading them
(`simulator_lists.py`), the change log (`simulator_audit.py`), the knobs (`simulator_modes.py`), the first content
(`simulator_seed.py`).
Surprise: there is no /api/Contact, error bodies have a different shape every time, and an answer to many records shows
the last one only. `/_sim/...` is for tests and costs no budget; product code never calls it.

Left for later issues: Opportunities, ExternalLink, Webhook, Notification, Report (404 for now).
"""

from __future__ import annotations

import hashlib
import json
import random
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from sources.clock import Clock
from sources.halopsa.simulator_lists import HaloLists
from sources.halopsa.simulator_modes import HaloModes
from sources.halopsa.simulator_names import AGENTS, API_AGENT, LIST_KEY, RESOURCES, TOPLEVELS
from sources.halopsa.simulator_records import HaloFixture, HaloRecords, Refused, Row
from sources.halopsa.simulator_seed import fixture_of
from sources.simulation import DropConnection, Fault, Simulator, SimulatorStore, json_response

_ANONYMOUS = ("/auth/token", "/api/AuthInfo", "/api/InstanceInfo")
# Paths are case-insensitive at Halo; the log and the fault script know them in one spelling.
_PARTS = (
    "api",
    "auth",
    "token",
    *RESOURCES,
    "AuthInfo",
    "InstanceInfo",
    "FieldInfo",
    "TopLevel",
    "Audit",
    "Agent",
    "me",
)
_SPELLING = {part.lower(): part for part in _PARTS}


class HaloSimulator(Simulator):
    """One tenant. `world_or_fixture`: a world (its `halo()` view), a `HaloFixture`, or None for an empty tenant.

    Faults beyond the base's: `timeout_after_apply`, `reset_after_apply` (both: done, then the connection dies),
    `apply_late` (a POST: the connection dies at once, it is done `delay_s` later), `html_after_apply`,
    `wrong_content_type`, `expire_token_now`, `revoke_all_tokens`, `partial_batch` (body: index of the element that
    fails), `stale_read` (delay_s: how long new rows stay out of lists), `human_edit` (body: JSON
    object resource, id, field, value), `foreign_duplicate` (body: JSON object resource, id to copy), `drop_page`,
    `shuffle_order`.
    """

    name = "halopsa"

    def __init__(self, world_or_fixture: Any, clock: Clock, store: SimulatorStore | None = None, **modes: Any) -> None:
        super().__init__(clock, store)
        self.modes = HaloModes(**modes)
        is_world = hasattr(world_or_fixture, "halo")
        fixture = fixture_of(world_or_fixture, self.modes) if is_world else world_or_fixture or HaloFixture()
        self.records = HaloRecords(self.modes, clock, self.store, fixture)
        self.lists = HaloLists(self.records)
        self._tokens: dict[str, tuple[float, str]] = {}  # token -> (dies at, scope)
        self._signed_in = 0
        self._calls_s: deque[float] = deque()
        self._shape = 0  # of the next error body
        self._batch_fail_at: int | None = None
        self._late: list[tuple[float, str, list[Row]]] = []  # (due at, resource, elements) of `apply_late`
        self._dice = random.Random(20260105)
        self._in_flight = 0
        self._in_flight_lock = threading.Lock()
        self._add_routes()

    @property
    def ignored(self) -> Counter[str]:
        """Unknown fields that were posted and unknown query parameters, counted; ours must stay empty."""
        return self.records.ignored + self.lists.ignored

    def records_by_golden_id(self, resource: str) -> Counter[str]:
        """How many records carry each golden id; every count should be one."""
        fields = (self.records.custom_fields_of(resource, row) for row in self.records.rows[resource].values())
        values = (item["value"] for items in fields for item in items if item["name"] == self.modes.golden_id_field)
        return Counter(str(value) for value in values if value)

    # -- requests -------------------------------------------------------------------------------------------------

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        parts = environ["PATH_INFO"].split("/")
        environ["PATH_INFO"] = "/".join(_SPELLING.get(part.lower(), part) for part in parts)
        with self._in_flight_lock:
            self._in_flight += 1
            is_crowded = self.modes.concurrency_max is not None and self._in_flight > self.modes.concurrency_max
        try:
            if is_crowded:
                return Response("Service Unavailable", status=503)(environ, start_response)
            return super().__call__(environ, start_response)
        finally:
            with self._in_flight_lock:
                self._in_flight -= 1

    def before(self, request: Request) -> Response | None:
        self.land()
        if request.path.startswith("/_sim/"):
            return None
        limited = self._over_limit()
        if limited is not None:
            return limited
        if request.path in _ANONYMOUS or not request.path.startswith("/api"):
            return None
        self._delay(request)
        return self._refuse_sign_in(request)

    def not_found(self, request: Request) -> Response:
        return Response("", status=404)

    def _add_routes(self) -> None:
        self.route("POST", "/auth/token", self._token)
        for path in ("/api/AuthInfo", "/api/InstanceInfo"):
            self.route("GET", path, self._info)
        self.route("GET", "/api/FieldInfo", self._field_info)
        self.route("GET", "/api/TopLevel", self._top_level)
        self.route("GET", "/api/Audit", self._audit)
        self.route("GET", "/api/Agent/me", self._agent)
        for resource in RESOURCES:
            for method, path, handler in (
                ("GET", f"/api/{resource}", self._list),
                ("POST", f"/api/{resource}", self._post),
                ("GET", f"/api/{resource}/<int:record_id>", self._detail),
                ("DELETE", f"/api/{resource}/<int:record_id>", self._delete),
            ):
                self.route(method, path, handler)
        self.route("GET", "/_sim/counters", lambda request: json_response(self._counted()))
        self.route("GET", "/_sim/log", lambda request: json_response([asdict(entry) for entry in self.log]))
        self.route("GET", "/_sim/state", lambda request: json_response(self._state()))
        self.route("POST", "/_sim/faults", self._add_fault)

    def _state(self) -> Row:
        return {resource: list(self.records.rows[resource].values()) for resource in RESOURCES}

    def _counted(self) -> Row:
        return {"requests": dict(self.counters), "ignored": dict(self.ignored)}

    def _add_fault(self, request: Request) -> Response:
        self.faults.append(Fault(**json.loads(request.get_data())))
        return json_response({"faults": len(self.faults)})

    # -- signing in, limits ---------------------------------------------------------------------------------------

    def _token(self, request: Request) -> Response:
        form = request.form
        tenant = request.args.get("tenant") or form.get("tenant")
        if tenant is not None and tenant.lower() != self.modes.tenant.lower():
            return Response("", status=500)
        if form.get("grant_type") != "client_credentials":
            return json_response({"error": "unsupported_grant_type"}, status=400)
        if (form.get("client_id"), form.get("client_secret")) != (self.modes.client_id, self.modes.client_secret):
            described = "The specified client credentials are invalid."
            return json_response({"error": "invalid_client", "error_description": described}, status=401)
        scope = self._granted(form.get("scope", ""))
        self._signed_in += 1
        digest = hashlib.sha256(f"{self.modes.tenant} {self._signed_in}".encode()).hexdigest()
        token = f"eyJhbGciOiJSUzI1NiJ9.{digest}.simulated"
        self._tokens[token] = (self.clock.time() + self.modes.token_s, scope)
        about = {"token_type": "Bearer", "expires_in": int(self.modes.token_s), "scope": scope}
        return json_response({"access_token": token, "id_token": "simulated", **about})

    def _granted(self, wanted: str) -> str:
        """What was asked for, cut to what the application may."""
        allowed = self.modes.granted_scope.split()
        return wanted if "all" in allowed else " ".join(part for part in wanted.split() if part in allowed)

    def _refuse_sign_in(self, request: Request) -> Response | None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        dies_at_s, scope = self._tokens.get(token, (0.0, ""))
        if self.clock.time() >= dies_at_s:
            return Response("", status=401, headers={"WWW-Authenticate": "Bearer"})
        if request.path.split("/")[2:3] and request.path.split("/")[2] in RESOURCES:
            needed = "read:customers" if request.method == "GET" else "edit:customers"
            if not {"all", needed} & set(scope.split()):
                return Response("", status=403)
        return None

    def _over_limit(self) -> Response | None:
        """429 where the rolling window is full; else the call is counted."""
        limit, window_s, now_s = self.modes.limit_calls, self.modes.limit_window_s, self.clock.time()
        while self._calls_s and self._calls_s[0] <= now_s - window_s:
            self._calls_s.popleft()
        if limit is None or len(self._calls_s) < limit:
            self._calls_s.append(now_s)
            return None
        free_at_s = self._calls_s[0] + window_s
        if self.modes.do_rejected_calls_count:
            self._calls_s.append(now_s)
        headers = {}
        if self.modes.retry_after == "seconds":
            headers["Retry-After"] = str(int(free_at_s - now_s) + 1)
        elif self.modes.retry_after == "http-date":
            free_at = self.clock.now() + timedelta(seconds=int(free_at_s - now_s) + 2)
            headers["Retry-After"] = format_datetime(free_at, usegmt=True)
        text = f"You have exceeded the rate limit of {limit} requests per {int(window_s / 60)} minutes."
        self._shape += 1
        return json_response(text if self._shape % 2 else {"error": text}, status=429, headers=headers)

    def _delay(self, request: Request) -> None:
        """Latency that nobody measured: our own guess, off by default."""
        if self.modes.latency == "realistic":
            middle_s = 0.09 if request.method == "POST" else 0.12
            self.clock.sleep(middle_s * self._dice.lognormvariate(0.0, 0.4))

    # -- handlers -------------------------------------------------------------------------------------------------

    def _info(self, request: Request) -> Response:
        return json_response({"auth_url": f"{request.host_url}auth", "tenant_id": self.modes.tenant})

    def _field_info(self, request: Request) -> Response:
        typeid = request.args.get("typeid")
        rows = self.records.definitions
        return json_response([row for row in rows if typeid is None or str(row["typeid"]) == typeid])

    def _top_level(self, request: Request) -> Response:
        tree = [{"id": number, "name": name, "level": 1} for number, name in TOPLEVELS.items()]
        return json_response({"record_count": len(tree), "tree": tree})

    def _audit(self, request: Request) -> Response:
        if self.modes.audit != "readable":
            return Response("", status=403 if self.modes.audit == "forbidden" else 404)
        return json_response(self.records.audit.page(request.args))

    def _agent(self, request: Request) -> Response:
        if self.modes.audit != "readable":
            return Response("", status=403)
        return json_response({"id": API_AGENT, "name": AGENTS[API_AGENT]})

    def _list(self, request: Request) -> Response:
        resource = request.path.split("/")[2]
        try:
            return json_response(self.lists.page(resource, request.args))
        except Refused as refused:
            return self._refusal(refused)

    def _detail(self, request: Request, record_id: int) -> Response:
        resource = request.path.split("/")[2]
        row = self.records.rows[resource].get(record_id)
        if row is None or self.modes.is_agent_restricted:
            return Response("", status=404)
        shown = self.lists.detail(resource, row)
        wrapped = {"record_count": 1, LIST_KEY[resource]: [shown]}
        return json_response(wrapped if self.modes.is_detail_wrapped else shown)

    def _post(self, request: Request) -> Response:
        resource = request.path.split("/")[2]
        fail_at, self._batch_fail_at = self._batch_fail_at, None
        try:
            elements = json.loads(request.get_data())
            if not isinstance(elements, list) or not elements:
                raise Refused("", {"": ["Cannot deserialize the current JSON object into a JSON array."]})
            rows = self.records.post(resource, elements, fail_at=fail_at, by=API_AGENT)
        except ValueError:
            return self._refusal(Refused("", {"": ["Unexpected character encountered while parsing value."]}))
        except Refused as refused:
            return self._refusal(refused)
        is_all = request.args.get("returnall", "").lower() == "true" and self.modes.is_returnall_supported
        shown = [self.lists.detail(resource, row) for row in (rows if is_all else rows[-1:])]
        body = shown if is_all and len(rows) > 1 else shown[-1]
        return json_response(body, status=self.modes.created_status)

    def _delete(self, request: Request, record_id: int) -> Response:
        resource = request.path.split("/")[2]
        if record_id not in self.records.rows[resource]:
            return Response("", status=404)
        try:
            return json_response({"id": self.records.delete(resource, record_id)["id"]})
        except Refused as refused:
            return self._refusal(refused)

    def _refusal(self, refused: Refused) -> Response:
        """A 400 in the next of Halo's shapes."""
        if refused.state is not None:
            return json_response(refused.state, status=400)
        text = refused.text
        shapes: list[Any] = [
            text,
            {"error": text},
            {"ClassName": "System.Exception", "Message": text, "Data": None, "HResult": -2146233088},
            {"resultCode": -1, "errorMessage": text},
            {"Message": text},
            {"error": "invalid_request", "error_description": text},
        ]
        self._shape += 1
        if self._shape % (len(shapes) + 1) == len(shapes):
            return Response(text, status=400, mimetype="text/plain")
        return json_response(shapes[self._shape % (len(shapes) + 1)], status=400)

    # -- faults ---------------------------------------------------------------------------------------------------

    def strike(self, fault: Fault, request: Request) -> Response | None:
        if fault.effect in ("timeout_after_apply", "reset_after_apply"):
            self._route(request)
            raise DropConnection(request.path)
        if fault.effect == "apply_late":
            elements = json.loads(request.get_data())
            self._late.append((self.clock.time() + fault.delay_s, request.path.split("/")[2], elements))
            raise DropConnection(request.path)
        if fault.effect == "html_after_apply":
            self._route(request)
            return Response("<html><body><h1>502 Bad Gateway</h1></body></html>", status=502, mimetype="text/html")
        if fault.effect == "wrong_content_type":
            self._route(request)
            return Response("<html><body>Signed out</body></html>", status=200, mimetype="text/html")
        self._change_state(fault)
        return None

    def land(self) -> None:
        """Do what `apply_late` put off until now; every request does so first."""
        due = [late for late in self._late if late[0] <= self.clock.time()]
        self._late = [late for late in self._late if late[0] > self.clock.time()]
        born_s = self.records.created_at_s
        for due_s, resource, elements in due:
            for row in self.records.post(resource, elements, by=API_AGENT):  # when it was due, not when somebody asked
                born_s[resource, row["id"]] = min(due_s, born_s.get((resource, row["id"]), due_s))

    def _change_state(self, fault: Fault) -> None:
        """Effects that alter the tenant and let the request go on."""
        if fault.effect == "expire_token_now":
            self._tokens = {token: (0.0, scope) for token, (_, scope) in self._tokens.items()}
        elif fault.effect == "revoke_all_tokens":
            self._tokens = {}
        elif fault.effect == "partial_batch":
            self._batch_fail_at = int(fault.body or 0)
        elif fault.effect == "stale_read":
            self.lists.hide_between_s = (self.clock.time(), self.clock.time() + fault.delay_s)
        elif fault.effect in ("drop_page", "shuffle_order"):
            self.lists.quirk = fault.effect
        elif fault.effect == "human_edit":
            edit = json.loads(fault.body)
            self.records.edit(edit["resource"], edit["id"], edit["field"], edit["value"])
        elif fault.effect == "foreign_duplicate":
            double = json.loads(fault.body)
            row = self.records.rows[double["resource"]][double["id"]]
            self.records.post(
                double["resource"], [{k: v for k, v in row.items() if not k.startswith("_") and k != "id"}]
            )
        else:
            raise ValueError(f"{self.name}: unknown fault effect {fault.effect!r}")
