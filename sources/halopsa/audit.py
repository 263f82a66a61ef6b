"""HaloPSA's own change log: who changed which field of which record, from what to what.

Belongs here: reading it back to a moment, newest first, in bounded requests, and what its rows mean. Does not: what
follows from it (`assets/publishing/overwritten.py`).
Surprise: it is the log of the whole tenant, tickets included, and its list is known to take no filter (the public
OpenAPI file names none). So the price grows with what everybody does, and reading ends at a cap, which the trail then
says. How it spells fields is told nowhere, so a name is a hint, and values decide.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sources.halopsa import settings
from sources.halopsa.errors import storable
from sources.halopsa.fields import (
    ADDRESS_LINES,
    CLIENT_FIELDS,
    SITE_FIELDS,
    USER_FIELDS,
    as_id,
    as_moment,
    as_text,
)
from sources.halopsa.session import HaloSession
from sources.halopsa.settings import Resource
from sources.http import BadRequest, Forbidden, Unauthorised

# The log names tables of the database: a client is an AREA there.
_RESOURCE_OF: Mapping[str, Resource] = {"area": "Client", "client": "Client", "site": "Site", "users": "Users"}
_NAMES: Mapping[str, Mapping[str, str]] = {
    "Client": CLIENT_FIELDS,
    "Site": {**SITE_FIELDS, **{ours: f"delivery_address {line}" for ours, line in ADDRESS_LINES.items()}},
    "Users": {**USER_FIELDS, "site_id": "site_id"},
}


@dataclass(frozen=True)
class AuditEntry:
    """One change of one field. `field` is our name for it, None where the log's spelling says nothing to us."""

    entry_id: int
    resource: Resource
    halo_id: int
    at: datetime
    agent_id: int | None
    by: str | None
    field: str | None
    before: str | None
    after: str | None


@dataclass
class Trail:
    """What was read of the log, the oldest entry first. `is_whole`: it reaches back as far as was asked."""

    is_readable: bool = True
    is_whole: bool = False
    requests: int = 0
    read_back_to: datetime | None = None
    own_agent_id: int | None = None  # who our own writes are by; None where HaloPSA does not tell
    entries: list[AuditEntry] = field(default_factory=list)


def read_trail(session: HaloSession, since: datetime, wanted: Mapping[str, Collection[int]]) -> Trail:
    """Changes since a moment of the records in `wanted` (resource -> Halo ids).

    A tenant that does not let us read its log gives a trail that is not readable.

    Raises:
        VendorError: it could not be read to the end.
    """
    trail = Trail(own_agent_id=_own_agent(session))
    trail.requests += 1
    seen: set[int] = set()
    newest_of_page: int | None = None
    for page_no in range(1, settings.AUDIT_PAGES_MAX + 1):
        order = {"order": "id", "orderdesc": "true"}
        page = {"pageinate": "true", "page_no": page_no, "page_size": settings.PAGE_ROWS}
        trail.requests += 1
        try:
            answer = session.read("Audit", {**order, **page})
        except (Unauthorised, Forbidden, BadRequest):
            trail.is_readable = False
            return trail
        rows = {entry_id: row for row in _rows(answer) if (entry_id := as_id(row.get("id"))) is not None}
        fresh = {entry_id: row for entry_id, row in rows.items() if entry_id not in seen}
        if not fresh:
            trail.is_whole = True
            break
        if newest_of_page is not None and max(fresh) > newest_of_page:
            break  # the order was ignored: the newest are somewhere else, and nobody can tell when to stop
        newest_of_page = max(fresh)
        seen |= fresh.keys()
        moments = [moment for row in fresh.values() if (moment := as_moment(row.get("date"))) is not None]
        trail.read_back_to = min([*moments, *([trail.read_back_to] if trail.read_back_to else [])], default=None)
        trail.entries += [entry for row in fresh.values() if (entry := _entry(row, wanted)) is not None]
        if moments and max(moments) < since:
            trail.is_whole = True
            break
    trail.entries.sort(key=lambda entry: entry.entry_id)
    return trail


def _own_agent(session: HaloSession) -> int | None:
    try:
        answer = session.read("Agent/me")
    except (Unauthorised, Forbidden, BadRequest):
        return None
    return as_id(answer.get("id")) if isinstance(answer, Mapping) else None


def _rows(answer: Any) -> Iterator[Mapping[str, Any]]:
    """The rows of an answer: bare, or in the one array of an envelope whose key no public source tells."""
    if isinstance(answer, Mapping):
        arrays = [value for name, value in answer.items() if isinstance(value, list) and name != "columns"]
        answer = arrays[0] if len(arrays) == 1 else []
    yield from (row for row in answer if isinstance(row, Mapping)) if isinstance(answer, list) else ()


def _entry(row: Mapping[str, Any], wanted: Mapping[str, Collection[int]]) -> AuditEntry | None:
    resource = _RESOURCE_OF.get(str(row.get("table_name") or "").casefold())
    halo_id, at = as_id(row.get("id1")), as_moment(row.get("date"))
    if resource is None or halo_id is None or at is None or halo_id not in wanted.get(resource, ()):
        return None
    return AuditEntry(
        entry_id=as_id(row.get("id")) or 0,
        resource=resource,
        halo_id=halo_id,
        at=at,
        agent_id=as_id(row.get("agent_id")),
        by=_text(row.get("username")),
        field=_field(resource, as_text(row.get("value")) or ""),
        before=_text(row.get("from")),
        after=_text(row.get("to")),
    )


def _text(value: Any) -> str | None:
    text = as_text(value)
    return None if text is None else storable(text)


def _field(resource: Resource, spelled: str) -> str | None:
    """Our name for a field, from Halo's name or from ours, blanks and case aside."""
    wanted = _squeezed(spelled)
    return next((ours for ours, halo in _NAMES[resource].items() if wanted in map(_squeezed, (ours, halo))), None)


def _squeezed(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.casefold())
