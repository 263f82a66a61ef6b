"""Places: countries to ISO codes, states to their codes, streets and postal codes to one spelling.

Belongs here: what an address says, row by row. Does not: geocoding, distances.
Surprise: the privacy region is worked out from the country where a source says nothing of it; a person in Lyon is in
the EU whether or not the vendor noticed. What a source does say always wins.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

import pycountry

from transforms.kernels.fold import clean, fold, word_set

_COUNTRY_ALIASES = {
    "usa": "US", "us": "US", "u s": "US", "u s a": "US", "america": "US", "united states of america": "US",
    "estados unidos": "US", "uk": "GB", "u k": "GB", "great britain": "GB", "britain": "GB", "england": "GB",
    "scotland": "GB", "wales": "GB", "northern ireland": "GB",
    "united kingdom of great britain and northern ireland": "GB", "republic of ireland": "IE", "eire": "IE",
    "holland": "NL", "the netherlands": "NL", "nederland": "NL", "deutschland": "DE", "allemagne": "DE",
    "osterreich": "AT", "schweiz": "CH", "suisse": "CH", "svizzera": "CH", "espana": "ES", "italia": "IT",
    "belgie": "BE", "belgique": "BE", "danmark": "DK", "sverige": "SE", "norge": "NO", "suomi": "FI",
    "polska": "PL", "czech republic": "CZ", "turkey": "TR", "russia": "RU", "south korea": "KR",
    "korea south": "KR", "korea": "KR", "north korea": "KP", "vietnam": "VN", "viet nam": "VN", "taiwan": "TW",
    "hong kong sar": "HK", "macau": "MO", "iran": "IR", "syria": "SY", "laos": "LA", "bolivia": "BO",
    "venezuela": "VE", "tanzania": "TZ", "moldova": "MD", "ivory coast": "CI", "uae": "AE", "emirates": "AE",
    "brasil": "BR", "mexico": "MX", "macedonia": "MK", "palestine": "PS", "brunei": "BN", "cape verde": "CV",
    "swaziland": "SZ", "congo": "CG", "burma": "MM", "vatican": "VA", "new zealand aotearoa": "NZ",
}  # fmt: skip
# Where the GDPR or its British twin holds.
_EU_REGION = word_set(
    """
    AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO GB
    """
)
# States are shown by name in these countries, where sources mix codes and names most.
_STATES_BY_NAME = ("US", "CA", "AU")

_STREET_WORDS = {
    "street": "st", "str": "st", "road": "rd", "avenue": "ave", "av": "ave", "aven": "ave",
    "boulevard": "blvd", "boul": "blvd", "bd": "blvd", "lane": "ln", "drive": "dr", "drv": "dr", "court": "ct",
    "place": "pl", "square": "sq", "terrace": "ter", "terr": "ter", "highway": "hwy", "parkway": "pkwy",
    "pky": "pkwy", "circle": "cir", "crescent": "cres", "cr": "cres", "close": "cl", "gardens": "gdns",
    "grove": "gr", "trail": "trl", "turnpike": "tpke", "expressway": "expy", "plaza": "plz", "point": "pt",
    "suite": "ste", "floor": "fl", "flr": "fl", "building": "bldg", "apartment": "apt", "appartement": "apt",
    "room": "rm", "number": "no", "north": "n", "south": "s", "east": "e", "west": "w", "northeast": "ne",
    "northwest": "nw", "southeast": "se", "southwest": "sw", "mount": "mt", "fort": "ft", "house": "hse",
    "estate": "est", "industrial": "ind", "business": "bus", "centre": "ctr", "center": "ctr", "park": "pk",
    "strasse": "st", "platz": "pl", "calle": "c", "rue": "r",
}  # fmt: skip
_GERMAN_STREET = re.compile(r"(?<=[a-z]{3})str(?:asse)?$")
_FLOAT_TAIL = re.compile(r"\.0+$")
_ZIP_PLUS_FOUR = re.compile(r"^(\d{5})[- ]?\d{4}$")
_NOT_ALNUM = re.compile(r"[^a-z0-9]+")


@lru_cache(maxsize=10_000)
def country_code(text: str | None) -> str | None:
    """ISO 3166 alpha-2 of a name or code in the usual languages; None where it is no country."""
    cleaned = clean(text)
    if cleaned is None:
        return None
    folded = fold(cleaned)
    if folded in _COUNTRY_ALIASES:
        return _COUNTRY_ALIASES[folded]
    return _countries().get(folded)


@lru_cache(maxsize=100_000)
def state_code(text: str | None, country: str | None) -> str | None:
    """The state folded to the code of its country ("ca" for California in US); else just folded."""
    folded = fold(clean(text))
    if not folded:
        return None
    for known_country in (country,) if country else _STATES_BY_NAME:
        code = _states(known_country).get(folded)
        if code is not None:
            return code
    return folded


@lru_cache(maxsize=100_000)
def state_shown(text: str | None, country: str | None) -> str | None:
    """The state by name where it is known in US, CA, AU; else as the source spells it."""
    cleaned = clean(text)
    if cleaned is None or country not in _STATES_BY_NAME:
        return cleaned
    code = _states(country).get(fold(cleaned))
    return _state_names(country)[code] if code is not None else cleaned


@lru_cache(maxsize=100_000)
def city_fold(text: str | None) -> str | None:
    """The city folded; St. Louis is Saint Louis."""
    words = fold(clean(text)).split()
    if words and words[0] in ("st", "ste"):
        words[0] = {"st": "saint", "ste": "sainte"}[words[0]]
    return " ".join(words) or None


def street_fold(text: str | None) -> str | None:
    """The street folded, abbreviations in their short form: 12 Main Street, Suite 4 is 12 main st ste 4."""
    words = fold(clean(text)).split()
    return " ".join(_street_word(word) for word in words) or None


def postcode_shown(text: str | None, country: str | None) -> str | None:
    """The postal code in capitals; a zip code that lost its zeros on the way through a spreadsheet has them again."""
    cleaned = clean(text)
    if cleaned is None:
        return None
    code = _FLOAT_TAIL.sub("", cleaned).upper()
    if country == "US" and code.isascii() and code.isdecimal() and len(code) in (3, 4):
        return code.zfill(5)
    return code


def postcode_fold(text: str | None, country: str | None) -> str | None:
    """Letters and digits of the postal code; of a nine-figure American one the first five."""
    shown = postcode_shown(text, country)
    if shown is None:
        return None
    if country == "US" and (long_form := _ZIP_PLUS_FOUR.match(shown)):
        return long_form.group(1)
    return _NOT_ALNUM.sub("", fold(shown)) or None


def region(said: str | None, country: str | None, state: str | None) -> str | None:
    """eu, california, canada or None; `state` is the folded code."""
    if said in ("eu", "california", "canada"):
        return said
    if country in _EU_REGION:
        return "eu"
    if country == "CA":
        return "canada"
    if country == "US" and state == "ca":
        return "california"
    return None


def _street_word(word: str) -> str:
    if word in _STREET_WORDS:
        return _STREET_WORDS[word]
    return _GERMAN_STREET.sub("st", word)


@cache
def _countries() -> dict[str, str]:
    """Folded names and codes of all countries."""
    known: dict[str, str] = {}
    for country in pycountry.countries:
        for attribute in ("name", "official_name", "common_name", "alpha_3", "alpha_2"):
            if (spelling := getattr(country, attribute, None)) is not None:
                known[fold(spelling)] = country.alpha_2
    return known


@cache
def _states(country: str) -> dict[str, str]:
    """Folded names and codes of a country's states, each to its code."""
    subdivisions = sorted(pycountry.subdivisions.get(country_code=country) or (), key=lambda state: state.code)
    known = {fold(state.name): _local_code(state.code) for state in subdivisions}
    return known | {_local_code(state.code): _local_code(state.code) for state in subdivisions}


@cache
def _state_names(country: str) -> dict[str, str]:
    return {_local_code(state.code): state.name for state in pycountry.subdivisions.get(country_code=country) or ()}


def _local_code(code: str) -> str:
    return fold(code.partition("-")[2])
