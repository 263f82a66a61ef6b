"""What HaloPSA's fields are called: which we may write, and how a record of Halo is read back in our words.

Belongs here: names, and pure functions from a payload to neutral values. Does not: HTTP (`client.py`), what a golden
record becomes (`assets/publishing/mapping.py`, which uses these names).
Surprise: ids come as floats on some fields (`site_id` 12.0) and are refused in that form when sent back; a date that
was never set is the year 1900.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sources.halopsa.settings import GOLDEN_ID_FIELD, QUIET_ALWAYS, QUIET_ON_CREATE, RESOURCES
from sources.intake import text_fault

# Our word -> Halo's name. `website` and `domain` of a client, `phone` and the address of its main site, because lists
# of clients carry no phone and no address.
CLIENT_FIELDS: Mapping[str, str] = {"name": "name", "website": "website", "domain": "domain"}
SITE_FIELDS: Mapping[str, str] = {"name": "name", "phone": "phonenumber"}
USER_FIELDS: Mapping[str, str] = {
    "full_name": "name",
    "first_name": "firstname",
    "last_name": "surname",
    "email": "emailaddress",
    "email_2": "email2",
    "email_3": "email3",
    "phone": "phonenumber",
    "mobile": "mobilenumber",
    "job_title": "title",  # never `jobtitle`: that is an agent's, and Users drops it without a word
    "department": "department",
}
# Halo's address has four free lines and a postcode; this is our use of the lines.
ADDRESS_FIELD = "delivery_address"
ADDRESS_LINES: Mapping[str, str] = {
    "street": "line1",
    "city": "line2",
    "state": "line3",
    "country": "line4",
    "postcode": "postcode",
}

# Lengths of the public OpenAPI file; longer text is a 400 that names nothing.
LENGTH_MAX: Mapping[str, int] = {
    "name": 255,
    "firstname": 200,
    "surname": 200,
    "website": 250,
    "domain": 250,
}

_WRITABLE_BASE: Mapping[str, frozenset[str]] = {
    "Client": frozenset(
        {"id", "name", "toplevel_id", "website", "domain", "inactive", "customfields", "newclient_sitename"}
        | {"is_account", "customertype", "customer_relationship"}
    ),
    "Site": frozenset(
        {"id", "name", "client_id", "phonenumber", "delivery_address", "emaildomain", "inactive", "customfields"}
    ),
    "Users": frozenset({"id", "site_id", "inactive", "is_prospect", "customfields"} | set(USER_FIELDS.values())),
}
WRITABLE: Mapping[str, frozenset[str]] = {
    resource: names | QUIET_ALWAYS[resource].keys() | QUIET_ON_CREATE[resource].keys()
    for resource, names in _WRITABLE_BASE.items()
}
assert set(WRITABLE) == set(RESOURCES)

_ID_FIELDS = frozenset({"id", "site_id", "client_id", "toplevel_id"})
_UNSET_YEAR_MAX = 1900
_STAMPS = ("alastupdate", "slastupdate", "ulastupdate")  # of a client, a site, a user


def read_client(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A client in neutral fields; None where Halo holds nothing or an empty text."""
    return {
        "halo_id": as_id(payload.get("id")),
        "main_site_id": as_id(payload.get("main_site_id")),
        "toplevel_id": as_id(payload.get("toplevel_id")),
        "golden_id": golden_id(payload),
        **_texts(payload, CLIENT_FIELDS),
        "is_prospect": payload.get("is_account") is True if "is_account" in payload else None,
        "is_inactive": payload.get("inactive") is True,
    }


def read_site(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A site in neutral fields, its delivery address by our use of the lines."""
    address = payload.get(ADDRESS_FIELD)
    lines = address if isinstance(address, Mapping) else {}
    return {
        "halo_id": as_id(payload.get("id")),
        "client_id": as_id(payload.get("client_id")),
        "golden_id": golden_id(payload),
        **_texts(payload, SITE_FIELDS),
        **_texts(lines, ADDRESS_LINES),
        "is_inactive": payload.get("inactive") is True,
    }


def read_user(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A person in neutral fields."""
    site_id = as_id(payload.get("site_id"))
    return {
        "halo_id": as_id(payload.get("id")),
        "client_id": as_id(payload.get("client_id")),
        "site_id": as_id(payload.get("site_id_int")) if site_id is None else site_id,
        "golden_id": golden_id(payload),
        **_texts(payload, USER_FIELDS),
        "is_inactive": payload.get("inactive") is True,
        "is_general_user": is_general_user(payload),
        "is_service_account": payload.get("isserviceaccount") is True,
    }


def faults(payload: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, str]:
    """Our word -> why its value cannot be used, of the fields in `names` (our word -> Halo's name) and `golden_id`.

    Nothing is repaired: a value that we cannot read whole is one that we could neither compare nor give back.
    """
    values = {ours: payload.get(halo) for ours, halo in names.items()} | {"golden_id": golden_id(payload)}
    address = payload.get(ADDRESS_FIELD)
    if isinstance(address, Mapping):
        values |= {ours: address.get(line) for ours, line in ADDRESS_LINES.items()}
    elif address not in (None, ""):
        values |= dict.fromkeys(ADDRESS_LINES, address)
    return {name: fault for name, value in values.items() if (fault := _fault(value)) is not None}


def _fault(value: Any) -> str | None:
    if isinstance(value, str):
        return text_fault(value)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return None
    return f"a {type(value).__name__} instead of text"


def updated_at(payload: Mapping[str, Any]) -> datetime | None:
    """When anybody last changed the record; only details show it, and not on every tenant."""
    return next((moment for name in _STAMPS if (moment := as_moment(payload.get(name))) is not None), None)


def is_general_user(payload: Mapping[str, Any]) -> bool:
    """Whether this is a site's placeholder, which stands for nobody and must never be matched or changed."""
    if payload.get("isgeneraluser") is True:
        return True
    name = str(payload.get("name") or "").strip().casefold()
    return name == "general user" and not as_text(payload.get("emailaddress"))


def golden_id(payload: Mapping[str, Any], name: str = GOLDEN_ID_FIELD) -> str | None:
    """The golden id in the custom fields, None where the field is missing or empty."""
    return custom_field(payload, name)


def custom_field(payload: Mapping[str, Any], name: str) -> str | None:
    """Text of one custom field, by name and without regard to case."""
    for item in _custom_fields(payload):
        if str(item.get("name", "")).casefold() == name.casefold():
            return as_text(item.get("value"))
    return None


def merged_custom_fields(payload: Mapping[str, Any], values: Mapping[int, Any]) -> list[dict[str, Any]]:
    """The whole `customfields` array to send: what the record holds now, ours on top, by field id.

    The whole, because a tenant may take an array as replacing all others (PS module issues 13 and 14). `payload` must
    therefore be a detail read, never a list row that was asked for one custom field only.
    """
    whole = {as_id(item.get("id")): item.get("value") for item in _custom_fields(payload)}
    whole.pop(None, None)
    return [{"id": field_id, "value": value} for field_id, value in sorted((whole | dict(values)).items())]  # type: ignore[arg-type, type-var]


def as_id(value: Any) -> int | None:
    """An id as an integer, from 12, 12.0 or "12"; None for anything else and for zero and below."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() and value > 0 else None
    if isinstance(value, int):
        return value if value > 0 else None
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value) and int(value) > 0 else None


def as_text(value: Any) -> str | None:
    """Text without blanks around it; None for empty text and for what is neither text nor number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip() or None


def as_moment(value: Any) -> datetime | None:
    """Halo's naive date, which means UTC; None for the unset date of 1900 or earlier and for what is no date."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None if moment.year <= _UNSET_YEAR_MAX else moment.astimezone(UTC)


def outgoing(resource: str, fields: Mapping[str, Any], extra_names: Iterable[str] = ()) -> dict[str, Any]:
    """Fields ready to be sent: every name known, ids as integers.

    Raises:
        ValueError: a name that we may not write (Halo would drop it without a word), or an id that is none.
    """
    unknown = sorted(set(fields) - WRITABLE[resource] - set(extra_names))
    if unknown:
        raise ValueError(f"{resource}: {', '.join(unknown)} is not on the list of fields we may write (fields.py)")
    return {name: _sent_id(resource, name, value) if name in _ID_FIELDS else value for name, value in fields.items()}


def _sent_id(resource: str, name: str, value: Any) -> int:
    number = as_id(value)
    if number is None:
        raise ValueError(f"{resource}: {name} is {value!r}; expected a positive whole number")
    return number


def _texts(payload: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, str | None]:
    return {ours: as_text(payload.get(halo)) for ours, halo in names.items()}


def _custom_fields(payload: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    items = payload.get("customfields")
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []
