"""Golden record -> HaloPSA: which golden value belongs in which field of a client, its main site and a user.

Belongs here: the map, the groups of fields, and payloads in Halo's own names.
Does not: who owns a field (rules.py), Halo's names (sources/halopsa/fields.py), the merge (merge.py), the feed's names
(wire.py).
Surprise: an organisation is two Halo records, the client and its main site; phone and address live on the site.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sources.halopsa import fields

from assets.publishing.merge import Value

CLIENT, SITE, USER = "Client", "Site", "Users"
RESOURCES_OF = {"organisation": (CLIENT, SITE), "contact": (USER,)}
MAIN_RESOURCE = {"organisation": CLIENT, "contact": USER}

# What is published, in the order in which it is written.
FIELDS: Mapping[str, tuple[str, ...]] = {
    CLIENT: ("name", "website", "domain"),
    SITE: ("phone", "street", "city", "state", "country", "postcode"),
    USER: (
        *("full_name", "first_name", "last_name"),
        *("email", "phone", "mobile", "job_title", "department", "site_id"),
    ),
}
GROUPS: Mapping[str, tuple[frozenset[str], ...]] = {
    CLIENT: (),
    SITE: (frozenset(fields.ADDRESS_LINES),),
    USER: (frozenset({"full_name", "first_name", "last_name"}),),
}
NAMES: Mapping[str, Mapping[str, str]] = {
    CLIENT: fields.CLIENT_FIELDS,
    SITE: fields.SITE_FIELDS,
    USER: {**fields.USER_FIELDS, "site_id": "site_id"},
}
# Halo refuses a record without them.
REQUIRED = {CLIENT: ("name",), SITE: (), USER: ("full_name", "site_id")}


def desired(resource: str, content: Mapping[str, Any], *, site_id: int | None = None) -> dict[str, Value]:
    """What golden wants in `resource`, in neutral fields; None where it has nothing to say. Cut to Halo's lengths.

    `content` is what may leave: audience.py has taken out what may not.
    """
    if resource == USER:
        wanted: dict[str, Value] = {
            "full_name": full_name(content),
            "first_name": content.get("first_name"),
            "last_name": content.get("last_name"),
            "email": content.get("email"),
            "phone": content.get("phone"),
            "mobile": content.get("mobile"),
            "job_title": content.get("job_title"),
            "department": content.get("department"),
            "site_id": site_id,
        }
    else:
        wanted = {name: content.get(name) for name in FIELDS[resource]}
    return {name: _cut(value, NAMES[resource].get(name)) for name, value in wanted.items()}


def full_name(content: Mapping[str, Any]) -> str | None:
    parts = (content.get("first_name"), content.get("last_name"))
    return " ".join(part for part in parts if part) or None


def payload(resource: str, values: Mapping[str, Value], *, address_now: Mapping[str, Value]) -> dict[str, Any]:
    """Neutral `values` in Halo's names; an address goes out whole, the lines that stay taken from `address_now`."""
    names = NAMES[resource]
    sent: dict[str, Any] = {names[name]: value for name, value in values.items() if name in names}
    if resource == SITE and any(name in values for name in fields.ADDRESS_LINES):
        whole = {**address_now, **values}
        sent[fields.ADDRESS_FIELD] = {line: whole.get(name) or "" for name, line in fields.ADDRESS_LINES.items()}
    return sent


def replaced(resource: str, values: Mapping[str, Value], now: Mapping[str, Value]) -> dict[str, Value]:
    """What the record shows (`now`) in every field that a write of `values` sends, the completed address included."""
    is_address = resource == SITE and any(name in values for name in fields.ADDRESS_LINES)
    names = (*values, *(fields.ADDRESS_LINES if is_address else ()))
    return {name: now[name] for name in dict.fromkeys(names) if name in now}


def seen(resource: str, reply: Mapping[str, Any]) -> dict[str, Value]:
    """The neutral fields that a payload of Halo really shows; a list row that lacks a field says nothing about it."""
    read = {CLIENT: fields.read_client, SITE: fields.read_site, USER: fields.read_user}[resource](reply)
    shown = {ours for ours, theirs in NAMES[resource].items() if theirs in reply}
    if resource == SITE and fields.ADDRESS_FIELD in reply:
        shown |= set(fields.ADDRESS_LINES)
    return {name: read[name] for name in FIELDS[resource] if name in shown}


def _cut(value: Value, halo_name: str | None) -> Value:
    if isinstance(value, str):
        value = value.strip()[: fields.LENGTH_MAX.get(halo_name or "")] or None
    return value
