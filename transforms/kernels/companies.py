"""Company names without their legal form, and head counts as numbers.

Belongs here: what of a company's name tells it from others. Does not: abbreviations and trading names (comparison).
Surprise: the legal forms are cleanco's list, but matched here by folded words at the end of the name: cleanco's own
function tries each of its terms on each name, which is two hundred times slower.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from cleanco.termdata import terms_by_country, terms_by_type

from transforms.kernels.fold import clean, fold, join_initials, word_set
from transforms.kernels.references import PLACEHOLDER_COMPANIES

# Terms of the list that end ordinary names more often than they are a form ("Casa da", "Delta", "Studio 5 et").
_TOO_COMMON = word_set(
    """
    da et pp xt vat dat kt kd mb sd ee oe ae ij cpt xk stg ans tov tapui obrt fie teo esv ay aj hb bt rt hf
    private ad bm
    """
)
_ALSO = (
    "p/l", "gmbh and co kg", "gmbh and co kgaa", "ug", "ug haftungsbeschrankt", "pty limited", "proprietary limited",
    "private limited", "pvt ltd", "pvt", "pte ltd", "and co", "and company", "co ltd", "ltee", "cic",
    "cooperative", "public limited company", "aktiebolag", "aktiengesellschaft", "eg", "ev",
)  # fmt: skip
_SAME = {
    "pl": "pty ltd", "limited": "ltd", "incorporated": "inc", "corporation": "corp", "company": "co", "and co": "co",
    "and company": "co", "pty limited": "pty ltd", "proprietary limited": "pty ltd", "private limited": "pvt ltd",
    "ltee": "ltd", "public limited company": "plc", "aktiebolag": "ab", "aktiengesellschaft": "ag",
    "unlimited": "unltd",
}  # fmt: skip
_LEADING_FORMS = word_set(
    """
    pt ooo oao zao pao uab sia ab as oy too
    """
)
_WORDS_MAX = 5

_BAND = re.compile(r"^(\d+)\s*(?:-|–|—|to|bis|until)\s*(\d+)$")
_AT_LEAST = re.compile(r"^(?:>=?|over|more than|from)?\s*(\d+)\s*(?:\+|plus|and more|or more|and over)?$")
_AT_MOST = re.compile(r"^(?:<=?|under|less than|up to|below)\s*(\d+)$")
_THOUSANDS = re.compile(r"(?<=\d)[,.'\s](?=\d{3}(?!\d))")
_SHORT_THOUSANDS = re.compile(r"(\d+(?:\.\d+)?)\s*k\b")
_HEADS_MAX = 10_000_000  # three times the largest employer there is; more is a slip or a revenue


class CompanyName(NamedTuple):
    """`shown` with its legal form, `folded` without, `legal_form` folded."""

    shown: str | None
    folded: str | None
    legal_form: str | None


class Heads(NamedTuple):
    """Bounds of a head count; `most` is None where the band is open."""

    least: int | None
    most: int | None


@lru_cache(maxsize=100_000)
def parse_name(text: str | None) -> CompanyName:
    """The name fit to show, its folded core and its legal form."""
    shown = clean(text)
    folded = fold(shown)
    if folded in PLACEHOLDER_COMPANIES:
        return CompanyName(None, None, None)
    words = join_initials(folded).split()
    if not words:
        return CompanyName(shown, None, None)
    if len(words) > 1 and words[0] == "the":
        words = words[1:]
    core, forms = _without_forms(words)
    return CompanyName(shown, " ".join(core), " ".join(forms) or None)


@lru_cache(maxsize=20_000)
def parse_heads(text: str | None) -> Heads:
    """ "51-200", "11 to 50", "1,204", "10001+", "< 10", "1k-5k" as bounds; (None, None) where it is none of these."""
    cleaned = clean(text)
    if cleaned is None or len(cleaned) > 40:
        return Heads(None, None)
    plain = cleaned.lower().removesuffix("employees").removesuffix("people").strip()
    plain = _THOUSANDS.sub("", plain)
    plain = _SHORT_THOUSANDS.sub(lambda match: str(round(float(match.group(1)) * 1000)), plain)
    plain = re.sub(r"(?<=\d)\.0+$", "", plain)
    if not plain.isascii():
        plain = plain.replace("–", "-").replace("—", "-")
    if band := _BAND.match(plain):
        least, most = sorted((int(band.group(1)), int(band.group(2))))
        return _bounded(least, most)
    if at_most := _AT_MOST.match(plain):
        return _bounded(1, int(at_most.group(1)))
    if at_least := _AT_LEAST.match(plain):
        count = int(at_least.group(1))
        return _bounded(count, count if plain.isdecimal() else None)
    return Heads(None, None)


def _without_forms(words: list[str]) -> tuple[list[str], list[str]]:
    """Core words and legal forms in the order they stood; at least one word stays."""
    core = list(words)
    forms: list[str] = []
    while (length := _form_length(core)) > 0:
        form = " ".join(core[-length:])
        forms.insert(0, _SAME.get(form, form))
        del core[-length:]
    if forms and len(core) > 1 and core[-1] == "and":
        core.pop()  # of "Brackwell & Co Ltd", where "co ltd" is one form
    if not forms and len(core) > 1 and core[0] in _LEADING_FORMS:
        forms, core = [core[0]], core[1:]
    return core, forms


def _form_length(words: list[str]) -> int:
    """Words of the longest legal form at the end; 0 where there is none or nothing would stay."""
    for length in range(min(_WORDS_MAX, len(words) - 1), 0, -1):
        if tuple(words[-length:]) in _FORMS:
            return length
    return 0


def _bounded(least: int, most: int | None) -> Heads:
    if least > _HEADS_MAX or (most or 0) > _HEADS_MAX or (least == 0 and not most):
        return Heads(None, None)
    return Heads(least, most)


def _legal_forms() -> frozenset[tuple[str, ...]]:
    """cleanco's terms as folded words, without those that are ordinary words."""
    listed = [term for terms in (*terms_by_type.values(), *terms_by_country.values()) for term in terms]
    forms = {join_initials(fold(term)) for term in (*listed, *_ALSO)}
    return frozenset(tuple(form.split()) for form in forms if form and form not in _TOO_COMMON and len(form) > 1)


_FORMS = _legal_forms()
