"""Places and numbers: countries, cities, streets, postal codes, telephone numbers and their spellings.

Belongs here: what an address and a number look like in each country.
Does not: who lives or calls there (companies.py, people.py).
Surprise: numbers come from exchanges kept for fiction where a country has enough of them (North American 555,
British 496 and 7946); elsewhere they are only plausible and, like everything here, invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sources.world.words import section, split, words

_STREET_ENDS = {
    "US": "Street|Avenue|Road|Drive|Lane|Boulevard|Court|Parkway",
    "GB": "Street|Road|Lane|Way|Close|Avenue|Court|Place",
}
_STREET_WORDS = words("places", "street_words")
_STREET_FORMS = {code: split(text) for code, text in section("street_forms").items()}
_TOWN_HEADS, _TOWN_TAILS = words("places", "town_heads"), words("places", "town_tails")
_CITIES = {code: [tuple(city.split(",")) for city in split(text)] for code, text in section("cities").items()}
_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"


@dataclass(frozen=True)
class Country:
    """One country: full name, share of companies, domain endings, how numbers are made and grouped."""

    name: str
    share: float
    endings: tuple[str, ...]
    dial: str
    trunk: str
    fixed: tuple[str, ...]  # exchanges; the rest of the number follows
    mobile: tuple[str, ...]
    fixed_digits: int  # of the rest
    mobile_digits: int
    fixed_groups: tuple[int, ...]
    mobile_groups: tuple[int, ...]


def _country(entry: dict[str, Any]) -> Country:
    lists = {name: tuple(split(entry[name])) for name in ("endings", "fixed", "mobile")}
    groups = {name: tuple(entry[name]) for name in ("fixed_groups", "mobile_groups")}
    return Country(**{**entry, **lists, **groups})


COUNTRIES: dict[str, Country] = {code: _country(entry) for code, entry in section("countries").items()}
CODES = tuple(COUNTRIES)
EU_CODES = ("IE", "DE", "FR", "NL", "ES", "SE")


def phone_number(code: str, serial: int, *, mobile: bool) -> str:
    """The E.164 number of a serial; different serials give different numbers until a country's stock is used up."""
    country = COUNTRIES[code]
    exchanges, digits = (country.mobile, country.mobile_digits) if mobile else (country.fixed, country.fixed_digits)
    span = 10**digits
    if mobile and country.dial == "1":  # one stock for both kinds: mobiles start in its middle
        serial += len(exchanges) * span // 2
    # 7,919 is prime to every power of ten: a full walk through the numbers of an exchange, out of order.
    rest = (serial // len(exchanges) * 7919 + 1234) % span
    return f"+{country.dial}{exchanges[serial % len(exchanges)]}{rest:0{digits}d}"


def spell_phone(number: str, code: str, style: int) -> str:
    """An E.164 number as a vendor writes it; style 0 E.164, 1 spaced international, 2 national, 3 dotted or dashed,
    4 bare digits, 5 with 00 or 1 in front."""
    country = COUNTRIES[code]
    national = number[len(country.dial) + 1 :]
    if style == 0 or not number.startswith("+" + country.dial):
        return number
    if style == 4:
        return country.trunk + national
    mobile = national.startswith(country.mobile) and country.dial != "1"
    parts = _grouped(national, country.mobile_groups if mobile else country.fixed_groups)
    if style == 1:
        return f"+{country.dial} {' '.join(parts)}"
    if country.dial == "1":
        return {2: "({}) {}-{}", 3: "{}.{}.{}", 5: "1-{}-{}-{}"}[style].format(*parts)
    if style == 2:
        return country.trunk + " ".join(parts)
    if style == 3:
        return country.trunk + "-".join(parts)
    exit_code = "0011" if code == "AU" else "00"
    return f"{exit_code}{country.dial} {' '.join(parts)}"


def _grouped(digits: str, groups: tuple[int, ...]) -> list[str]:
    parts, start = [], 0
    for width in groups:
        parts.append(digits[start : start + width])
        start += width
    if start < len(digits):
        parts[-1] += digits[start:]
    return [part for part in parts if part]


def place(code: str, a: float, b: int) -> tuple[str, str | None, str]:
    """(city, state, postal code) from a share in [0, 1) and 32 random bits."""
    cities = _CITIES[code]
    city, state, pattern = cities[int(a * len(cities))]
    if code in ("US", "GB") and b % 100 < 35:  # towns of the long tail
        town = _TOWN_HEADS[b // 100 % 20] + _TOWN_TAILS[b // 2000 % 20]
        city = town if b // 40_000 % 4 else f"North {town}"
    return city, state or None, _postcode(pattern, b)


def _postcode(pattern: str, bits: int) -> str:
    out = []
    for sign in pattern:
        if sign == "#":
            bits, digit = divmod(bits, 10)
            out.append(str(digit))
        elif sign == "?":
            bits, letter = divmod(bits, 20)
            out.append(_LETTERS[letter])
        else:
            out.append(sign)
        if bits < 20:
            bits = bits * 48271 + 2_147_483_647 + len(out)
    return "".join(out)


def street(code: str, bits: int) -> str:
    """A street and number in the country's order."""
    bits, number = divmod(bits, 240)
    if code in _STREET_FORMS:
        form, *choices = _STREET_FORMS[code]
        return form.format(w=choices[bits % len(choices)], n=number + 1)
    bits, word = divmod(bits, len(_STREET_WORDS))
    ends = _STREET_ENDS["US" if code in ("US", "CA") else "GB"].split("|")
    bits, end = divmod(bits, len(ends))
    block = (number + 1) * (10 if code == "US" and bits % 2 else 1)
    base = f"{block} {_STREET_WORDS[word]} {ends[end]}"
    bits, kind = divmod(bits, 8)
    if kind == 0:
        return f"{base}, Suite {100 + bits % 400}" if code in ("US", "CA") else f"Unit {1 + bits % 30}, {base}"
    return base
