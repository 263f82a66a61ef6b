"""Who holds whom: the companies and people in each vendor's hands, and the ids it gives them.

Belongs here: coverage, duplicates inside one vendor, vendor-like ids.
Does not: what the records say (contacts.py, organisations.py).
Surprise: ids are scrambled serial numbers (a bijection), so they look like the vendor's, never collide, and stay the
same when people are added.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sources.world.companies import Company
from sources.world.dice import Ints, salt_of, scrambled, stream
from sources.world.people import People
from sources.world.profile import SOURCES, Profile, VendorProfile

_ORGANISATION_SERIAL = 1 << 40  # serial numbers of organisations start beyond those of contacts


@dataclass(frozen=True)
class Holding:
    """What one vendor holds: rows of companies and of people, a row again for a duplicate; each with its id."""

    source: str
    company: Ints
    organisation_ids: list[str]
    person: Ints
    contact_ids: list[str]
    organisation_of: dict[int, str]  # company row -> the id that contacts name


def holdings(companies: list[Company], people: People, seed: int, profile: Profile) -> dict[str, Holding]:
    """All vendors' holdings; famous people and large companies are known to more vendors than chance would have it."""
    fame = stream(seed, "fame").random(len(people)) - 0.5
    size = np.array([company.people for company in companies])
    reach = np.minimum(np.log2(size + 1) / 12, 0.5) - 0.12
    return {source: _holding(source, profile.vendors[source], people, fame, reach, seed) for source in SOURCES}


def _holding(
    source: str, vendor: VendorProfile, people: People, fame: np.ndarray, reach: np.ndarray, seed: int
) -> Holding:
    rng = stream(seed, f"{source} holding")
    holds_company = rng.random(len(reach)) < np.clip(vendor.company_coverage + reach * 0.4, 0.02, 0.99)
    chance = np.clip(vendor.person_coverage + fame * 0.3, 0.02, 0.98)
    held = holds_company[people.company] & (rng.random(len(people)) < chance)
    if not holds_company.any():
        holds_company[0] = True
    company = np.flatnonzero(holds_company)
    again = company[rng.random(len(company)) < vendor.duplicate_organisation]
    person = np.flatnonzero(held)
    twice = person[rng.random(len(person)) < vendor.duplicate_contact]
    organisation_ids = vendor_ids(source, np.concatenate([company * 2, again * 2 + 1]) + _ORGANISATION_SERIAL, seed)
    return Holding(
        source=source,
        company=np.concatenate([company, again]),
        organisation_ids=organisation_ids,
        person=np.concatenate([person, twice]),
        contact_ids=vendor_ids(source, np.concatenate([person * 2, twice * 2 + 1]), seed),
        organisation_of=dict(zip(company.tolist(), organisation_ids, strict=False)),
    )


def contact_id(source: str, person: int, seed: int) -> str:
    """The id that a vendor gives the first record of a person."""
    return vendor_ids(source, np.array([person * 2]), seed)[0]


def vendor_ids(source: str, serials: Ints, seed: int) -> list[str]:
    """Apollo: 24 hex digits. ZoomInfo: a number beyond 32 bits for people, below for companies. UpLead: a UUID."""
    if source == "zoominfo":
        return [_zoominfo_id(serial) for serial in serials.tolist()]
    high = scrambled(serials, salt_of(seed, f"{source} id"))
    if source == "apollo":
        return [
            f"{0x5E000000 + serial % 0x08000000:08x}{bits:016x}"
            for serial, bits in zip(serials.tolist(), high.tolist(), strict=True)
        ]
    low = scrambled(serials, salt_of(seed, f"{source} id, low half"))
    return [_uuid(one, two) for one, two in zip(high.tolist(), low.tolist(), strict=True)]


def _zoominfo_id(serial: int) -> str:
    # An odd factor modulo a power of two is a bijection: 2^30 ids, beyond 2^31 for people.
    is_company = serial >= _ORGANISATION_SERIAL
    spread = (serial % _ORGANISATION_SERIAL * 387_420_489 + 71_993) % (1 << 30)
    return str((300_000_000 if is_company else 4_000_000_000) + spread)


def _uuid(high: int, low: int) -> str:
    # All 16 digits of `high` stand in it beside version and variant, so no two serials share an id.
    digits = f"{high:016x}"
    tail = f"{low:016x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-a{digits[15]}{tail[:2]}-{tail[2:14]}"
