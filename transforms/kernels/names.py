"""Personal names: the parts of a name as one person would write them, whatever column they were typed in.

Belongs here: titles, degrees, suffixes, "Last, First", one-column names, particles, capitals.
Does not: nicknames and spelling (comparison decides those), gender (dropped at the door).
Surprise: a name typed in capitals is recased, since a customer reads the golden record; a name in mixed case never is.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from transforms.kernels.columns import on_distinct, on_each, where_sure
from transforms.kernels.fold import clean, fold, word_set
from transforms.kernels.references import PLACEHOLDER_NAMES

_TITLES = word_set(
    """
    mr mrs ms miss mx dr doctor prof professor sir dame lady lord rev reverend fr father hon capt captain col lt
    sgt maj gen herr frau hr fru monsieur madame mme mlle sr sra srta dott ing dipl dra
    """
)
_SUFFIXES = {
    "jr": ("Jr", "jr"), "jnr": ("Jr", "jr"), "junior": ("Jr", "jr"), "sr": ("Sr", "sr"), "snr": ("Sr", "sr"),
    "senior": ("Sr", "sr"), "ii": ("II", "2"), "2nd": ("II", "2"), "iii": ("III", "3"), "3rd": ("III", "3"),
    "iv": ("IV", "4"), "4th": ("IV", "4"),
}  # fmt: skip
# Degrees and certificates that are nobody's surname; taken off wherever they trail.
_DEGREES = word_set(
    """
    phd mba md cpa esq cissp cism cisa pmp cfa cfp cpp mcse ccna ccnp itil prince2 msc bsc meng beng llm llb
    rn dds dvm pharmd psyd edd jd mph mpa shrm phr sphr gphr cipd fca aca acca csm cspo cebs chfc clu frsa mbe
    obe cbe dphil
    """
)
# These are surnames too ("Ma", "Ba", "Do"): only after a comma.
_DEGREES_AFTER_COMMA = _DEGREES | word_set(
    """
    ma ba bs ms do pe ra cma aia ea mcp cm
    """
)
_PARTICLES = word_set(
    """
    van von der den de del della di da do dos das du la le las los el al bin ibn ben ter ten te zu zum zur af av
    st san santa mac abu
    """
)
_PARTICLES_LOWER = word_set(
    """
    van von der den de del della di da dos das du la le ter ten zu zum zur af av
    """
)
_PLACEHOLDERS = pa.array(sorted(PLACEHOLDER_NAMES))
_ASIDE = re.compile(r"\s*(?:\([^()]*\)|\[[^\[\]]*\]|\"[^\"]*\"|“[^”]*”|«[^»]*»)\s*")
_WORD = re.compile(r"[^\W\d_]+")
_LETTERS = re.compile(r"[^a-z ]+")


class Name(NamedTuple):
    """The parts of a name fit to show; None where there is none."""

    first: str | None
    middle: str | None
    last: str | None
    suffix: str | None
    full: str | None


class _Parts(NamedTuple):
    """The four parts, each where it belongs but not yet rid of what was typed around it."""

    first: str | None
    middle: str | None
    last: str | None
    suffix: str | None


class _Split(NamedTuple):
    """A part and what was typed behind it: an initial behind a given name, a suffix behind a family name."""

    part: str | None
    behind: str | None


def parse(first: str | None, middle: str | None, last: str | None, suffix: str | None, full: str | None) -> Name:
    """The parts, each cleaned; where first and last are missing they are read out of the whole name."""
    return _assembled(*_parted(*map(_plausible, (first, middle, last, suffix, full))))


def parse_all(first: pa.Array, middle: pa.Array, last: pa.Array, suffix: pa.Array, full: pa.Array) -> pa.StructArray:
    """`parse` of every row."""
    said = [on_distinct(_plausible, column) for column in (first, middle, last, suffix, full)]
    first, middle, last, suffix = on_each(_parted, *said, kind=_Parts, plain=_plainly_parted).flatten()
    first, middle_of_first = on_distinct(_split_given, first, kind=_Split).flatten()
    last, suffix_of_last = on_distinct(_split_family, last, kind=_Split).flatten()
    middle = on_distinct(_recased, pc.coalesce(middle, middle_of_first))
    suffix = pc.coalesce(on_distinct(_suffix_shown, suffix), suffix_of_last)
    # The empty first part: Arrow's "skip" loses a row in which all parts are null.
    whole = pc.binary_join_element_wise("", first, middle, last, suffix, " ", null_handling="skip")
    whole = pc.if_else(pc.equal(whole, ""), None, pc.utf8_slice_codeunits(whole, 1))
    stands_for_nobody = pc.is_in(pc.ascii_lower(whole), _PLACEHOLDERS)
    parts = [pc.if_else(stands_for_nobody, None, part) for part in (first, middle, last, suffix, whole)]
    return pa.StructArray.from_arrays(parts, names=Name._fields)


def _parted(first: str | None, middle: str | None, last: str | None, suffix: str | None, full: str | None) -> _Parts:
    if first and not last and "," in first:
        first, full = None, first
    elif last and not first and "," in last:
        last, full = None, last
    if not first and not last:
        if not full:
            return _Parts(None, None, None, None)
        first, middle_of_full, last, suffix_of_full = split_full(full)
        middle, suffix = middle or middle_of_full, suffix or suffix_of_full
    elif full and not middle and first and last:
        middle = _middle_of(full, first, last)
    return _Parts(first, middle, last, suffix)


def _plainly_parted(first: pa.Array, middle: pa.Array, last: pa.Array, suffix: pa.Array, full: pa.Array) -> pa.Array:
    """The short way of `_parted`: first and last in their columns, and the whole name tells nothing more."""
    has_both = pc.and_(first.is_valid(), last.is_valid())
    is_whole = pc.equal(full, pc.binary_join_element_wise(first, last, " "))
    tells_no_more = pc.or_kleene(is_whole, pc.or_(full.is_null(), middle.is_valid()))
    return where_sure(pc.and_(has_both, tells_no_more), _Parts, first, middle, last, suffix)


def split_full(full: str) -> tuple[str | None, str | None, str | None, str | None]:
    """First, middle, last, suffix of a whole name, in "First Last" or "Last, First" order."""
    parts = [part for part in (part.strip() for part in _without_asides(full).split(",")) if part]
    suffix = None
    while len(parts) > 1 and (trailing := _trailing_kind(parts[-1])) is not None:
        suffix = trailing or suffix
        parts.pop()
    if len(parts) > 1:
        family, found = _strip_trailing(parts[0])
        given = _strip_titles(" ".join(parts[1:])).split()
        return (given[0] if given else None), (" ".join(given[1:]) or None), family, suffix or found
    words_text, found = _strip_trailing(_strip_titles(parts[0])) if parts else ("", None)
    words = words_text.split()
    if len(words) < 2:
        return (words[0] if words else None), None, None, suffix or found
    start = _family_start(words)
    return words[0], (" ".join(words[1:start]) or None), " ".join(words[start:]), suffix or found


def recase(text: str) -> str:
    """A name all in capitals or all in small letters as people write it: McDonald, O'Brien, van der Berg."""
    letters = [character for character in text if character.isalpha()]
    if not (text.islower() or (text.isupper() and len(letters) > 2)):
        return text
    words = text.lower().split(" ")
    return " ".join(
        word if word in _PARTICLES_LOWER and position < len(words) - 1 else _WORD.sub(_capitalised, word)
        for position, word in enumerate(words)
    )


def name_fold(text: str | None) -> str | None:
    """A name folded to letters; digits are no part of a name."""
    return _LETTERS.sub("", fold(text)).strip() or None


def suffix_fold(text: str | None) -> str | None:
    """jr, sr, 2, 3, 4 or None."""
    return _SUFFIXES.get(fold(text), (None, None))[1]


def _assembled(first: str | None, middle: str | None, last: str | None, suffix: str | None) -> Name:
    first, middle_of_first = _split_given(first)
    last, suffix_of_last = _split_family(last)
    middle = _recased(middle or middle_of_first)
    shown_suffix = _suffix_shown(suffix) or suffix_of_last
    whole = " ".join(part for part in (first, middle, last, shown_suffix) if part)
    if whole.isascii() and whole.lower() in PLACEHOLDER_NAMES:  # "Do not" "Use", each in its column
        return Name(None, None, None, None, None)
    return Name(first, middle, last, shown_suffix, whole or None)


def _recased(text: str | None) -> str | None:
    return recase(text) if text else None


def _suffix_shown(text: str | None) -> str | None:
    return _SUFFIXES.get(fold(text), (None, None))[0]


@lru_cache(maxsize=100_000)
def _plausible(text: str | None) -> str | None:
    """Cleaned; None where it is no name at all (an address typed in the wrong column, only signs, "Test")."""
    cleaned = clean(text)
    if cleaned is None or "@" in cleaned or fold(cleaned) in PLACEHOLDER_NAMES:
        return None
    return cleaned if any(character.isalnum() for character in cleaned) else None


@lru_cache(maxsize=100_000)
def _split_given(text: str | None) -> _Split:
    """A given name and the initial that was typed behind it ("John Q.")."""
    if not text:
        return _Split(None, None)
    words = _strip_titles(_without_asides(text)).strip(" ,;").split()
    middle = None
    if len(words) > 1 and len(fold(words[-1])) == 1 and len(fold(words[0])) > 1:
        middle = words.pop()
    return _Split(recase(" ".join(words)) or None, middle)


@lru_cache(maxsize=100_000)
def _split_family(text: str | None) -> _Split:
    """A family name and the suffix that was typed behind it."""
    if not text:
        return _Split(None, None)
    parts = [part for part in (part.strip() for part in _without_asides(text).split(",")) if part]
    suffix = None
    while len(parts) > 1 and (trailing := _trailing_kind(parts[-1])) is not None:
        suffix = trailing or suffix
        parts.pop()
    family, found = _strip_trailing(" ".join(parts))
    return _Split(recase(family) or None, suffix or found)


def _middle_of(full: str, first: str, last: str) -> str | None:
    """What stands between first and last in the whole name; Apollo has no other place for it."""
    spare = len(full.split()) - len(first.split()) - len(last.split())
    if spare < 1:
        return None
    given, family = _split_given(first)[0], _split_family(last)[0]
    words = _strip_trailing(_strip_titles(_without_asides(full)))[0].split()
    start, end = len((given or "").split()), len(words) - len((family or "").split())
    is_framed = fold(" ".join(words[:start])) == fold(given) and fold(" ".join(words[end:])) == fold(family)
    return (" ".join(words[start:end]) or None) if is_framed and start < end else None


def _without_asides(text: str) -> str:
    """Without a nickname in brackets or quotes, unless that is all there is."""
    if not any(mark in text for mark in '(["“«'):
        return text
    plain = _ASIDE.sub(" ", text).strip()
    return plain if fold(plain) else re.sub(r'[()\[\]"“”«»]', " ", text).strip()


def _strip_titles(text: str) -> str:
    words = text.split()
    while len(words) > 1 and fold(words[0]).replace(" ", "") in _TITLES:
        words.pop(0)
    return " ".join(words)


def _strip_trailing(text: str) -> tuple[str, str | None]:
    """Without trailing degrees and suffixes; the suffix found, if any. One word always stays."""
    words = text.split()
    suffix = None
    while len(words) > 1:
        word = fold(words[-1]).replace(" ", "")
        if word in _SUFFIXES:
            suffix = _SUFFIXES[word][0]
        elif word not in _DEGREES:
            break
        words.pop()
    return " ".join(words).rstrip(" ,;"), suffix


def _trailing_kind(part: str) -> str | None:
    """What stands behind a comma: a suffix (its spelling), degrees ("") or something else (None)."""
    suffix = ""
    for word in part.split():
        folded = fold(word).replace(" ", "")
        if folded in _SUFFIXES:
            suffix = _SUFFIXES[folded][0]
        elif folded and folded not in _DEGREES_AFTER_COMMA:
            return None
    return suffix


def _family_start(words: list[str]) -> int:
    """Where the family name begins: the last word, with the particles before it; the first word is always given."""
    start = len(words) - 1
    while start > 1 and fold(words[start - 1]) in _PARTICLES:
        start -= 1
    return start


def _capitalised(match: re.Match[str]) -> str:
    word = match.group()
    if word.startswith("mc") and len(word) > 3:
        return "Mc" + word[2:].capitalize()
    return word.capitalize()
