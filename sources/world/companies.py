"""Companies of the world: names, domains, head counts, families, and the other names they go by.

Belongs here: what is true of a company. Does not: what a vendor makes of it (organisations.py).
Surprise: a subsidiary or a regional office is a company of its own (own people, own address), even where it shares the
domain of its parent; a company with a name very like another's is another company.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from sources.world import places
from sources.world.dice import Ints, cumulative, stream
from sources.world.names import pool, strip_accents
from sources.world.profile import Profile
from sources.world.words import section, split, words

_COINED_HEADS, _COINED_TAILS = words("companies", "heads"), words("companies", "tails")
INDUSTRIES = {name: tuple(split(text)) for name, text in section("industries").items()}
_REGIONS = {code: split(text) for code, text in section("regions").items()}
_FORMS = {code: [entry.split(" ", 1) for entry in split(text)] for code, text in section("legal_forms").items()}
# Shares of the ways a company makes its mailboxes; people.py knows what each number means.
MAILBOX_PATTERNS = ("first.last", "flast", "first", "firstl", "first_last", "last.first", "f.last", "firstlast")
_PATTERN_SHARES = cumulative((0.46, 0.24, 0.07, 0.05, 0.03, 0.02, 0.06, 0.07))


@dataclass
class Company:
    """One true company; `people` is its size in this world, `employees` the head count that vendors print."""

    code: str
    people: int
    core: str  # name without legal form
    form: str
    domain: str
    city: str
    state: str | None
    postcode: str
    street: str
    industry: str
    employees: int
    founded: int
    revenue_usd: int
    pattern: int
    slug: str
    phone: str | None = None
    email: str | None = None
    parent: int = -1
    second_domain: str | None = None
    old_core: str | None = None
    old_domain: str | None = None
    trading_name: str | None = None
    acronym: str | None = None
    office: tuple[str, str, str | None, str] | None = None  # street, city, state, postal code of a second office
    tags: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Name with legal form."""
        return f"{self.core} {self.form}".strip()


def make_companies(people: int, seed: int, profile: Profile) -> list[Company]:
    """All companies; their `people` add up to `people`."""
    sizes = _sizes(people, seed, profile)
    rates, count = profile.companies, len(sizes)
    rng = stream(seed, "companies")
    shares = cumulative([country.share for country in places.COUNTRIES.values()])
    codes = [places.CODES[index] for index in np.searchsorted(shares, rng.random(count), side="right")]
    dice = rng.random((count, 24))
    bits = rng.integers(0, 2**31, (count, 6))
    companies: list[Company] = []
    taken: set[str] = set()
    for index in range(count):
        u, b = dice[index].tolist(), bits[index].tolist()
        model = companies[int(u[0] * index)] if index > 3 else None
        if model is not None and u[1] < rates["subsidiary"]:
            company = _subsidiary(companies, int(u[0] * index), codes[index], u, b, taken, rates)
        elif model is not None and u[1] < rates["subsidiary"] + rates["similar_name"]:
            company = _similar(model, codes[index], u, b, taken)
        else:
            company = _own(codes[index], u, b, taken, rates)
        company.people = int(sizes[index])
        company.employees = max(company.people, int(company.people * (1.2 + u[2] * u[3] * 30)))
        company.revenue_usd = int(company.employees * (60_000 + u[4] * 240_000)) // 1000 * 1000
        _aliases(company, u, b, taken, rates)
        companies.append(company)
    _number(companies, rates, dice)
    return companies


def _sizes(people: int, seed: int, profile: Profile) -> Ints:
    """Heavy-tailed sizes (Pareto) that add up exactly."""
    count = max(3, round(people / profile.people_per_company))
    rng = stream(seed, "sizes")
    cap = max(12, min(1200, people // 10))
    raw = np.minimum((1.0 - rng.random(count)) ** (-1 / 1.15), cap)
    sizes = np.clip(np.floor(raw * (people / raw.sum())), 1, cap).astype(np.int64)
    while (gap := people - int(sizes.sum())) != 0:
        chosen = rng.integers(0, count, min(abs(gap), count))
        step = np.bincount(chosen, minlength=count)
        sizes = sizes + step if gap > 0 else np.maximum(1, sizes - step)
    return sizes


def _own(code: str, u: list[float], b: list[int], taken: set[str], rates: Mapping[str, float]) -> Company:
    industry = list(INDUSTRIES)[int(u[5] * len(INDUSTRIES))]
    noun = INDUSTRIES[industry][b[0] % len(INDUSTRIES[industry])]
    city, state, postcode = places.place(code, u[6], b[1])
    if u[7] < rates["surname_name"]:
        core = _surname_name(code, u[8], u[9], noun, b[2])
    elif u[7] < rates["surname_name"] + rates["place_name"]:
        core = f"{city} {noun}"
    else:
        head, tail = _COINED_HEADS[b[2] % len(_COINED_HEADS)], _COINED_TAILS[b[3] % len(_COINED_TAILS)]
        coined = head + (tail if head[-1] != tail[0] else tail[1:])
        core = coined if u[8] < 0.12 else f"{coined} {noun}" if u[8] < 0.93 else f"{head} {tail.title()} {noun}"
    return _company(code, core, industry, (city, state, postcode), u, b, taken)


def _surname_name(code: str, a: float, c: float, noun: str, bits: int) -> str:
    heritage = {
        "US": "us",
        "GB": "gb",
        "CA": "us",
        "AU": "gb",
        "IE": "ie",
        "DE": "de",
        "FR": "fr",
        "NL": "nl",
        "ES": "es",
        "SE": "sv",
    }[code]
    last = pool(heritage).last
    one, two = last[int(a * len(last))], last[int(c * len(last))]
    return (
        f"{one} {noun}",
        f"{one} & Sons",
        f"{one} & {two}",
        f"{one} {two} {noun}",
        f"{one} Brothers {noun}",
        f"{one} and Partners",
    )[bits % 6]


def _company(
    code: str,
    core: str,
    industry: str,
    where: tuple[str, str | None, str],
    u: list[float],
    b: list[int],
    taken: set[str],
) -> Company:
    shares = np.cumsum([float(share) for share, _ in _FORMS[code]])
    form = _FORMS[code][int(np.searchsorted(shares, u[10] * 0.9999, side="right"))][1].replace("-", "")
    domain = _domain(core, code, b[4], taken)
    return Company(
        code=code,
        people=0,
        core=core,
        form=form,
        domain=domain,
        city=where[0],
        state=where[1],
        postcode=where[2],
        street=places.street(code, b[5]),
        industry=industry,
        employees=0,
        founded=1900 + int(124 * (1 - u[11] ** 2.2)),
        revenue_usd=0,
        pattern=int(np.searchsorted(_PATTERN_SHARES, u[12], side="right")),
        slug=re.sub(r"[^a-z0-9]+", "-", strip_accents(core).lower()).strip("-")
        + ("" if u[13] < 0.6 else f"-{b[3] % 90 + 10}"),
    )


def _subsidiary(
    companies: list[Company],
    parent: int,
    code: str,
    u: list[float],
    b: list[int],
    taken: set[str],
    rates: Mapping[str, float],
) -> Company:
    model = companies[parent]
    while model.parent >= 0:
        parent, model = model.parent, companies[model.parent]
    regions = _REGIONS[code]
    region = regions[b[0] % len(regions)]
    core = f"{model.core} ({region})" if u[14] < 0.3 else f"{model.core} {region}"
    company = _company(code, core, model.industry, places.place(code, u[6], b[1]), u, b, taken)
    company.parent = parent
    company.tags.append("subsidiary")
    if u[15] < rates["subsidiary_shared_domain"]:
        company.domain, company.pattern = model.domain, model.pattern
        company.tags.append("shared_domain")
    return company


def _similar(model: Company, code: str, u: list[float], b: list[int], taken: set[str]) -> Company:
    """Another company with the same name elsewhere, or with the same first word in another trade."""
    industry = model.industry if u[14] < 0.35 else list(INDUSTRIES)[b[0] % len(INDUSTRIES)]
    nouns = INDUSTRIES[industry]
    first = model.core.split(" ")[0]
    core = model.core if u[14] < 0.35 else f"{first} {nouns[b[2] % len(nouns)]}"
    company = _company(code, core, industry, places.place(code, u[6], b[1]), u, b, taken)
    company.tags.append("similar_name")
    return company


def _domain(core: str, code: str, bits: int, taken: set[str]) -> str:
    words = re.sub(r"[^a-z0-9 ]+", "", strip_accents(core).lower().replace("&", " and ")).split()
    endings = places.COUNTRIES[code].endings
    short = words[:1] if len(words) > 2 and bits % 3 == 0 else words
    joined = ("-" if bits % 11 == 0 else "").join(short) + ("group" if bits % 29 == 0 else "")
    domain = joined + endings[bits // 29 % len(endings)]
    serial = 2
    while domain in taken:
        extra = (places.COUNTRIES[code].endings[0].split(".")[-1], "group", "hq", "co", str(serial))[min(serial - 2, 4)]
        domain = f"{''.join(words)}-{extra}{endings[bits // 29 % len(endings)]}"
        serial += 1
    taken.add(domain)
    return domain


def _aliases(company: Company, u: list[float], b: list[int], taken: set[str], rates: Mapping[str, float]) -> None:
    words = [word for word in re.split(r"[ &()]+", company.core) if word and word[0].isupper()]
    if u[16] < rates["acronym"] and len(words) >= 2:
        company.acronym = (
            "".join(word[0] for word in words) if len(words) > 2 else f"{words[0][:2].upper()}{words[1][0]}"
        )
    if u[17] < rates["rebrand"] and company.parent < 0:
        company.old_core = (
            f"{_COINED_HEADS[b[1] % len(_COINED_HEADS)]}{_COINED_TAILS[b[0] % len(_COINED_TAILS)]} {words[-1]}"
        )
        company.old_domain = _domain(company.old_core, company.code, b[2], taken)
        company.tags.append("rebrand")
    if u[18] < rates["trading_name"]:
        company.trading_name = f"The {words[0]} {('Company', 'Group', 'Team', 'Works')[b[3] % 4]}"
        company.tags.append("trading_name")
    if u[19] < rates["second_domain"]:
        company.second_domain = _domain(words[0] + " " + words[-1] + " online", company.code, b[5], taken)
    if u[20] < 0.25:
        city, state, postcode = places.place(company.code, u[21], b[0])
        company.office = (places.street(company.code, b[3]), city, state, postcode)
    if u[22] < 0.6:
        company.email = f"{('info', 'hello', 'contact', 'office', 'sales')[b[4] % 5]}@{company.domain}"


def _number(companies: list[Company], rates: Mapping[str, float], dice: np.ndarray) -> None:
    """Switchboards: one number a company, from the first of its country's stock."""
    used = dict.fromkeys(places.CODES, 0)
    for index, company in enumerate(companies):
        if dice[index, 23] >= rates["no_switchboard"]:
            company.phone = places.phone_number(company.code, used[company.code], mobile=False)
            used[company.code] += 1
