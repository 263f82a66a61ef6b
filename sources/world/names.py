"""Names of people: pools by heritage, nicknames, romanisation, folding for mailboxes.

Belongs here: which names exist and how a name is written in another script.
Does not: who gets which name (people.py), how a vendor mis-spells one (spelling.py).
Surprise: the nickname list is the world's own on purpose: the matcher leans on a library, and a test that
made and judged nicknames with the same list would prove nothing.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from itertools import product

from sources.world.dice import Floats, Objects, cumulative, objects
from sources.world.words import pairs, words

# Share of heritages by country of work. Rough, for variety; not a census.
HERITAGE = {
    "US": {"us": 0.74, "gb": 0.05, "es": 0.07, "it": 0.02, "de": 0.02, "in": 0.04, "zh": 0.03, "ru": 0.01, "ie": 0.02},
    "GB": {"gb": 0.76, "ie": 0.07, "us": 0.04, "in": 0.06, "it": 0.02, "tr": 0.01, "el": 0.01, "zh": 0.01, "ru": 0.02},
    "CA": {"us": 0.56, "gb": 0.10, "fr": 0.14, "in": 0.08, "zh": 0.08, "ie": 0.02, "ru": 0.02},
    "AU": {"gb": 0.58, "us": 0.18, "in": 0.06, "zh": 0.06, "el": 0.04, "it": 0.04, "ie": 0.04},
    "IE": {"ie": 0.82, "gb": 0.12, "in": 0.03, "us": 0.03},
    "DE": {"de": 0.86, "tr": 0.06, "ru": 0.04, "it": 0.02, "el": 0.02},
    "FR": {"fr": 0.90, "it": 0.03, "es": 0.03, "tr": 0.02, "pt": 0.02},
    "NL": {"nl": 0.88, "tr": 0.05, "de": 0.03, "in": 0.02, "gb": 0.02},
    "ES": {"es": 0.94, "pt": 0.03, "it": 0.03},
    "SE": {"sv": 0.90, "fi": 0.05, "no": 0.03, "tr": 0.02},
}
_LOCALES = {
    "us": "en_US",
    "gb": "en_GB",
    "ie": "en_IE",
    "de": "de_DE",
    "fr": "fr_FR",
    "nl": "nl_NL",
    "es": "es_ES",
    "sv": "sv_SE",
    "it": "it_IT",
    "pt": "pt_PT",
    "tr": "tr_TR",
    "in": "en_IN",
    "fi": "fi_FI",
    "no": "no_NO",
    "ru": "ru_RU",
    "el": "el_GR",
}
NATIVE_HERITAGES = ("ru", "el", "zh")  # names whose own script is not Latin

NICKNAMES = {name: tuple(shorts.split("/")) for name, shorts in pairs("names", "nicknames").items()}

_CYRILLIC = pairs("letters", "cyrillic")
_CYRILLIC_OTHER = _CYRILLIC | {"ё": "e", "й": "i", "ц": "c", "х": "h", "ю": "iu", "я": "ia", "ж": "j"}
_GREEK = pairs("letters", "greek")
_GREEK_OTHER = _GREEK | {"β": "b", "η": "e", "χ": "h", "φ": "ph", "υ": "u"}
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})
_LATIN = str.maketrans(
    {"ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "Ae", "ł": "l", "Ł": "L", "ı": "i", "đ": "d", "’": "'"}
)


@dataclass(frozen=True)
class Pool:
    """Names of one heritage; `shares` are cumulative or None for even draws."""

    first_female: Objects
    first_female_shares: Floats | None
    first_male: Objects
    first_male_shares: Floats | None
    last: Objects
    last_shares: Floats | None


@lru_cache(maxsize=32)
def pool(heritage: str) -> Pool:
    """The names of a heritage, in the script they are usually written in."""
    if heritage == "zh":
        first, last = objects(words("names", "pinyin_first")), objects(words("names", "pinyin_last"))
        return Pool(first, None, first, None, last, None)
    provider = import_module(f"faker.providers.person.{_LOCALES[heritage]}").Provider
    female, female_shares = _weighted(provider.first_names_female)
    male, male_shares = _weighted(provider.first_names_male)
    last, last_shares = _weighted(provider.last_names)
    if heritage in ("us", "gb"):
        last, last_shares = _with_tail(last, last_shares)
    return Pool(female, female_shares, male, male_shares, last, last_shares)


def _weighted(names: object) -> tuple[Objects, Floats | None]:
    if isinstance(names, dict):
        return objects(list(names)), cumulative(list(names.values()))
    kept = [name for name in dict.fromkeys(names) if isinstance(name, str)]  # type: ignore[call-overload]
    # Lists without weights are taken as ordered by frequency only in so far as real surnames are: flat with a head.
    return objects(kept), cumulative([1.0 / (rank + 25) for rank in range(len(kept))])


def _with_tail(last: Objects, shares: Floats | None) -> tuple[Objects, Floats]:
    """Faker lists the frequent surnames only; a composed tail gives the long tail of real populations."""
    heads, ends, clans = (words("names", key) for key in ("tail_heads", "tail_tails", "clans"))
    tail = [head + end for head, end in product(heads, ends) if head[-1] != end[0]]
    tail += [prefix + clan for prefix, clan in product(("Mc", "Mac", "O'", "Fitz"), clans)]
    head_share = 0.6
    weights = [0.0] if shares is None else [shares[0], *(shares[1:] - shares[:-1])]
    weights = [weight * head_share for weight in weights] + [(1 - head_share) / len(tail)] * len(tail)
    return objects([*last.tolist(), *tail]), cumulative(weights)


def romanised(native: str, *, other: bool = False) -> str:
    """A Greek or Cyrillic name, or a "王 Wang" pair, in Latin letters; `other` takes the rival convention."""
    if " " in native and not native.isascii():
        return native.split(" ", 1)[1]
    lower = unicodedata.normalize("NFC", native).lower()
    table = _CYRILLIC_OTHER if other else _CYRILLIC
    if any("α" <= letter <= "ω" for letter in strip_accents(lower)):
        lower, table = strip_accents(lower), _GREEK_OTHER if other else _GREEK
        lower = lower.replace("ου", "ou" if not other else "u")
    return "".join(table.get(letter, letter) for letter in lower).title()


def native_script(native: str) -> str:
    """The name in its own letters."""
    return native.split(" ", 1)[0]


@lru_cache(maxsize=200_000)
def strip_accents(text: str) -> str:
    """Accents off, base letters kept: Jürgen -> Jurgen, Łukasz -> Lukasz."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFD", text.translate(_LATIN))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


@lru_cache(maxsize=400_000)
def mailbox_part(name: str, german: bool = False) -> str:
    """A name as it stands in a mailbox or slug: lower-case ASCII letters only."""
    latin = strip_accents(name.translate(_GERMAN) if german else name)
    return re.sub(r"[^a-z]", "", latin.lower()) or "x"
