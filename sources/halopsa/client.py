"""The HaloPSA client: read lists whole, look records up exactly, and write with an outcome that is never guessed.

Belongs here: verbs over Client, Site and Users. Does not: signing in (`session.py`), paging (`walk.py`), which fields
mean what (`fields.py`), when to write and what to do about an outcome (`assets/publishing`).
Surprise: a write returns, it does not raise. Halo has no idempotency key, so after a lost or unreadable answer the
outcome is `unknown`, and it is the caller who looks the record up before anything is sent again. Bodies are arrays,
even for one record; an answer may be a bare object, the last object only, or an array.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import requests
from requests.adapters import BaseAdapter

from sources.clock import Clock
from sources.halopsa import settings
from sources.halopsa.audit import Trail, read_trail
from sources.halopsa.errors import class_of, message_of
from sources.halopsa.fields import as_id, as_text, golden_id, outgoing
from sources.halopsa.session import VENDOR, HaloSession, NotSent, json_or_none
from sources.halopsa.settings import Resource
from sources.halopsa.walk import Walk
from sources.http import BadRequest, Forbidden, RateLimited, Unauthorised, Unreachable, VendorError
from sources.limiter import CallBook

# Classes of refusal that say nothing about an element, so that halving the array would only ask the same again.
_OF_THE_WHOLE = frozenset({"unauthorised", "forbidden", "not_found", "rate_limited", "not_sent"})


@dataclass(frozen=True)
class WriteOutcome:
    """What is known about one write.

    kind: `acked` (applied; `record` is what Halo holds now), `rejected` (not applied), `unknown` (look it up first).
    error_class: mandatory_field, duplicate, unknown_id, model, validation, unauthorised, forbidden, not_found,
        rate_limited, not_sent; for `unknown` unreachable, server, unreadable.
    is_retryable: not applied, and the very same write may succeed later (rate limit, no token, no right).
    message: Halo's own sentence, shortened; may hold personal data.
    """

    kind: Literal["acked", "rejected", "unknown"]
    record: dict[str, Any] | None = None
    status: int = 0
    message: str = ""
    error_class: str = ""
    is_retryable: bool = False

    @property
    def halo_id(self) -> int | None:
        """Id of the acked record."""
        return as_id(self.record.get("id")) if self.record else None


class HaloClient:
    """One tenant. Thread-safe; all threads share one token and one rate limit."""

    def __init__(
        self,
        base_url: str,
        tenant: str,
        client_id: str,
        client_secret: str,
        clock: Clock,
        calls_per_window: int = settings.CALLS_PER_WINDOW,
        window_s: float = settings.WINDOW_S,
        *,
        defaults: Mapping[str, Mapping[str, Any]] | None = None,
        timeout_s: float = 60.0,
        book: CallBook | None = None,
        adapter: BaseAdapter | None = None,
    ) -> None:
        """`defaults`: fields that this tenant wants on every created record, by resource (`{"Client": {...}}`).
        `book`: where calls are counted, for a limit shared by several processes.
        `adapter`: a transport instead of sockets, for simulators in memory."""
        self.session = HaloSession(
            base_url,
            tenant,
            client_id,
            client_secret,
            clock,
            calls_per_window=calls_per_window,
            window_s=window_s,
            timeout_s=timeout_s,
            book=book,
        )
        if adapter is not None:
            self.session.http.mount(base_url, adapter)
        self.clock = clock
        self._defaults = {
            resource: {**settings.CREATE_DEFAULTS[resource], **(defaults or {}).get(resource, {})}
            for resource in settings.RESOURCES
        }
        self._custom_field_ids: dict[str, dict[str, int]] | None = None
        self._shows_all: dict[str, bool] = {}  # resource -> whether this tenant answers an array with all its records

    @property
    def retried(self) -> Counter[str]:
        """Why we had to ask again, and how often."""
        return self.session.http.retried

    # -- reads ----------------------------------------------------------------------------------------------------

    def walk(self, resource: Resource, **filters: Any) -> Walk:
        """A reading of a whole list, inactive rows and golden ids included; iterate it, then ask `is_complete`."""
        parameters = {**settings.LIST_PARAMETERS[resource], **filters}
        field_id = self.custom_field_ids()[resource].get(settings.GOLDEN_ID_FIELD.casefold())
        if field_id is not None:
            parameters["include_custom_fields"] = str(field_id)
        return Walk(self.session, resource, parameters)

    def rows(self, resource: Resource, **filters: Any) -> list[dict[str, Any]]:
        """All rows of a narrow list (`client_id=`, `site_id=`, `search=`).

        Raises:
            VendorError: it could not be read, or not to the end.
        """
        walk = self.walk(resource, **filters)
        found = [row for page in walk for row in page if isinstance(row, dict)]
        if not walk.is_complete:
            raise Unreachable(
                f"{VENDOR}: the list of {resource} showed {walk.seen_rows} of {walk.expected_rows} rows", retryable=True
            )
        return found

    def make_room(self, calls: int) -> None:
        """Wait until `calls` requests fit the rate limit at once, so that they leave without a pause in between."""
        self.session.http.limiter.make_room(calls)

    def get(self, resource: Resource, record_id: int) -> dict[str, Any] | None:
        """One record in full, all its custom fields included; None where there is none."""
        try:
            answer = self.session.read(f"{resource}/{int(record_id)}", {"includedetails": "true"})
        except BadRequest as error:
            if error.status == 404:
                return None
            raise
        record = next((item for item in _objects(resource, answer) if as_id(item.get("id")) == int(record_id)), None)
        if record is None:
            raise Unreachable(f"{VENDOR}: {resource}/{record_id} was answered with another record", retryable=True)
        return record

    def find(
        self, resource: Resource, *, search: str, where: Mapping[str, str], client_id: int | None = None
    ) -> list[dict[str, Any]]:
        """Rows whose fields equal `where`, case and outer blanks aside. `search` only narrows: it is a substring
        match over several fields, never an exact one, so every row is compared again here."""
        filters = {"search": search} | ({} if client_id is None else {"client_id": client_id})
        wanted = {name: value.strip().casefold() for name, value in where.items()}
        return [
            row
            for row in self.rows(resource, **filters)
            if all((as_text(row.get(name)) or "").casefold() == value for name, value in wanted.items())
        ]

    def find_by_golden_id(
        self, resource: Resource, golden: str, *, search: str = "", client_id: int | None = None
    ) -> list[dict[str, Any]]:
        """Every record that carries a golden id: none, one, or (a double) several.

        Custom fields cannot be searched, so `search` (a user's e-mail, a client's name) or `client_id` narrows the
        list that is read; without either the whole list is.
        """
        filters: dict[str, Any] = {"search": search} if search else {}
        if client_id is not None:
            filters["client_id"] = client_id
        return [row for row in self.rows(resource, **filters) if golden_id(row) == golden]

    def changes_since(self, since: datetime, wanted: Mapping[str, Collection[int]]) -> Trail:
        """What HaloPSA's change log says of some records (resource -> ids) since a moment; see `audit.py`.

        Raises:
            VendorError: it could not be read to the end.
        """
        return read_trail(self.session, since, wanted)

    def custom_field_ids(self) -> dict[str, dict[str, int]]:
        """Custom-field ids of this tenant: resource -> lower-case name -> id. Read once.

        Raises:
            VendorError: the definitions could not be read.
        """
        if self._custom_field_ids is None:
            answer = self.session.read("FieldInfo")
            rows = [row for row in answer if isinstance(row, dict)] if isinstance(answer, list) else []
            self._custom_field_ids = {resource: {} for resource in settings.RESOURCES}
            for row in rows:
                name, field_id = as_text(row.get("name")), as_id(row.get("id"))
                owner = _owner(row.get("typeid"))
                if name and field_id is not None and owner:
                    self._custom_field_ids[owner][name.casefold()] = field_id
        return self._custom_field_ids

    def golden_id_field(self, resource: Resource) -> int | None:
        """Id of the custom field for the golden id; None where the tenant has not made it."""
        return self.custom_field_ids()[resource].get(settings.GOLDEN_ID_FIELD.casefold())

    # -- writes ---------------------------------------------------------------------------------------------------

    def create(self, resource: Resource, fields: Mapping[str, Any]) -> WriteOutcome:
        """Create one record, with the tenant's defaults and the quiet flags.

        Raises:
            ValueError: a field we may not write, or an id.
        """
        if "id" in fields:
            raise ValueError(f"{resource}: create was given an id; use update")
        defaults = self._defaults[resource]
        quiet = {**settings.QUIET_ALWAYS[resource], **settings.QUIET_ON_CREATE[resource]}
        return self._write_one(resource, outgoing(resource, {**defaults, **fields, **quiet}, defaults))

    def update(self, resource: Resource, record_id: int, fields: Mapping[str, Any]) -> WriteOutcome:
        """Change some fields of one record; fields not named stay as they are.

        Raises:
            ValueError: a field we may not write.
        """
        return self._write_one(resource, _update(resource, record_id, fields))

    def update_many(self, resource: Resource, updates: Sequence[tuple[int, Mapping[str, Any]]]) -> list[WriteOutcome]:
        """Change many records in arrays, outcomes in the order given. Only updates: a lost create could double.

        Whether the tenant answers an array with all its records is found out on the first two; where it does not, the
        rest goes one by one, and one outcome of the two is `unknown`. An element that Halo refuses is found by halving;
        the elements before it may have been applied already, which is harmless, since an update said twice says the
        same. An element is acked only if its record came back.

        Raises:
            ValueError: a field we may not write.
        """
        elements = [_update(resource, *update) for update in updates]
        outcomes: list[WriteOutcome] = []
        while len(outcomes) < len(elements):
            rows = {None: settings.PROBE_ROWS, True: settings.BATCH_ROWS_MAX, False: 1}[self._shows_all.get(resource)]
            outcomes += self._write_batch(resource, elements[len(outcomes) : len(outcomes) + rows])
        return outcomes

    def _write_one(self, resource: Resource, element: dict[str, Any]) -> WriteOutcome:
        outcome, answer = self._post(resource, [element], {})
        if outcome is not None:
            return outcome
        records = _objects(resource, answer)
        record = records[0] if len(records) == 1 else None
        record_id = as_id(record.get("id")) if record else None
        is_ours = record_id == element["id"] if "id" in element else bool(record and as_text(record.get("name")))
        if record_id is None or not is_ours:
            return WriteOutcome("unknown", message="the answer shows no such record", error_class="unreadable")
        return WriteOutcome("acked", record=record, status=200)

    def _write_batch(self, resource: Resource, elements: list[dict[str, Any]]) -> list[WriteOutcome]:
        if len(elements) == 1:
            return [self._write_one(resource, elements[0])]
        outcome, answer = self._post(resource, elements, {"returnall": "true"})
        if outcome is not None and outcome.error_class == "forbidden":
            return self._write_forbidden(resource, elements, outcome)
        if outcome is not None and outcome.kind == "rejected" and outcome.error_class not in _OF_THE_WHOLE:
            middle = len(elements) // 2
            return self._write_batch(resource, elements[:middle]) + self._write_batch(resource, elements[middle:])
        if outcome is not None:
            return [outcome] * len(elements)
        records = {as_id(record.get("id")): record for record in _objects(resource, answer)}
        self._shows_all.setdefault(resource, all(element["id"] in records for element in elements))
        unseen = WriteOutcome("unknown", message="the answer does not show this record", error_class="unreadable")
        return [
            WriteOutcome("acked", record=records[element["id"]], status=200) if element["id"] in records else unseen
            for element in elements
        ]

    def _write_forbidden(
        self, resource: Resource, elements: list[dict[str, Any]], refusal: WriteOutcome
    ) -> list[WriteOutcome]:
        """An array that the application may not write: the right may be missing for all, or for one client among them.
        Where first and last are refused alone too, it is all; else the rest is halved."""
        first, last = self._write_one(resource, elements[0]), self._write_one(resource, elements[-1])
        between = elements[1:-1]
        if first.error_class == last.error_class == "forbidden" or not between:
            return [first, *[refusal] * len(between), last]
        middle = len(between) // 2
        parts = [part for part in (between[:middle], between[middle:]) if part]
        return [first, *(outcome for part in parts for outcome in self._write_batch(resource, part)), last]

    def _post(
        self, resource: str, body: list[dict[str, Any]], params: dict[str, str]
    ) -> tuple[WriteOutcome | None, Any]:
        """(an outcome that is already certain, or None with the answer's JSON)."""
        for attempt in range(1, settings.RATE_ATTEMPTS_MAX + 1):
            try:
                response = self.session.write(resource, body, params)
            except RateLimited as error:
                if attempt == settings.RATE_ATTEMPTS_MAX:
                    return _outcome_of(error), None
                self._wait_out(error, attempt)
            except VendorError as error:
                return _outcome_of(error), None
            else:
                return self._unreadable_or(response)
        raise AssertionError("the last attempt returns")

    def _wait_out(self, error: RateLimited, attempt: int) -> None:
        """A 429 was not applied, so the same write may go out again; 30 s, 60 s, … up to a whole window."""
        self.session.http.retried["HTTP 429"] += 1
        backoff_s = min(30.0 * 2 ** (attempt - 1), settings.WINDOW_S)
        self.clock.sleep(max(error.retry_after_s, 1.0) if error.retry_after_s is not None else backoff_s)

    def _unreadable_or(self, response: requests.Response) -> tuple[WriteOutcome | None, Any]:
        answer = json_or_none(response)
        if isinstance(answer, dict | list) and answer:
            return None, answer
        kind = response.headers.get("Content-Type", "no content type")
        message = f"HTTP {response.status_code} without a readable record ({kind})"
        return WriteOutcome("unknown", None, response.status_code, message, "unreadable"), None


def _outcome_of(error: VendorError) -> WriteOutcome:
    """What a failed call says about whether the write was applied: only a 4xx says that it was not."""
    if isinstance(error, NotSent):
        return WriteOutcome("rejected", None, 0, str(error), "not_sent", is_retryable=True)
    message = message_of(error.body) or str(error)
    if 400 <= error.status < 500 and error.status != 408:
        kind_of_error = class_of(error.status, message)
        is_retryable = isinstance(error, RateLimited | Unauthorised | Forbidden)  # of the account, not of the record
        return WriteOutcome("rejected", None, error.status, message, kind_of_error, is_retryable)
    return WriteOutcome("unknown", None, error.status, message, "server" if error.status >= 500 else "unreachable")


def _update(resource: str, record_id: int, fields: Mapping[str, Any]) -> dict[str, Any]:
    return outgoing(resource, {**fields, **settings.QUIET_ALWAYS[resource], "id": record_id})


def _objects(resource: str, answer: Any) -> list[dict[str, Any]]:
    """The records in an answer: a bare object, an array, or either inside the list's envelope."""
    if isinstance(answer, dict):
        inner = answer.get(settings.LIST_KEY[resource])
        answer = inner if isinstance(inner, list) else [answer]
    return [item for item in answer if isinstance(item, dict)] if isinstance(answer, list) else []


def _owner(typeid: Any) -> Resource | None:
    """Whose custom field a definition is. Users are what is left: no public source tells their `typeid`."""
    number = as_id(typeid)
    if number is None or number in settings.FIELD_TYPE_IDS_OF_OTHERS:
        return None
    for resource, known in settings.FIELD_TYPE_ID.items():
        if number == known:
            return resource  # type: ignore[return-value]
    return "Users"
