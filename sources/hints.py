"""What a webhook's payload names: records to look at, and nothing else of it.

Belongs here: ids of records in the shapes that Apollo, ZoomInfo and HaloPSA send. Does not: signatures, the inbox.
Surprise: values in a payload are never read. None of the three vendors signs, so a payload may be anybody's; it can
make us look, it cannot make us believe. An unknown shape is no error: it says that something changed at that source.

Shapes: Apollo's enrichment callback (docs.apollo.io, `people[].id`); ZoomInfo's legacy monitoring (objectType and id,
envelope not public); HaloPSA: the object under the name of its kind, one payload or an array of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

HINTS_MAX = 200
_ID_LENGTH_MAX = 64
_DEPTH_MAX = 5

# source -> name of a key -> kind of the record whose id stands in the object (or list of objects) under it
_OBJECTS: Mapping[str, Mapping[str, str]] = {
    "apollo": {
        "people": "contact", "person": "contact", "contact": "contact", "matches": "contact",
        "organization": "organisation", "account": "organisation", "organizations": "organisation",
    },
    "zoominfo": {"contact": "contact", "contacts": "contact", "company": "organisation", "companies": "organisation"},
    "halopsa": {
        "client": "Client", "organization": "Client", "organisation": "Client", "site": "Site", "user": "Users",
    },
}  # fmt: skip
# source -> key of an id by itself -> kind
_IDS: Mapping[str, Mapping[str, str]] = {
    "apollo": {"person_id": "contact", "contact_id": "contact", "organization_id": "organisation"},
    "zoominfo": {"personId": "contact", "contactId": "contact", "companyId": "organisation"},
    "halopsa": {"client_id": "Client", "site_id": "Site", "user_id": "Users"},
}
_ZOOMINFO_TYPES = {"contact": "contact", "company": "organisation"}


class Hint(NamedTuple):
    """One record to look at; `kind` is contact or organisation at a vendor, Client, Site or Users in HaloPSA."""

    kind: str
    record_id: str


def hints_in(source: str, payload: Any) -> tuple[Hint, ...]:
    """The records `payload` names, in order, each once, at most HINTS_MAX; none where its shape is not known."""
    found = dict.fromkeys(_walk(source, payload, 0))
    return tuple(found)[:HINTS_MAX]


def _walk(source: str, value: Any, depth: int) -> Iterator[Hint]:
    if depth > _DEPTH_MAX:
        return
    if isinstance(value, list):
        for item in value[:HINTS_MAX]:
            yield from _walk(source, item, depth + 1)
    if not isinstance(value, dict):
        return
    kind = _ZOOMINFO_TYPES.get(str(value.get("objectType", "")).casefold()) if source == "zoominfo" else None
    if kind:
        yield from _named(kind, value.get("id"))
    for name, inner in value.items():
        if name in _IDS.get(source, {}):
            yield from _named(_IDS[source][name], inner)
        elif name in _OBJECTS.get(source, {}):
            for one in inner if isinstance(inner, list) else [inner]:
                if isinstance(one, dict):
                    yield from _named(_OBJECTS[source][name], one.get("id"))
        if isinstance(inner, dict | list):
            yield from _walk(source, inner, depth + 1)


def _named(kind: str, record_id: Any) -> Iterator[Hint]:
    is_id = isinstance(record_id, str | int) and not isinstance(record_id, bool)
    text = str(record_id).strip() if is_id else ""
    if 0 < len(text) <= _ID_LENGTH_MAX and text.isascii() and text.isprintable():
        yield Hint(kind, text)
