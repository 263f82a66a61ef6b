"""Telephone numbers: E.164 where a number is valid, else its digits, and the extension apart.

Belongs here: reading what people and vendors type, with the country of the row as the default region.
Does not: what a number is worth as evidence (a switchboard is learned by matching).
Surprise: a number that is not valid is kept as bare digits, without "+" (country code first where the row's country
tells it). So "+" at the front means: valid E.164.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc

from transforms.kernels import phone_plans
from transforms.kernels.columns import on_distinct, where_sure
from transforms.kernels.fold import clean

DIGITS_MIN = 6  # shorter ones are extensions and slips, and glue strangers together
DIGITS_MAX = 17  # E.164 has 15; two more for a trunk prefix
LENGTH_MAX = 60

_EXTENSION = re.compile(
    r"[\s,;.(]*?(?:extension|extn|ext|durchwahl|poste|x|#|,,+)\s*[.:#=]?\s*(\d{1,7})\)?\s*$", re.IGNORECASE
)
_LETTERS = re.compile(r"[^\W\d_]+")
_VANITY_TAIL = re.compile(r"[A-Za-z]{3,8}[ -]*[A-Za-z]*$")
_LABEL = re.compile(
    r"^\s*(?:tel(?:ephone)?|phone|mob(?:ile)?|cell|office|direct|ph|t|m|p|o|d)\s*[.:]*\s*(?=[+(\d])", re.IGNORECASE
)
_SECOND_NUMBER = re.compile(r"\s*(?:[/|;]|\bor\b)\s*(?=[+(\d])")
_FLOAT_TAIL = re.compile(r"(?<=\d{6})\.0$")  # a spreadsheet took it for a quantity
_NOT_DIGIT = re.compile(r"\D+")
_TRUNK_IN_BRACKETS = re.compile(r"^(\+\d{1,3})\s*\(0\)")
_KEYPAD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")
# A number as most are typed: digits and signs between them, at most an extension behind it; no letters, no second
# number, no trunk zero in brackets.
_PLAIN = r"^(?P<body>[ (]*[+]?[0-9][0-9 ().-]*?)(?: *(?:x|ext[.]?) *(?P<extension>[0-9]{1,7}))?$"
_NOT_PLAIN = r"\(0\)|[.]0$"
_PLAIN_LENGTH_MAX = 40
_ONE_DIGIT = [digit * length for digit in "0123456789" for length in range(1, DIGITS_MAX + 1)]


class Phone(NamedTuple):
    """`number` is E.164, or bare digits where it is not valid; `extension` are its digits."""

    number: str | None
    extension: str | None


NO_PHONE = Phone(None, None)


@lru_cache(maxsize=200_000)
def parse(text: str | None, country: str | None) -> Phone:
    """The number in the text; `country` (ISO alpha-2) is used where it is in national form."""
    cleaned = clean(text)
    if cleaned is None or len(cleaned) > LENGTH_MAX:
        return NO_PHONE
    body, extension = _split_extension(_first_number(_LABEL.sub("", cleaned)))
    body = _TRUNK_IN_BRACKETS.sub(r"\1", body)
    if _LETTERS.search(body):
        body = _spelled_out(body)
    if len(set(_digits(body))) < 2:
        return NO_PHONE  # 0000000000 is how a form is got past, and would glue strangers together
    candidates = _candidates(body, country)
    for digits, region in candidates[:1]:
        plain = phone_plans.national(digits, region) if region else phone_plans.international(digits[1:])
        if plain is not None:
            return Phone(plain, extension)
    readings = [number for number in (_read(*candidate) for candidate in candidates) if number is not None]
    for number in readings:
        if phonenumbers.is_valid_number(number):
            return Phone(_e164(number), extension)
    for number in readings:
        if phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE:
            return _as_digits(_e164(number)[1:], extension)
    return _as_digits(_digits(body), extension)


def plain(texts: pa.Array, countries: pa.Array) -> pa.Array:
    """The short way of `parse`: numbers that their country's plan knows as valid."""
    bodies, extensions = pc.extract_regex(texts, _PLAIN).flatten()
    digits = pc.replace_substring_regex(bodies, "[^0-9]+", "")
    has_plus = pc.match_substring(bodies, "+")
    dials_abroad = pc.and_(pc.starts_with(digits, "00"), on_distinct(phone_plans.dials_00, countries, kind=pa.bool_()))
    with_code = pc.if_else(has_plus, digits, pc.if_else(dials_abroad, pc.utf8_slice_codeunits(digits, 2), None))
    in_national_form = pc.if_else(has_plus, None, digits)
    numbers = pc.coalesce(phone_plans.nationals(in_national_form, countries), phone_plans.internationals(with_code))
    is_odd = pc.or_(pc.match_substring_regex(texts, _NOT_PLAIN), pc.is_in(digits, pa.array(_ONE_DIGIT)))
    has_length = pc.and_(
        pc.greater_equal(pc.binary_length(digits), DIGITS_MIN), pc.less(pc.binary_length(texts), _PLAIN_LENGTH_MAX)
    )
    is_sure = pc.and_(pc.and_(has_length, pc.invert(is_odd)), numbers.is_valid())
    return where_sure(is_sure, Phone, numbers, pc.if_else(pc.equal(extensions, ""), None, extensions))


def _candidates(body: str, country: str | None) -> list[tuple[str, str | None]]:
    """Readings to try, most literal first."""
    digits = _digits(body)
    if body.lstrip(" (").startswith("+"):
        return [("+" + digits, None)]
    readings: list[tuple[str, str | None]] = []
    if country is not None:
        readings.append((digits, country))
    if digits.startswith("00"):
        readings.append(("+" + digits[2:], None))
    elif digits.startswith("011") and country is None:
        readings.append(("+" + digits[3:], None))
    return readings


def _read(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    if not DIGITS_MIN <= len(text) <= DIGITS_MAX + 1:
        return None
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _as_digits(digits: str, extension: str | None) -> Phone:
    """A number that no country's plan knows; nothing where it is too short or too long."""
    return Phone(digits, extension) if DIGITS_MIN <= len(digits) <= DIGITS_MAX else NO_PHONE


def _first_number(text: str) -> str:
    """Of two numbers in one field the first; a stroke inside one number ("030/123456") parts nothing."""
    first, *rest = _SECOND_NUMBER.split(_FLOAT_TAIL.sub("", text), maxsplit=1)
    return first if rest and len(_digits(first)) > DIGITS_MIN and len(_digits(rest[0])) > DIGITS_MIN else text


def _digits(body: str) -> str:
    """ASCII digits of the text; digits of other scripts are read as what they count."""
    if not body.isascii():
        body = "".join(str(int(character)) if character.isdecimal() else character for character in body)
    return _NOT_DIGIT.sub("", body)


def _split_extension(text: str) -> tuple[str, str | None]:
    if (match := _EXTENSION.search(text)) and len(_digits(text[: match.start()])) >= DIGITS_MIN:
        return text[: match.start()], match.group(1)
    return text, None


def _spelled_out(body: str) -> str:
    """1-800-FLOWERS as digits; words that only comment ("mobile", "direct") are dropped."""
    digit_count = len(_digits(body))
    letter_count = sum(character.isalpha() for character in body)
    is_vanity = body.isascii() and digit_count >= 3 and 7 <= digit_count + letter_count <= 15
    if is_vanity and _VANITY_TAIL.search(body):
        return body.upper().translate(_KEYPAD)
    return _LETTERS.sub(" ", body)
