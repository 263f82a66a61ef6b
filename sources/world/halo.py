"""What HaloPSA already holds before we come: clients and users that people typed in over the years.

Belongs here: the first content of the HaloPSA simulator. Does not: its wire shape, sites, custom fields (halopsa/).
Surprise: `human_edited` names the fields whose value a technician typed by hand and no vendor has; a run may never
overwrite those.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sources.world import places
from sources.world.companies import Company
from sources.world.dice import stream
from sources.world.frames import object_frame
from sources.world.organisations import company_id, organisation_name
from sources.world.people import People
from sources.world.profile import Profile

CLIENT_COLUMNS = (
    "client_id",
    "company_id",
    "name",
    "website",
    "domain",
    "phone",
    "street",
    "city",
    "state",
    "postcode",
    "country",
    "inactive",
    "human_edited",
)
USER_COLUMNS = (
    "user_id",
    "client_id",
    "person_id",
    "firstname",
    "surname",
    "emailaddress",
    "phonenumber",
    "mobile",
    "title",
    "inactive",
    "is_general_user",
    "human_edited",
)
_FIRST_CLIENT_ID, _FIRST_USER_ID = 12, 41  # a tenant starts with rows of its own
_HAND_TITLES = ("Main contact", "Site lead (mornings)", "Approver", "Key holder")


def make_halo(
    companies: list[Company], people: People, seed: int, profile: Profile
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(clients, users): a share of the companies, with some of their people and one General User each."""
    rates, rng = profile.halo, stream(seed, "halo")
    held = np.flatnonzero(rng.random(len(companies)) < rates["company_coverage"]).tolist() or [0]
    clients = [_client(serial, row, companies[row], rng, profile) for serial, row in enumerate(held)]
    users: list[tuple[object, ...]] = []
    starts = np.searchsorted(people.company, np.arange(len(companies) + 1))
    for client, row in zip(clients, held, strict=True):
        users.append(
            (
                len(users) + _FIRST_USER_ID,
                client[0],
                None,
                "General",
                "User",
                None,
                None,
                None,
                None,
                client[11],
                True,
                (),
            )
        )
        span = np.arange(starts[row], starts[row + 1])
        for person in span[rng.random(len(span)) < rates["person_coverage"]].tolist():
            users.append(
                (
                    len(users) + _FIRST_USER_ID,
                    client[0],
                    *_user(person, people, companies[row], rng.random(10).tolist(), rates),
                )
            )
    return _frame(CLIENT_COLUMNS, clients), _frame(USER_COLUMNS, users)


def _frame(names: tuple[str, ...], rows: list[tuple[object, ...]]) -> pd.DataFrame:
    return object_frame(dict(zip(names, zip(*rows, strict=True), strict=True)))


def _client(serial: int, row: int, company: Company, rng: np.random.Generator, profile: Profile) -> tuple[object, ...]:
    u, b, rates = rng.random(16).tolist(), rng.integers(0, 2**31, 4).tolist(), profile.halo
    name = organisation_name(company, False, u, b, profile.organisation_records)
    website = f"https://www.{company.domain}" if u[9] < rates["website"] else None
    phone = places.spell_phone(company.phone, company.code, 2) if company.phone and u[10] < rates["phone"] else None
    edited: tuple[str, ...] = ()
    if u[11] < rates["edited_client"]:
        edited = (("name", "phone", "website")[b[3] % 3],)
        name = f"{company.core} (managed)" if edited == ("name",) else name
        website = f"https://portal.{company.domain}/support" if edited == ("website",) else website
        phone = hand_number(company.code, serial, mobile=False) if edited == ("phone",) else phone
    return (
        serial + _FIRST_CLIENT_ID,
        company_id(row),
        name,
        website,
        company.domain if u[12] < rates["website"] else None,
        phone,
        company.street if u[13] < 0.7 else None,
        company.city,
        company.state,
        company.postcode if u[13] < 0.7 else None,
        places.COUNTRIES[company.code].name,
        u[14] < rates["inactive_client"],
        edited,
    )


def _user(row: int, people: People, company: Company, u: list[float], rates: Mapping[str, float]) -> tuple[object, ...]:
    email = people.email[row]
    if u[0] < rates["no_email"]:
        email = None
    elif u[0] < rates["no_email"] + rates["old_email"]:
        email = f"{people.email[row].split('@')[0]}@{company.old_domain or 'old-' + company.domain}"
    code = people.code[row]
    phone = people.direct[row] or company.phone
    mobile = people.mobile[row] if u[2] < rates["mobile"] else None
    title = people.title[row] if u[3] < rates["title"] else None
    edited: tuple[str, ...] = ()
    if u[4] < rates["edited_user"]:
        edited = (("mobile", "title", "phonenumber")[row % 3],)
        mobile = hand_number(code, row, mobile=True) if edited == ("mobile",) else mobile
        title = _HAND_TITLES[row % len(_HAND_TITLES)] if edited == ("title",) else title
        phone = hand_number(code, row, mobile=False) if edited == ("phonenumber",) else phone
    spelt = (
        places.spell_phone(phone, code, 2) if phone and (u[1] < rates["phone"] or edited == ("phonenumber",)) else None
    )
    inactive = u[5] < rates["inactive_user"]
    return (f"p{row:07d}", people.first[row], people.last[row], email, spelt, mobile, title, inactive, False, edited)


def hand_number(code: str, serial: int, *, mobile: bool) -> str:
    """A number that nobody in the world has: from the far end of the country's stock."""
    country = places.COUNTRIES[code]
    exchanges, digits = (country.mobile, country.mobile_digits) if mobile else (country.fixed, country.fixed_digits)
    stock = len(exchanges) * 10**digits
    # North America has one stock for both kinds, with mobiles from the middle on.
    far = stock // 2 if country.dial == "1" else stock
    return places.phone_number(code, far - 1 - serial % (far // 4), mobile=mobile)
