"""One golden record as the feed tells it: the seed's field names, in a fixed order, and nothing that is not mapped.

Belongs here: golden content -> wire record, and what may count as a usable e-mail address.
Does not: which records are sent and when (feed.py), HaloPSA's own field names (mapping.py).
Surprise: no value here depends on the time of the run, else every record would differ on every run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sources.halopsa.settings import GOLDEN_ID_FIELD

USABLE_EMAIL = frozenset({"verified", "risky"})
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_WIRE_ENTITY = {"organisation": "organization", "contact": "contact", "prospect": "prospect"}


def record(
    *,
    golden_id: str,
    entity: str,
    content: dict[str, Any] | None,
    organisation_name: str | None = None,
    reason: str | None = None,
    merged_into: str | None = None,
    is_prospect: bool = False,
) -> dict[str, Any]:
    """One element of `records`; `content` None means that the record is retired."""
    if content is None:
        data: dict[str, Any] = {"reason": reason} | ({"merged_into": merged_into} if merged_into else {})
        return _envelope("delete", golden_id, entity, data)
    data = _organisation(content) if entity == "organisation" else _contact(content, organisation_name)
    data["notes"] = f"Sources: {', '.join(filter(None, content.get('sources', '').split(',')))}"
    data["customfields"] = [{"name": GOLDEN_ID_FIELD, "value": golden_id}]
    return _envelope("upsert", golden_id, "prospect" if is_prospect else entity, data)


def text(**given: Any) -> str:
    """`record` as compact JSON, as it stands in a page of the feed; made once, when the record is committed."""
    return _COMPACT.encode(record(**given))


def usable_email(content: Mapping[str, Any]) -> str | None:
    """The address, where it may be written to; a guessed or dead one is worse than none."""
    return content.get("email") if content.get("email_status") in USABLE_EMAIL else None


def _envelope(action: str, golden_id: str, entity: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"action": action, "entity_type": _WIRE_ENTITY[entity], "external_id": golden_id, "data": data}


def _organisation(content: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": content.get("name"),
        "website": content.get("website"),
        "domain": content.get("domain"),
        "phonenumber": content.get("phone"),
        "street": content.get("street"),
        "city": content.get("city"),
        "state": content.get("state"),
        "postcode": content.get("postcode"),
        "country": content.get("country"),
        "industry": content.get("industry"),
        "employees": _head_count(content.get("employees_min"), content.get("employees_max")),
    }


def _contact(content: dict[str, Any], organisation_name: str | None) -> dict[str, Any]:
    return {
        "firstname": content.get("first_name"),
        "surname": content.get("last_name"),
        "emailaddress": usable_email(content),
        "jobtitle": content.get("job_title"),
        "phonenumber": content.get("phone") or content.get("mobile"),
        "organisation_name": organisation_name,
        "organization_external_id": content.get("organisation_golden_id"),
    }


def _head_count(low: int | None, high: int | None) -> str | None:
    """`51-200`, `120`, `10001+` or nothing."""
    if low is None:
        return None if high is None else f"1-{high}"
    if high is None:
        return f"{low}+"
    return str(low) if low == high else f"{low}-{high}"
