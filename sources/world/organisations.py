"""What a vendor says of a company.

Belongs here: one vendor's organisation records, neutral columns. Does not: its people (contacts.py), its wire shape
(the simulators).
Surprise: every record draws its own dice, so a vendor's two records of one company differ like two vendors' do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sources.world import places, spelling
from sources.world.companies import INDUSTRIES, Company
from sources.world.dice import stream
from sources.world.frames import object_frame
from sources.world.profile import Profile
from sources.world.vendors import Holding

ORGANISATION_COLUMNS = (
    "id",
    "company_id",
    "name",
    "domain",
    "website",
    "phone",
    "email",
    "street",
    "city",
    "state",
    "postcode",
    "country",
    "linkedin_url",
    "industry",
    "employees",
    "revenue_usd",
    "founded_year",
    "description",
    "parent_id",
    "updated_at",
)
_OTHER_INDUSTRY = {
    "Information Technology": "information technology & services",
    "Hospital & Health Care": "Healthcare",
    "Logistics & Supply Chain": "Transportation",
    "Legal Services": "Law Practice",
    "Non-profit": "Non-profit Organization Management",
}
# Phone spelling by vendor: shares of the styles of places.spell_phone.
PHONE_STYLES = {"apollo": (0, 0, 1, 1, 2, 3), "zoominfo": (2, 2, 2, 2, 1, 5), "uplead": (1, 1, 0, 0, 3, 4)}


def company_id(row: int) -> str:
    """The world's own id of a company."""
    return f"c{row:07d}"


def moments(rng: np.random.Generator, count: int) -> pd.DatetimeIndex:
    """Moments of 2025 and 2026, before November 2026, on whole seconds, UTC."""
    seconds = rng.integers(0, 669 * 86_400, count).astype("timedelta64[s]")
    return pd.DatetimeIndex(np.datetime64("2025-01-01T00:00:00") + seconds).tz_localize("UTC").as_unit("us")


def make_organisations(holding: Holding, companies: list[Company], seed: int, profile: Profile) -> pd.DataFrame:
    """One row a record, in the order of the vendor's holding."""
    rng = stream(seed, f"{holding.source} organisations")
    count = len(holding.company)
    dice, bits = rng.random((count, 24)), rng.integers(0, 2**31, (count, 4))
    rates, source = profile.organisation_records, holding.source
    rows = []
    for index, (row, identifier) in enumerate(zip(holding.company.tolist(), holding.organisation_ids, strict=True)):
        u, b = dice[index].tolist(), bits[index].tolist()
        company = companies[row]
        parent = holding.organisation_of.get(company.parent) if u[22] < rates["parent"] else None
        rows.append((identifier, company_id(row), *_told(company, source, u, b, rates), parent))
    columns = dict(zip(ORGANISATION_COLUMNS[:-1], zip(*rows, strict=True), strict=True))
    return object_frame({**columns, "updated_at": moments(rng, count)})


def _told(company: Company, source: str, u: list[float], b: list[int], rates: Any) -> tuple[Any, ...]:
    is_old = company.old_core is not None and u[0] < rates["old_name"]
    domain = _domain(company, is_old, u, rates)
    street, city, state, postcode = company.street, company.city, company.state, company.postcode
    if company.office is not None and u[9] < rates["other_office"] * 4:  # a quarter of the companies has one
        street, city, state, postcode = company.office
    phone = None
    if company.phone is not None and u[10] < rates["phone"]:
        phone = places.spell_phone(company.phone, company.code, PHONE_STYLES[source][b[0] % 6])
    website = (
        None
        if domain is None or u[11] < 0.08
        else ("http://www.{}", "https://{}", "https://www.{}/", "www.{}")[b[1] % 4].format(domain)
    )
    industry = _OTHER_INDUSTRY.get(company.industry, company.industry) if u[14] < 0.3 else company.industry
    employees = max(1, int(company.employees * (0.8 + 0.4 * u[17])))
    return (
        organisation_name(company, is_old, u, b, rates),
        domain,
        website,
        phone,
        company.email if u[12] < rates["email"] else None,
        _street(street, b[2]) if u[13] < rates["street"] else None,
        city,
        state,
        postcode if u[15] < rates["postcode"] else None,
        places.COUNTRIES[company.code].name if u[16] < rates["country"] else None,
        f"http://www.linkedin.com/company/{company.slug}" if u[18] < rates["linkedin"] else None,
        industry if u[19] < rates["industry"] else None,
        employees if u[20] < rates["employees"] else None,
        company.revenue_usd if u[21] < 0.6 else None,
        company.founded if u[21] < 0.8 else None,
        _description(company, b[3]) if u[23] < rates["description"] else None,
    )


def organisation_name(company: Company, is_old: bool, u: list[float], b: list[int], rates: Any) -> str:
    """The name as one record has it."""
    core = company.old_core if is_old and company.old_core else company.core
    if company.trading_name is not None and u[1] < rates["trading_name"]:
        core = company.trading_name
    elif company.acronym is not None and u[2] < rates["acronym"]:
        core = company.acronym
    elif u[3] < rates["abbreviation"]:
        core = spelling.company_abbreviation(core)
    if u[4] < rates["typo"]:
        core = spelling.slip(core, b[0])
    form = f" {company.form}" if company.form else ""
    if u[5] < rates["legal_form_dropped"]:
        form = ""
    elif form and u[5] < rates["legal_form_dropped"] + rates["legal_form_variant"]:
        form = spelling.legal_form(company.form, b[1])
    name = f"{core}{form}"
    return name.upper() if u[6] < rates["upper_case"] else name


def _domain(company: Company, is_old: bool, u: list[float], rates: Any) -> str | None:
    if u[7] >= rates["domain"]:
        return None
    if is_old and u[8] < 0.7:
        return company.old_domain
    if company.second_domain is not None and u[8] < rates["second_domain"]:
        return company.second_domain
    return company.domain


def _street(street: str, bits: int) -> str:
    if bits % 3:
        return street
    for long, short in (
        ("Street", "St"),
        ("Avenue", "Ave"),
        ("Road", "Rd."),
        ("Drive", "Dr"),
        ("Boulevard", "Blvd"),
        ("straße", "str."),
        ("Suite", "Ste"),
    ):
        street = street.replace(long, short)
    return street


def _description(company: Company, bits: int) -> str:
    nouns = INDUSTRIES[company.industry]
    kind = ("leading", "family-run", "growing", "regional")[bits % 4]
    return f"{company.core} is a {kind} provider of {nouns[bits // 4 % len(nouns)].lower()} in {company.city}."
