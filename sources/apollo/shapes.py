"""How simulated Apollo tells the world's people and companies: its JSON shapes, its vocabulary, its oddities.

Belongs here: pure functions from rows of the world to Apollo's JSON. Does not: routes, credits (`simulator.py`).
Surprise: a small share of rows is odd on purpose (null employer, `{}` for a phone, a number sent as text, markup in
a headline), chosen by the id alone, so that every run meets the same ones.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import phonenumbers
import pycountry

from sources.apollo.settings import PLACEHOLDER_EMAIL

Row = Mapping[str, Any]

MAYBE_PHONE = "Maybe: please request direct dial via people/bulk_match"
EMAIL_STATUS = {
    "verified": "verified",
    "risky": "extrapolated",
    "guessed": "guessed",
    "invalid": "unavailable",
    "unknown": "unverified",
}
_ODDITIES = (
    *("null_employer", "empty_phone", "null_phone", "null_history", "empty_headline", "emoji_title", "markup_title"),
    "headcount_as_text",
)


def email_status(row: Row) -> str | None:
    """Apollo's word for the state of an address."""
    return EMAIL_STATUS.get(row["email_status"] or "") if row["email"] else None


def stub(row: Row, employer: Row | None) -> dict[str, Any]:
    """What the free search tells: no address, no number, no surname, no domain."""
    return {
        "id": row["id"],
        "first_name": row["first_name"],
        "last_name_obfuscated": masked(row["last_name"]),
        "title": row["job_title"],
        "last_refreshed_at": moment(row["updated_at"]),
        "has_email": bool(row["email"]),
        "has_city": bool(row["city"]),
        "has_state": bool(row["state"]),
        "has_country": bool(row["country"]),
        "has_direct_phone": "Yes" if row["mobile"] or row["phone"] else MAYBE_PHONE,
        "organization": _employer_flags(row, employer),
    }


def _employer_flags(row: Row, employer: Row | None) -> dict[str, Any]:
    held: Row = employer or {}
    return {
        "name": held.get("name") or row["organisation_name"],
        "has_industry": bool(held.get("industry")),
        "has_phone": bool(held.get("phone")),
        "has_city": bool(held.get("city")),
        "has_state": bool(held.get("state")),
        "has_country": bool(held.get("country")),
        "has_zip_code": bool(held.get("postcode")),
        "has_revenue": bool(held.get("revenue_usd")),
        "has_employee_count": bool(held.get("employees")),
    }


def person(row: Row, employer: Row | None, *, is_saved: bool, oddity_share: float = 0.0) -> dict[str, Any]:
    """The record that a match sells. Phones come with saved people only; others' come by callback."""
    told = {
        "id": row["id"],
        "first_name": row["first_name"],
        "last_name": _surname(row),
        "name": _whole_name(row),
        "linkedin_url": _linkedin(row["linkedin_url"]),
        "title": row["job_title"],
        "email_status": email_status(row),
        "photo_url": None,
        "twitter_url": None,
        "github_url": None,
        "facebook_url": None,
        "extrapolated_email_confidence": 0.62 if email_status(row) == "extrapolated" else None,
        "headline": row["job_title"],
        "email": row["email"],
        "organization_id": row["organisation_id"],
        "employment_history": [_employment(row)],
        "state": row["state"],
        "city": row["city"],
        "country": row["country"],
        "street_address": row["street"],
        "postal_code": row["postcode"],
        "departments": [row["department"]] if row["department"] else [],
        "subdepartments": [],
        "functions": [],
        "seniority": row["seniority"],
        "organization": organisation(employer) if employer else _named_only(row),
        "revealed_for_current_team": True,
    }
    if is_saved:
        saved = contact(row, employer)
        told |= {"contact_id": saved["id"], "contact": saved, "account_id": saved["account_id"]}
    return _with_oddity(told, oddity_share)


def unpaid_person(row: Row, employer: Row | None) -> dict[str, Any]:
    """`GET /people/{id}` of somebody not saved: a placeholder stands where the address would be."""
    told = person(row, employer, is_saved=False)
    if told["email_status"] == "verified":
        told["email"] = PLACEHOLDER_EMAIL
    return told


def contact(row: Row, employer: Row | None) -> dict[str, Any]:
    """A person saved in the workspace, as `contacts/search` tells it."""
    return {
        "id": saved_id("contact", row["id"]),
        "person_id": row["id"],
        "first_name": row["first_name"],
        "last_name": _surname(row),
        "name": _whole_name(row),
        "title": row["job_title"],
        "linkedin_url": _linkedin(row["linkedin_url"]),
        "email": row["email"],
        "email_status": email_status(row),
        "contact_emails": [{"email": row["email"], "email_status": email_status(row), "position": 0}]
        if row["email"]
        else [],
        "phone_numbers": _phones(row),
        "organization_id": row["organisation_id"],
        "organization_name": row["organisation_name"],
        "account_id": saved_id("account", row["organisation_id"]) if row["organisation_id"] else None,
        "organization": organisation(employer) if employer else None,
        "city": row["city"],
        "state": row["state"],
        "country": row["country"],
        "updated_at": moment(row["updated_at"]),
    }


def organisation(row: Row) -> dict[str, Any]:
    """A company as it hangs on a person, and as `organizations/enrich` tells it."""
    industry = row["industry"].lower() if row["industry"] else None
    number = e164(row["phone"], row["country"])
    return {
        "id": row["id"],
        "name": row["name"],
        "website_url": row["website"] or (f"http://www.{row['domain']}" if row["domain"] else None),
        "primary_domain": row["domain"],
        "linkedin_url": _linkedin(row["linkedin_url"]),
        "linkedin_uid": str(int(digest(row["id"])[:7], 16)),
        "phone": row["phone"],
        "sanitized_phone": number,
        "primary_phone": {"number": row["phone"], "source": "Owler", "sanitized_number": number}
        if row["phone"]
        else {},
        "industry": industry,
        "industries": [industry] if industry else [],
        "secondary_industries": [],
        "industry_tag_id": digest(f"industry:{industry}")[:24] if industry else None,
        "industry_tag_hash": {industry: digest(f"industry:{industry}")[:24]} if industry else {},
        "keywords": [],
        "estimated_num_employees": row["employees"],
        "founded_year": row["founded_year"],
        "annual_revenue": row["revenue_usd"],
        "raw_address": ", ".join(
            str(row[key]) for key in ("street", "city", "state", "postcode", "country") if row[key]
        ),
        "street_address": row["street"],
        "city": row["city"],
        "state": row["state"],
        "postal_code": row["postcode"],
        "country": row["country"],
        "publicly_traded_symbol": None,
        "owned_by_organization_id": row["parent_id"],
        "suborganizations": [],
        "short_description": row["description"],
        "technology_names": [],
        "funding_events": [],
    }


def thin_organisation(row: Row) -> dict[str, Any]:
    """A row of `mixed_companies/search`: no industry, head count, address or revenue."""
    whole = organisation(row)
    kept = ("id", "name", "website_url", "primary_domain", "linkedin_url", "phone", "sanitized_phone", "primary_phone")
    return {key: whole[key] for key in kept}


def account(row: Row) -> dict[str, Any]:
    """A company saved in the workspace: its own id, the company's beside it, and no `updated_at` at all."""
    return {
        **organisation(row),
        "id": saved_id("account", row["id"]),
        "organization_id": row["id"],
        "domain": row["domain"],
        "created_at": "2025-03-01T09:00:00.000Z",
    }


def masked(surname: str | None) -> str | None:
    """`Kennedy` becomes `Ke***y`."""
    return f"{surname[:2]}***{surname[-1]}" if surname else None


def moment(value: Any) -> str | None:
    """A time as Apollo writes it, `2026-10-02T07:15:33.120+00:00`."""
    if value is None:
        return None
    when: datetime = value if value.tzinfo else value.replace(tzinfo=UTC)
    return when.astimezone(UTC).isoformat(timespec="milliseconds")


def digest(text: str) -> str:
    """40 hex digits that depend on the text alone."""
    return hashlib.sha1(text.encode("utf-8"), usedforsecurity=False).hexdigest()


def saved_id(kind: str, vendor_id: str) -> str:
    """The id that a saved contact or account has beside that of the person or company."""
    return digest(f"{kind}:{vendor_id}")[:24]


@lru_cache(maxsize=4_096)
def e164(raw: str | None, country: str | None) -> str | None:
    """A number as Apollo sanitises it; None where it makes no sense of it."""
    if not raw:
        return None
    try:
        return phonenumbers.format_number(
            phonenumbers.parse(raw, _region(country)), phonenumbers.PhoneNumberFormat.E164
        )
    except phonenumbers.NumberParseException:
        return None


@lru_cache(maxsize=512)
def _region(country: str | None) -> str | None:
    if not country:
        return None
    try:
        return str(pycountry.countries.lookup(country).alpha_2)
    except LookupError:
        return None


def _phones(row: Row) -> list[dict[str, Any]]:
    numbers = [(row["phone"], None, row["phone_do_not_call"]), (row["mobile"], "mobile", row["mobile_do_not_call"])]
    return [
        {
            "raw_number": raw,
            "sanitized_number": e164(raw, row["country"]),
            "type": kind,
            "position": position,
            "status": "valid_number",
            "dnc_status": "do_not_call" if is_barred else None,
            "dnc_other_info": None,
            "dialer_flags": None,
        }
        for position, (raw, kind, is_barred) in enumerate(numbers)
        if raw
    ]


def _surname(row: Row) -> str | None:
    """Apollo has no field for a suffix; it stands behind the surname."""
    return " ".join(part for part in (row["last_name"], row["name_suffix"]) if part) or None


def _whole_name(row: Row) -> str | None:
    parts = (row["first_name"], row["middle_name"], _surname(row))
    return " ".join(part for part in parts if part) or None


def _linkedin(raw: str | None) -> str | None:
    """Apollo's scheme is http, and the host has its www."""
    if not raw:
        return None
    path = re.sub(r"^(https?://)?([a-z]{2,3}\.)?linkedin\.com", "", raw)
    return f"http://www.linkedin.com/{path.lstrip('/')}"


def _employment(row: Row) -> dict[str, Any]:
    key = digest(f"job:{row['id']}")[:24]
    return {
        "_id": key,
        "id": key,
        "key": key,
        "current": True,
        "title": row["job_title"],
        "organization_id": row["organisation_id"],
        "organization_name": row["organisation_name"],
        "start_date": None,
        "end_date": None,
        "degree": None,
        "major": None,
    }


def _named_only(row: Row) -> dict[str, Any] | None:
    """An employer whom Apollo has no company record of."""
    if not row["organisation_name"]:
        return None
    return {"id": None, "name": row["organisation_name"], "primary_domain": row["organisation_domain"]}


def _with_oddity(told: dict[str, Any], share: float) -> dict[str, Any]:
    mark = digest(f"odd:{told['id']}")
    if int(mark[:8], 16) >= share * 0x1_0000_0000:
        return told
    employer = told["organization"]
    match _ODDITIES[int(mark[8:12], 16) % len(_ODDITIES)]:
        case "null_employer":
            told["organization"] = None
        case "empty_phone" if employer:
            employer["primary_phone"] = {}
        case "null_phone" if employer:
            employer["primary_phone"] = None
        case "null_history":
            told["employment_history"] = None
        case "empty_headline":
            told["headline"] = ""
        case "emoji_title" if told["title"]:
            told["headline"] = f'{told["title"]} \N{ROCKET} & "friends"'
        case "markup_title" if told["title"]:
            told["headline"] = f"<b>{told['title']}</b>"
        case "headcount_as_text" if employer and employer.get("estimated_num_employees"):
            employer["estimated_num_employees"] = str(employer["estimated_num_employees"])
    return told
