"""How simulated ZoomInfo tells the world's people and companies: its JSON shapes, its vocabulary, its oddities.

Belongs here: pure functions from rows of the world to ZoomInfo's JSON. Does not: routes and credits (`simulator.py`).
Surprise: a small share of rows is odd on purpose (an item whose id is the company's, a head count with a comma, an
ampersand as an entity), chosen by the id alone, so that every run meets the same ones.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]

MANAGEMENT_LEVELS = {
    "owner": "C-Level",
    "c_suite": "C-Level",
    "vp": "VP-Level",
    "director": "Director",
    "manager": "Manager",
    "senior": "Non-Manager",
    "entry": "Non-Manager",
}
# Chosen so that only addresses that were verified reach 85, where ZoomInfo's own pages draw the line of "high".
_ACCURACY = {"verified": (85, 99), "risky": (79, 84), "guessed": (75, 78), "unknown": (70, 74), "invalid": (70, 70)}
_EMPLOYEE_RANGES = ((10, "1 - 10"), (50, "11 - 50"), (200, "51 - 200"), (500, "201 - 500"), (1_000, "501 - 1,000"),
                    (5_000, "1,001 - 5,000"), (10_000, "5,001 - 10,000"))  # fmt: skip
_ODD_SHARE = 60  # one row in sixty for each oddity
_COMPANY_PREFIX = "company"


def is_odd(row_id: str, oddity: str) -> bool:
    """Whether a row has an oddity; the same in every process."""
    return zlib.crc32(f"{oddity}:{row_id}".encode()) % _ODD_SHARE == 0


def has_no_date(row_id: str) -> bool:
    """Whether a contact is one of those that carry no date at all."""
    return is_odd(row_id, "no date")


def contact_hit(row: Row, employer: Row | None, is_managed: bool) -> dict[str, Any]:
    """A row of the free contact search: no address and no number, only whether there are any."""
    attributes = {
        "firstName": row["first_name"],
        "middleName": row["middle_name"],
        "lastName": row["last_name"],
        "jobTitle": row["job_title"],
        "contactAccuracyScore": accuracy(row),
        "validDate": _contact_moment(row),
        "lastUpdatedDate": _contact_moment(row),
        "hasEmail": bool(row["email"]),
        "hasSupplementalEmail": False,
        "hasDirectPhone": bool(row["phone"]),
        "hasMobilePhone": bool(row["mobile"]),
        "hasCompanyPhone": bool(row["organisation_phone"]),
        "directPhoneDoNotCall": bool(row["phone_do_not_call"]),
        "mobilePhoneDoNotCall": bool(row["mobile_do_not_call"]),
        "managementStatus": {"underManagement": is_managed},
    }
    company = {key: value for key, value in _employer(row, employer).items() if key in ("id", "name")}
    if company and not is_odd(row["id"], "no company"):
        attributes["company"] = company
    return {"id": row["id"], "type": "Contact", "attributes": _told(attributes)}


def company_hit(row: Row, is_managed: bool, purchase_date: str | None) -> dict[str, Any]:
    """A row of the free company search: numbers are text, revenue is in thousands."""
    employees, revenue = row["employees"], row["revenue_usd"]
    attributes = {
        "name": _name(row["name"], row["id"]),
        "city": row["city"],
        "state": row["state"],
        "country": row["country"],
        "website": row["website"] or row["domain"],
        "employeeCount": None if employees is None else str(int(employees)),
        "revenue": None if revenue is None else str(int(revenue) // 1_000),
        "managementStatus": _told({"underManagement": is_managed, "purchaseDate": purchase_date}),
    }
    return {"id": row["id"], "type": "Company", "attributes": _told(attributes)}


def contact(row: Row, employer: Row | None, fields: frozenset[str], asked: Mapping[str, Any]) -> dict[str, Any]:
    """An item of contact enrich with the fields asked for; company fields come back nested."""
    employed = {} if is_odd(row["id"], "no company") else _employer(row, employer)
    attributes = {name: value for name, value in _contact_attributes(row).items() if name in fields}
    nested = {key: value for key, value in employed.items() if _COMPANY_PREFIX + key[0].upper() + key[1:] in fields}
    told = _told(attributes | {"company": nested or None})
    item_id = str(employed["id"]) if "id" in employed and is_odd(row["id"], "company's id") else row["id"]
    meta = {"matchStatus": "FULL_MATCH", "input": dict(asked), "warnings": []}
    return {"id": item_id, "type": "Contact", "attributes": told, "meta": meta}


def company(row: Row, parent: Row | None, fields: frozenset[str], asked: Mapping[str, Any]) -> dict[str, Any]:
    """An item of company enrich with the fields asked for."""
    attributes = {name: value for name, value in _company_attributes(row, parent).items() if name in fields}
    meta = {"matchStatus": "FULL_MATCH", "input": dict(asked), "warnings": []}
    return {"id": row["id"], "type": "Company", "attributes": _told(attributes), "meta": meta}


def miss(asked: Mapping[str, Any], status: str = "NO_MATCH") -> dict[str, Any]:
    """What stands in the same list for an input that gave nothing."""
    return {"id": "0", "type": "NoMatch", "attributes": {}, "meta": {"matchStatus": status, "input": dict(asked)}}


def accuracy(row: Row) -> int:
    """The accuracy score, 70 to 99."""
    low, high = _ACCURACY.get(row["email_status"] or "unknown", (70, 74))
    return low + zlib.crc32(row["id"].encode()) % (high - low + 1)


def _contact_attributes(row: Row) -> dict[str, Any]:
    level = MANAGEMENT_LEVELS.get(row["seniority"] or "")
    linkedin = row["linkedin_url"]
    region = row["region"]
    return {
        "id": int(row["id"]),
        "firstName": row["first_name"],
        "middleName": row["middle_name"],
        "lastName": row["last_name"],
        "suffix": row["name_suffix"],
        "email": row["email"],
        "phone": _phone(row["phone"], row["phone_ext"]),
        "mobilePhone": row["mobile"],
        "directPhoneDoNotCall": bool(row["phone_do_not_call"]),
        "mobilePhoneDoNotCall": bool(row["mobile_do_not_call"]),
        "street": row["street"],
        "city": row["city"],
        "state": row["state"],
        "region": row["state"],
        "zipCode": row["postcode"],
        "country": row["country"],
        "jobTitle": row["job_title"],
        "jobFunction": None if row["department"] is None else _job_function(row),
        "managementLevel": None if level is None else [level],
        "contactAccuracyScore": str(accuracy(row)),
        "externalUrls": None if linkedin is None else [{"type": "linkedin.com", "url": linkedin}],
        "personHasMoved": "No",
        "noticeProvidedDate": None if row["notice_date"] is None else str(row["notice_date"])[:10],
        "withinEu": region == "eu",
        "withinCalifornia": region == "california",
        "withinCanada": region == "canada",
        "lastUpdatedDate": _contact_moment(row),
        "validDate": _contact_moment(row),
    }


def _job_function(row: Row) -> Any:
    """An object in the schema, a list in older samples: both occur."""
    told = {"name": row["department"], "department": row["department"]}
    return [told] if is_odd(row["id"], "function as list") else told


def _employer(row: Row, employer: Row | None) -> dict[str, Any]:
    """The nested company: what the contact's own record says, with the number of the company where there is one."""
    told = {
        "id": None if row["organisation_id"] is None else int(row["organisation_id"]),
        "name": _name(row["organisation_name"], row["id"]),
        "phone": row["organisation_phone"],
        "website": row["organisation_domain"] or (employer or {}).get("domain"),
    }
    return _told(told)


def _company_attributes(row: Row, parent: Row | None) -> dict[str, Any]:
    employees, revenue = row["employees"], row["revenue_usd"]
    return {
        "id": int(row["id"]),
        "name": _name(row["name"], row["id"]),
        "website": row["website"] or row["domain"],
        "domainList": [row["domain"]] if row["domain"] else None,
        "phone": row["phone"],
        "street": row["street"],
        "city": row["city"],
        "state": row["state"],
        "zipCode": row["postcode"],
        "country": row["country"],
        "employeeCount": None if employees is None else _head_count(int(employees), row["id"]),
        "employeeRange": None if employees is None else _employee_range(int(employees)),
        "revenue": None if revenue is None else int(revenue) // 1_000,
        "primaryIndustry": [row["industry"]] if row["industry"] else None,
        "socialMediaUrls": _social(row["linkedin_url"]),
        "foundedYear": None if row["founded_year"] is None else str(int(row["founded_year"])),
        "companyStatus": "ALIVE",
        "parentId": 0 if row["parent_id"] is None else int(row["parent_id"]),
        "parentName": None if parent is None else parent["name"],
        "description": row["description"],
        "lastUpdatedDate": _moment(row),
    }


def _social(linkedin_url: str | None) -> list[dict[str, str]] | None:
    return [{"type": "LINKED_IN", "url": linkedin_url, "followerCount": "0"}] if linkedin_url else None


def _head_count(employees: int, row_id: str) -> int | str:
    return f"{employees:,}" if is_odd(row_id, "comma") else employees


def _employee_range(employees: int) -> str:
    return next((text for top, text in _EMPLOYEE_RANGES if employees <= top), "Over 10,000")


def _name(name: str | None, row_id: str) -> str | None:
    return name.replace("&", "&amp;") if name and is_odd(row_id, "entity") else name


def _phone(phone: str | None, extension: Any) -> str | None:
    return f"{phone} ext. {extension}" if phone and extension else phone


def _contact_moment(row: Row) -> str | None:
    return None if has_no_date(row["id"]) else _moment(row)


def _moment(row: Row) -> str | None:
    """ISO with Z, to the second."""
    return None if row["updated_at"] is None else str(row["updated_at"].strftime("%Y-%m-%dT%H:%M:%SZ"))


def _told(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """ZoomInfo leaves out what it does not know."""
    return {name: value for name, value in attributes.items() if value is not None and value != ""}
