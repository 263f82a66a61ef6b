"""How simulated UpLead tells the world's people and companies: its JSON shapes, its bands, its oddities.

Belongs here: pure functions from rows of the world to UpLead's JSON. Does not: routes and credits (`simulator.py`).
Surprise: no row carries a date, and UpLead has no field for a middle name or a suffix, so a suffix stands in
`last_name`. A small share of rows is odd on purpose, chosen by the id alone, so that every run meets the same ones.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]

EMAIL_STATUS = {
    "verified": "valid",
    "risky": "accept_all",
    "guessed": "unknown",
    "unknown": "unknown",
    "invalid": "invalid",
}
MANAGEMENT_LEVELS = {"owner": "C", "c_suite": "C", "vp": "VP", "director": "D", "manager": "M"}
JOB_FUNCTIONS = frozenset(
    {
        "advisory", "analyst", "creative", "education", "engineering", "finance", "fulfillment", "health",
        "hospitality", "human resources", "legal", "manufacturing", "marketing", "operations", "partnerships",
        "product", "professional service", "public service", "research", "sales", "sales engineering", "support",
        "trade", "unemployed",
    }
)  # fmt: skip
_FUNCTION_OF = {"information technology": "engineering", "customer service": "support"}
EMPLOYEE_BANDS = (
    (10, "1-10"), (50, "11-50"), (200, "51-200"), (500, "201-500"), (1_000, "501-1000"), (5_000, "1001-5000"),
    (10_000, "5001-10000"),
)  # fmt: skip
_REVENUE_BANDS = (
    (1e6, "0-1m"), (10e6, "1m-10m"), (50e6, "10m-50m"), (100e6, "50m-100m"), (200e6, "100m-200m"), (1e9, "200m-1b"),
)  # fmt: skip
_COUNTRY_CODES = {"United States": "US", "United Kingdom": "GB", "Canada": "CA", "Germany": "DE", "France": "FR"}
_KEYPAD = str.maketrans("23456789", "ADGJMPTW")
_ODD_SHARE = 60  # one row in sixty for each oddity


def is_odd(row_id: str, oddity: str) -> bool:
    """Whether a row has an oddity; the same in every process."""
    return zlib.crc32(f"{oddity}:{row_id}".encode()) % _ODD_SHARE == 0


def contact(row: Row, industry: str | None) -> dict[str, Any]:
    """A person as prospector-search gives it; null for what is unknown."""
    department = row["department"]
    told = {
        "id": row["id"],
        "first_name": row["first_name"],
        "last_name": " ".join(part for part in (row["last_name"], row["name_suffix"]) if part) or None,
        "title": row["job_title"],
        "job_function": job_function(department),
        "job_sub_function": department,
        "management_level": MANAGEMENT_LEVELS.get(row["seniority"] or ""),
        "gender": row["gender"],
        "email": _email(row),
        "email_status": email_status(row),
        "phone_number": _phone(
            row["phone"] or row["organisation_phone"], row["phone_ext"] if row["phone"] else None, row
        ),
        "mobile_directdial": row["mobile"],
        "city": row["city"],
        "state": row["state"],
        "county": None,
        "country": _country(row),
        "linkedin_url": row["linkedin_url"],
        "industry": industry,
        "domain": row["organisation_domain"],
        "company_name": _name(row["organisation_name"], row["id"]),
    }
    if is_odd(row["id"], "no status"):
        del told["email_status"]
    return told


def email_status(row: Row) -> str | None:
    """UpLead's word for the state of an address; None where there is no address."""
    return EMAIL_STATUS.get(row["email_status"] or "unknown", "unknown") if row["email"] else None


def job_function(department: str | None) -> str | None:
    """UpLead's job function, one of the published list."""
    function = _FUNCTION_OF.get(department or "", department)
    return function if function in JOB_FUNCTIONS else None


def company(row: Row) -> dict[str, Any]:
    """A company as company-search gives it, and nested in the pro search."""
    return {
        "id": row["id"],
        "company_name": _name(row["name"], row["id"]),
        "domain": row["domain"],
        "address": row["street"],
        "city": row["city"],
        "state": row["state"],
        "zip": row["postcode"],
        "county": None,
        "country": row["country"],
        "phone_number": row["phone"],
        "fax_number": None,
        "employees": employee_band(row),
        "revenue": _revenue_band(row),
        "industry": row["industry"],
        "sic_code": None,
        "naics_code": None,
        "description": row["description"],
        "year_founded": None if row["founded_year"] is None else int(row["founded_year"]),
        "logo": f"https://logo.uplead.com/{row['domain']}" if row["domain"] else None,
        "linkedin_url": row["linkedin_url"],
        "twitter_url": None,
        "facebook_url": None,
        "type": "private",
        "ticker": None,
        "alexa_rank": None,
    }


def employee_band(row: Row) -> str | None:
    """The head count as UpLead's band; null for some."""
    if row["employees"] is None or is_odd(row["id"], "no head count"):
        return None
    return next((band for top, band in EMPLOYEE_BANDS if row["employees"] <= top), "10001+")


def _revenue_band(row: Row) -> str | None:
    revenue = row["revenue_usd"]
    if revenue is None:
        return None
    if is_odd(row["id"], "unknown band"):
        return "$1B+"
    return next((band for top, band in _REVENUE_BANDS if revenue <= top), "1b+")


def _email(row: Row) -> str | None:
    return row["email"].upper() if row["email"] and is_odd(row["id"], "upper case") else row["email"]


def _country(row: Row) -> str | None:
    country = row["country"]
    return _COUNTRY_CODES.get(country or "", country) if is_odd(row["id"], "country code") else country


def _phone(phone: str | None, extension: Any, row: Row) -> str | None:
    """Some lines end in the letters of a keypad, some carry an extension."""
    if not phone:
        return None
    ending = phone[-4:]
    if is_odd(row["id"], "letters") and ending.isdigit() and not set(ending) & {"0", "1"}:
        return phone[:-4] + ending.translate(_KEYPAD)
    return f"{phone} x{extension}" if extension else phone


def _name(name: str | None, row_id: str) -> str | None:
    return name.replace("&", "&amp;") if name and is_odd(row_id, "entity") else name
