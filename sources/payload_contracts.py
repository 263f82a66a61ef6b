"""What the mapping reads of each vendor's payloads: fields, and the kinds of value that they may hold.

Belongs here: contracts as data. Does not: noticing that a vendor broke one (`drift.py`), the mapping itself
(`transforms/sql/standardised`; a test holds that every field read there stands here).
Surprise: a field that is not listed is no part of any contract. It may come, go and change as it likes: that is noted
at most, because nothing downstream would be wrong.

`name[]` are the items of a list. Kinds: text, number, flag, list, object; null is always allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

TEXT, ID, FLAG, LIST, OBJECT = "text", "text number", "flag text", "list", "object"
_PHONE = dict.fromkeys(("sanitized_number", "raw_number", "type", "dnc_status"), TEXT)


@dataclass(frozen=True)
class Contract:
    """One kind of payload. `fields`: path -> kinds, blanks between. `omits_unknown`: where it knows nothing, the vendor
    leaves a field out instead of sending null; then one row without it says nothing."""

    fields: Mapping[str, str]
    omits_unknown: bool = False

    @cached_property
    def kinds(self) -> Mapping[str, frozenset[str]]:
        return {path: frozenset(kinds.split()) for path, kinds in self.fields.items()}

    @cached_property
    def parents(self) -> tuple[str, ...]:
        """The objects in which fields are read, the payload itself ("") first."""
        return tuple(dict.fromkeys(["", *(path.rpartition(".")[0] for path in self.fields)]))


def _within(parent: str, fields: Mapping[str, str]) -> dict[str, str]:
    return {f"{parent}.{name}": kinds for name, kinds in fields.items()}


CONTRACTS: Mapping[tuple[str, str], Contract] = {
    ("apollo", "contact"): Contract(
        {
            "organization_id": ID,
            "first_name": TEXT,
            "last_name": TEXT,
            "name": TEXT,
            "email": TEXT,
            "email_status": TEXT,
            "title": TEXT,
            "linkedin_url": TEXT,
            "street_address": TEXT,
            "city": TEXT,
            "state": TEXT,
            "postal_code": ID,
            "country": TEXT,
            "seniority": TEXT,
            "departments": LIST,
            "departments[]": TEXT,
            "organization": OBJECT,
            **_within("organization", {"name": TEXT, "primary_domain": TEXT, "website_url": TEXT}),
            "contact": OBJECT,
            **_within("contact", {"organization_name": TEXT, "phone_numbers": LIST}),
            **_within("contact.phone_numbers[]", _PHONE),
        }
    ),
    ("apollo", "organisation"): Contract(
        {
            "name": TEXT,
            "primary_domain": TEXT,
            "domain": TEXT,
            "website_url": TEXT,
            "sanitized_phone": TEXT,
            "phone": TEXT,
            "primary_phone": OBJECT,
            "primary_phone.sanitized_number": TEXT,
            "street_address": TEXT,
            "city": TEXT,
            "state": TEXT,
            "postal_code": ID,
            "country": TEXT,
            "linkedin_url": TEXT,
            "industry": TEXT,
            "estimated_num_employees": ID,
            "owned_by_organization_id": ID,
        }
    ),
    ("zoominfo", "contact"): Contract(
        {
            "attributes": OBJECT,
            **_within(
                "attributes",
                {
                    "firstName": TEXT,
                    "middleName": TEXT,
                    "lastName": TEXT,
                    "suffix": TEXT,
                    "email": TEXT,
                    "phone": ID,
                    "mobilePhone": ID,
                    "jobTitle": TEXT,
                    "company": OBJECT,
                    "street": TEXT,
                    "city": TEXT,
                    "state": TEXT,
                    "zipCode": ID,
                    "country": TEXT,
                    "contactAccuracyScore": ID,
                    "externalUrls": LIST,
                    "managementLevel": "list text",
                    "managementLevel[]": TEXT,
                    "jobFunction": "object list",
                    "directPhoneDoNotCall": FLAG,
                    "mobilePhoneDoNotCall": FLAG,
                    "withinEu": FLAG,
                    "withinCalifornia": FLAG,
                    "withinCanada": FLAG,
                    "noticeProvidedDate": TEXT,
                    "lastUpdatedDate": TEXT,
                },
            ),
            **_within("attributes.company", {"id": ID, "name": TEXT, "website": TEXT}),
            **_within("attributes.jobFunction", {"name": TEXT, "department": TEXT}),
            **_within("attributes.jobFunction[]", {"name": TEXT, "department": TEXT}),
        },
        omits_unknown=True,
    ),
    ("zoominfo", "organisation"): Contract(
        {
            "attributes": OBJECT,
            **_within(
                "attributes",
                {
                    "name": TEXT,
                    "domainList": LIST,
                    "domainList[]": TEXT,
                    "website": TEXT,
                    "phone": ID,
                    "street": TEXT,
                    "city": TEXT,
                    "state": TEXT,
                    "zipCode": ID,
                    "country": TEXT,
                    "socialMediaUrls": LIST,
                    "primaryIndustry": LIST,
                    "primaryIndustry[]": TEXT,
                    "employeeCount": ID,
                    "employeeRange": TEXT,
                    "parentId": ID,
                    "lastUpdatedDate": TEXT,
                },
            ),
        },
        omits_unknown=True,
    ),
    ("uplead", "contact"): Contract(
        {
            "first_name": TEXT,
            "last_name": TEXT,
            "email": TEXT,
            "email_status": TEXT,
            "phone_number": ID,
            "mobile_directdial": ID,
            "title": TEXT,
            "company_name": TEXT,
            "domain": TEXT,
            "linkedin_url": TEXT,
            "city": TEXT,
            "state": TEXT,
            "country": TEXT,
            "management_level": TEXT,
            "job_function": TEXT,
            "job_sub_function": TEXT,
            "company": OBJECT,
            **_within("company", {"id": ID, "company_name": TEXT, "domain": TEXT}),
        }
    ),
    ("uplead", "organisation"): Contract(
        {
            "company_name": TEXT,
            "domain": TEXT,
            "phone_number": ID,
            "address": TEXT,
            "city": TEXT,
            "state": TEXT,
            "zip": ID,
            "country": TEXT,
            "linkedin_url": TEXT,
            "industry": TEXT,
            "employees": ID,
        }
    ),
}
