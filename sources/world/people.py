"""People of the world: who they are, where they work, how they can be reached.

Belongs here: what is true of a person. Does not: who is like whom (relations.py), what a vendor knows or gets wrong
(contacts.py).
Surprise: arrays are sorted by company, and person i is row i for ever (newcomers are appended at the end).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from sources.world import places
from sources.world.companies import Company
from sources.world.dice import Bools, Ints, Objects, cumulative, objects, pick, salt_of, scrambled, stream
from sources.world.mailboxes import FREE_MAIL, local_part, slug_of
from sources.world.names import HERITAGE, NATIVE_HERITAGES, pool, romanised
from sources.world.profile import Profile
from sources.world.relations import guess_mailboxes, relate, write_histories
from sources.world.titles import DEPARTMENT_SHARES, DEPARTMENTS, SENIORITIES, SENIORITY_SHARES, titles


@dataclass
class People:
    """Columns of true people, one row a person; the dictionaries are sparse, by row."""

    company: Ints
    code: Objects
    female: Bools
    first: Objects
    middle: Objects
    last: Objects
    suffix: Objects
    title: Objects
    seniority: Objects
    department: Objects
    email: Objects
    direct: Objects  # direct line, else None
    mobile: Objects
    slug: Objects
    street: Objects
    city: Objects
    state: Objects
    postcode: Objects
    phone_do_not_call: Bools
    mobile_do_not_call: Bools
    notice_date: Objects
    native: dict[int, tuple[str, str]] = field(default_factory=dict)  # first and last in their own script
    old_job: dict[int, tuple[int, str, str]] = field(default_factory=dict)  # company, e-mail, title before the move
    maiden: dict[int, tuple[str, str]] = field(default_factory=dict)  # surname, e-mail before the marriage
    guess: dict[int, str] = field(default_factory=dict)  # the one mailbox guessed for two people
    tags: dict[str, list[int]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.first)


def make_people(companies: list[Company], seed: int, profile: Profile) -> People:
    """Everybody, with all relations and addresses."""
    company = np.repeat(np.arange(len(companies)), [company.people for company in companies])
    count, rates = len(company), profile.people
    where = _where(company, companies, stream(seed, "remote"), rates["remote"])
    code = objects([each.code for each in companies])[where]
    rng = stream(seed, "names")
    female = rng.random(count) < 0.46
    first, middle, last, native = _names(code, female, rng, rates)
    seniority, department, title = _jobs(company, stream(seed, "jobs"))
    street, city, state, postcode = _addresses(where, company, companies, code, stream(seed, "streets"))
    nobody = objects([None] * count)
    people = People(
        company=company,
        code=code,
        female=female,
        first=first,
        middle=middle,
        last=last,
        suffix=nobody.copy(),
        title=title,
        seniority=seniority,
        department=department,
        email=nobody.copy(),
        direct=nobody.copy(),
        mobile=nobody.copy(),
        slug=nobody.copy(),
        street=street,
        city=city,
        state=state,
        postcode=postcode,
        phone_do_not_call=stream(seed, "phone dnc").random(count) < rates["phone_do_not_call"],
        mobile_do_not_call=stream(seed, "mobile dnc").random(count) < rates["mobile_do_not_call"],
        notice_date=_notices(code, stream(seed, "notices")),
        native=native,
    )
    relate(people, stream(seed, "relations"), rates)
    people.email = _emails(people, companies, stream(seed, "emails"), rates)
    people.slug = _slugs(people, seed)
    _numbers(people, companies, stream(seed, "numbers"), rates)
    guess_mailboxes(people, companies)
    write_histories(people, companies, stream(seed, "histories"), rates)
    return people


def _where(company: Ints, companies: list[Company], rng: np.random.Generator, share: float) -> Ints:
    """Row of the company whose place a person works at: the own one, or another's for people far away."""
    remote = rng.random(len(company)) < share
    return np.where(remote, rng.integers(0, len(companies), len(company)), company)


def _names(
    code: Objects, female: Bools, rng: np.random.Generator, rates: Mapping[str, float]
) -> tuple[Objects, Objects, Objects, dict[int, tuple[str, str]]]:
    count = len(code)
    heritage = objects([None] * count)
    for each, shares in HERITAGE.items():
        rows = np.flatnonzero(code == each)
        heritage[rows] = pick(rng, objects(list(shares)), cumulative(list(shares.values())), len(rows))
    first, middle, last = (objects([None] * count) for _ in range(3))
    for each in sorted(set(heritage.tolist())):
        names = pool(each)
        rows = np.flatnonzero(heritage == each)
        women, men = rows[female[rows]], rows[~female[rows]]
        for column in (first, middle):
            column[women] = pick(rng, names.first_female, names.first_female_shares, len(women))
            column[men] = pick(rng, names.first_male, names.first_male_shares, len(men))
        last[rows] = pick(rng, names.last, names.last_shares, len(rows))
        second = pick(rng, names.last, names.last_shares, len(rows))
        double = rng.random(len(rows)) < {
            "es": 0.35,
            "us": rates["double_barrelled"],
            "gb": 2 * rates["double_barrelled"],
        }.get(each, 0.0)
        joint = " " if each == "es" else "-"
        last[rows[double]] = [f"{one}{joint}{two}" for one, two in zip(last[rows[double]], second[double], strict=True)]
    native = {}
    for row in np.flatnonzero(np.isin(heritage, NATIVE_HERITAGES)).tolist():
        native[row] = (first[row], last[row])
        first[row], middle[row], last[row] = romanised(first[row]), None, romanised(last[row])
    middle[rng.random(count) >= rates["middle_name"]] = None
    return first, middle, last, native


def _emails(people: People, companies: list[Company], rng: np.random.Generator, rates: Mapping[str, float]) -> Objects:
    """One mailbox a person, never shared: the second of a name gets a number."""
    company, names = people.company, zip(people.first, people.last, people.code, strict=True)
    taken = {each.email for each in companies if each.email}
    free = (rng.random(len(company)) < rates["free_mail"]).tolist()
    bits = rng.integers(0, 2**31, len(company)).tolist()
    domains = [each.domain for each in companies]
    patterns = [each.pattern for each in companies]
    emails = []
    for row, (at, (one, two, land)) in enumerate(zip(company.tolist(), names, strict=True)):
        local = local_part(patterns[at], one, two, land)
        domain = domains[at]
        if free[row]:
            local, domain = (
                f"{local_part(bits[row] % 2 * 7, one, two, land)}{bits[row] // 7 % 900 + 10}",
                FREE_MAIL[bits[row] % 5],
            )
        address = f"{local}@{domain}"
        serial = 2
        while address in taken:
            address = f"{local}{serial}@{domain}"
            serial += 1
        taken.add(address)
        emails.append(address)
    return objects(emails)


def _jobs(company: Ints, rng: np.random.Generator) -> tuple[Objects, Objects, Objects]:
    count = len(company)
    seniority = np.searchsorted(SENIORITY_SHARES, rng.random(count), side="right")
    department = np.searchsorted(DEPARTMENT_SHARES, rng.random(count), side="right")
    is_first = np.concatenate([[True], company[1:] != company[:-1]])
    seniority = np.where(is_first, rng.integers(0, 2, count), seniority)
    draws = rng.integers(0, 2**31, count)
    title = objects([None] * count)
    for level, rank in enumerate(SENIORITIES):
        for area, name in enumerate(DEPARTMENTS):
            rows = np.flatnonzero((seniority == level) & (department == area))
            choices = objects(titles(name, rank))
            title[rows] = choices[draws[rows] % len(choices)]
    return objects(SENIORITIES)[seniority], objects(DEPARTMENTS)[department], title


def _slugs(people: People, seed: int) -> Objects:
    numbers = scrambled(np.arange(len(people)), salt_of(seed, "slug")).tolist()
    rows = zip(people.first, people.last, people.code, numbers, strict=True)
    return objects([slug_of(first, last, code, number) for first, last, code, number in rows])


def _addresses(
    where: Ints, company: Ints, companies: list[Company], code: Objects, rng: np.random.Generator
) -> tuple[Objects, Objects, Objects, Objects]:
    """Street, city, state and postal code of the place of work."""
    columns = {
        name: objects([getattr(each, name) for each in companies])[where]
        for name in ("street", "city", "state", "postcode")
    }
    bits = rng.integers(0, 2**31, len(company)).tolist()
    far = np.flatnonzero(where != company)
    columns["street"][far] = [places.street(code[row], bits[row]) for row in far.tolist()]
    in_office = np.flatnonzero((where == company) & (rng.random(len(company)) < 0.3))
    for row in in_office.tolist():
        office = companies[company[row]].office
        if office is not None:
            columns["street"][row], columns["city"][row], columns["state"][row], columns["postcode"][row] = office
    return columns["street"], columns["city"], columns["state"], columns["postcode"]


def _notices(code: Objects, rng: np.random.Generator) -> Objects:
    """ISO days on which people of the EU were told; half of them were."""
    days = np.datetime64("2025-01-01") + rng.integers(0, 600, len(code)).astype("timedelta64[D]")
    told = np.isin(code, places.EU_CODES) & (rng.random(len(code)) < 0.5)
    out = objects([None] * len(code))
    out[told] = days[told].astype(str)
    return out


def _numbers(people: People, companies: list[Company], rng: np.random.Generator, rates: Mapping[str, float]) -> None:
    """Direct lines and mobiles, each from its country's stock, after the switchboards."""
    has_direct = rng.random(len(people)) < rates["direct_line"]
    has_mobile = rng.random(len(people)) < rates["mobile"]
    for code in places.CODES:
        of_country = people.code == code
        offset = sum(company.code == code for company in companies)
        rows = np.flatnonzero(of_country & has_direct)
        people.direct[rows] = [places.phone_number(code, offset + rank, mobile=False) for rank in range(len(rows))]
        rows = np.flatnonzero(of_country & has_mobile)
        people.mobile[rows] = [places.phone_number(code, rank, mobile=True) for rank in range(len(rows))]
