"""Difficulty profiles: how often each phenomenon happens, frozen and named.

Belongs here: rates. Does not: how a phenomenon is made (people.py, companies.py, spelling.py, views.py).
Surprise: a published profile never changes, a test pins its digest. Harder or easier data are a new name, so that
two benchmark receipts that say `bench-v1` are about the same data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any

SOURCES = ("apollo", "zoominfo", "uplead")


def _rates(**rates: float) -> Mapping[str, float]:
    return MappingProxyType(rates)


@dataclass(frozen=True)
class VendorProfile:
    """What one vendor holds and how carelessly; every rate is a share of its records unless it says otherwise."""

    company_coverage: float  # share of companies
    person_coverage: float  # share of the people of a company it holds
    duplicate_contact: float
    duplicate_organisation: float
    stale_job: float  # of people who changed jobs: still at the old employer here
    email: float
    email_guessed: float  # of the e-mails
    phone: float
    mobile: float
    linkedin: float
    middle_name: float  # of people who have one
    job_title: float
    city: float
    street: float
    organisation_id: float
    typo: float


@dataclass(frozen=True)
class Profile:
    """One frozen set of rates."""

    name: str
    version: int
    people_per_company: float
    vendors: Mapping[str, VendorProfile]
    companies: Mapping[str, float]  # of companies
    people: Mapping[str, float]  # of people
    records: Mapping[str, float]  # of contact records
    organisation_records: Mapping[str, float]  # of organisation records
    halo: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain nested dictionary, for receipts and the digest."""
        return {
            "name": self.name,
            "version": self.version,
            "people_per_company": self.people_per_company,
            "vendors": {name: asdict(vendor) for name, vendor in self.vendors.items()},
            "companies": dict(self.companies),
            "people": dict(self.people),
            "records": dict(self.records),
            "organisation_records": dict(self.organisation_records),
            "halo": dict(self.halo),
        }

    def digest(self) -> str:
        """SHA-256 of all rates."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()


BENCH_V1 = Profile(
    name="bench-v1",
    version=1,
    people_per_company=8.5,
    vendors=MappingProxyType(
        {
            "apollo": VendorProfile(
                company_coverage=0.88,
                person_coverage=0.64,
                duplicate_contact=0.015,
                duplicate_organisation=0.012,
                stale_job=0.40,
                email=0.80,
                email_guessed=0.14,
                phone=0.70,
                mobile=0.28,
                linkedin=0.82,
                middle_name=0.12,
                job_title=0.96,
                city=0.88,
                street=0.10,
                organisation_id=0.97,
                typo=0.018,
            ),
            "zoominfo": VendorProfile(
                company_coverage=0.82,
                person_coverage=0.60,
                duplicate_contact=0.008,
                duplicate_organisation=0.008,
                stale_job=0.35,
                email=0.84,
                email_guessed=0.08,
                phone=0.80,
                mobile=0.40,
                linkedin=0.40,
                middle_name=0.60,
                job_title=0.97,
                city=0.92,
                street=0.75,
                organisation_id=0.98,
                typo=0.012,
            ),
            "uplead": VendorProfile(
                company_coverage=0.74,
                person_coverage=0.525,
                duplicate_contact=0.022,
                duplicate_organisation=0.018,
                stale_job=0.50,
                email=0.90,
                email_guessed=0.10,
                phone=0.62,
                mobile=0.22,
                linkedin=0.62,
                middle_name=0.03,
                job_title=0.94,
                city=0.80,
                street=0.0,
                organisation_id=0.96,
                typo=0.025,
            ),
        }
    ),
    companies=_rates(
        subsidiary=0.06,
        subsidiary_shared_domain=0.45,  # of the subsidiaries
        similar_name=0.03,
        rebrand=0.025,
        trading_name=0.02,
        acronym=0.10,  # has a short form in use
        second_domain=0.05,
        surname_name=0.18,
        place_name=0.10,
        no_switchboard=0.06,
    ),
    people=_rates(
        namesake=0.006,
        relative=0.020,
        father_son=0.003,
        guessed_mailbox=0.008,
        job_change=0.08,
        married_name=0.010,
        remote=0.07,
        middle_name=0.45,
        double_barrelled=0.015,
        free_mail=0.03,
        direct_line=0.38,
        mobile=0.72,
        phone_do_not_call=0.04,
        mobile_do_not_call=0.12,
    ),
    records=_rates(
        nickname=0.16,  # of records whose first name has one
        initial_only=0.020,
        swapped_name=0.012,
        transposed=0.006,
        dropped_accent=0.45,  # of records whose name has one
        other_romanisation=0.25,  # of records of a name from another script
        native_script=0.06,  # of the same
        upper_case=0.010,
        middle_in_first=0.012,
        honorific=0.006,
        suffix_dropped=0.35,
        suffix_in_last_name=0.30,
        married_name_stale=0.50,
        mailbox_guessed_twice=0.65,  # of records of a guessed_mailbox pair: both get the one guess
        wrong_phone=0.010,
        wrong_email=0.003,
        wrong_linkedin=0.003,
        role_mailbox=0.010,
        personal_email=0.020,
        stale_title=0.08,
        placeholder_name=0.0008,
        placeholder_phone=0.002,
        email_upper_case=0.02,
        switchboard_with_extension=0.10,
        other_office=0.05,
    ),
    organisation_records=_rates(
        legal_form_dropped=0.35,
        legal_form_variant=0.30,
        abbreviation=0.12,  # of names with a word that has one
        acronym=0.12,  # of companies that have one
        old_name=0.40,  # of rebranded companies
        trading_name=0.45,  # of companies that have one
        typo=0.015,
        upper_case=0.02,
        domain=0.94,
        second_domain=0.30,  # of companies that have one
        phone=0.85,
        linkedin=0.72,
        email=0.12,
        street=0.85,
        other_office=0.06,
        postcode=0.85,
        country=0.98,
        industry=0.92,
        employees=0.92,
        description=0.60,
        parent=0.70,  # of the subsidiaries whose parent the vendor holds
    ),
    halo=_rates(
        company_coverage=0.15,
        person_coverage=0.40,
        no_email=0.10,
        old_email=0.12,
        inactive_client=0.05,
        inactive_user=0.08,
        edited_client=0.10,
        edited_user=0.08,
        website=0.55,
        phone=0.75,
        mobile=0.25,
        title=0.45,
    ),
)

PROFILES = MappingProxyType({profile.name: profile for profile in (BENCH_V1,)})
