"""How alike two unequal values are: rapidfuzz on distinct value pairs, to a small integer per field.

Belongs here: the measures and the meaning of `likeness` per field. Does not: equality, which values are compared
(patterns.py), how much a likeness is worth (learned, model.py).
Surprise: every measure is symmetric, so that the order of a pair never shows.

likeness: 0 different, 1 similar, 2 close (a slip of the pen), 3 an initial or acronym, 4 another form of the same,
5 the same but for a region (companies: a sister, not the same house).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pycountry
from nicknames import NickNamer
from rapidfuzz import fuzz, process
from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from transforms.kernels.fold import fold

Texts = list[str]
Levels = np.ndarray

DIFFERENT, SIMILAR, CLOSE, INITIAL, SAME_FORM, SIBLING = 0, 1, 2, 3, 4, 5


def _jaro_winkler(left: Texts, right: Texts) -> np.ndarray:
    return process.cpdist(left, right, scorer=JaroWinkler.normalized_similarity, workers=-1, dtype=np.float32)


def _edits(left: Texts, right: Texts) -> np.ndarray:
    """Damerau-Levenshtein distance, 3 for anything larger than 2."""
    return process.cpdist(left, right, scorer=DamerauLevenshtein.distance, score_cutoff=2, workers=-1, dtype=np.int32)


def _where(left: Texts, right: Texts, test: Callable[[str, str], bool], among: np.ndarray) -> np.ndarray:
    """`test` in Python, only where `among` says that it may matter."""
    found = np.zeros(len(left), dtype=bool)
    for index in np.flatnonzero(among):
        found[index] = test(left[index], right[index])
    return found


def _lengths(left: Texts, right: Texts) -> tuple[np.ndarray, np.ndarray]:
    sizes = np.fromiter(map(len, left), np.int32, len(left)), np.fromiter(map(len, right), np.int32, len(right))
    return np.minimum(*sizes), np.maximum(*sizes)


def _name(left: Texts, right: Texts, other_form: Callable[[str, str], bool], may_be_other: np.ndarray) -> Levels:
    alike = _jaro_winkler(left, right)
    edits = _edits(left, right)
    shorter, longer = _lengths(left, right)
    levels = np.full(len(left), DIFFERENT)
    levels[alike >= 0.80] = SIMILAR
    levels[(alike >= 0.92) | ((edits <= 1) & (shorter >= 3)) | ((edits <= 2) & (shorter >= 7))] = CLOSE
    levels[_where(left, right, _is_initial, (shorter == 1) & (longer > 1))] = INITIAL
    levels[_where(left, right, other_form, may_be_other & (longer > 1))] = SAME_FORM
    return levels


def _either(left: Texts, right: Texts, test: Callable[[str], bool]) -> np.ndarray:
    return np.fromiter((test(one) or test(other) for one, other in zip(left, right, strict=True)), bool, len(left))


def _is_composed(text: str) -> bool:
    return " " in text or "-" in text


def _is_initial(left: str, right: str) -> bool:
    return left[0] == right[0]


@lru_cache(maxsize=1)
def _nicknames() -> NickNamer:
    return NickNamer()


@lru_cache(maxsize=200_000)
def _forms(name: str) -> frozenset[str]:
    """The name and the full names it may be short for."""
    return frozenset({name, *_nicknames().canonicals_of(name)})


@lru_cache(maxsize=200_000)
def _has_forms(name: str) -> bool:
    """Whether it is short for something, or something is short for it: most names are neither."""
    return bool(_nicknames().canonicals_of(name) or _nicknames().nicknames_of(name))


@lru_cache(maxsize=200_000)
def _words(text: str) -> frozenset[str]:
    return frozenset(text.replace("-", " ").split())


def _is_other_first(left: str, right: str) -> bool:
    """Bob is Robert; Mary Ann may be called Mary."""
    if left in _forms(right) or right in _forms(left):
        return True
    left_words, right_words = _words(left), _words(right)
    return (len(left_words) > 1 or len(right_words) > 1) and (left_words <= right_words or right_words <= left_words)


def _is_other_last(left: str, right: str) -> bool:
    """Smith-Jones may be called Jones; "van der Berg" is "vanderberg"."""
    left_words, right_words = _words(left), _words(right)
    if len(left_words) == 1 and len(right_words) == 1:
        return False
    return left_words <= right_words or right_words <= left_words or "".join(left.split()) == "".join(right.split())


def compare_first(left: Texts, right: Texts) -> Levels:
    has_forms = _has_forms
    both = (has_forms(one) and has_forms(other) for one, other in zip(left, right, strict=True))
    may_be_other = np.fromiter(both, bool, len(left)) | _either(left, right, _is_composed)
    return _name(left, right, _is_other_first, may_be_other)


def compare_last(left: Texts, right: Texts) -> Levels:
    return _name(left, right, _is_other_last, _either(left, right, _is_composed))


def compare_initial(left: Texts, right: Texts) -> Levels:
    """Middle names: only how they begin is told."""
    return np.where([one[0] == other[0] for one, other in zip(left, right, strict=True)], INITIAL, DIFFERENT)


def compare_local(left: Texts, right: Texts) -> Levels:
    """Local parts of e-mail addresses: `j.smith` against `jsmith`, `john.smith` against `jsmith` (similar)."""
    bare, other = ([text if text.isalnum() else _bare(text) for text in texts] for texts in (left, right))
    alike = _jaro_winkler(bare, other)
    shorter, _ = _lengths(bare, other)
    levels = np.full(len(left), DIFFERENT)
    levels[alike >= 0.85] = SIMILAR
    levels[((_edits(bare, other) <= 1) & (shorter >= 4))] = CLOSE
    levels[_where(bare, other, _is_other_initial, levels == CLOSE)] = SIMILAR
    levels[_where(bare, other, _is_numbered_apart, levels >= SIMILAR)] = DIFFERENT
    return levels


def _bare(text: str) -> str:
    return text.replace(".", "").replace("_", "").replace("-", "")


def _is_other_initial(left: str, right: str) -> bool:
    """bsmith and lsmith are two Smiths."""
    return left[0] != right[0]


def _is_numbered_apart(left: str, right: str) -> bool:
    """jsmith and jsmith2: a company numbers its namesakes to keep them apart."""
    one, two = left.rstrip("0123456789"), right.rstrip("0123456789")
    return one == two and left != right


def compare_digits(left: Texts, right: Texts) -> Levels:
    """Numbers and codes: one slip is close, two are similar."""
    edits = _edits(left, right)
    levels = np.full(len(left), DIFFERENT)
    levels[edits == 2] = SIMILAR
    levels[edits <= 1] = CLOSE
    return levels


def compare_born(left: Texts, right: Texts) -> Levels:
    """Dates of birth: one slip or day and month swapped is close, two of three parts equal is similar."""
    levels = compare_digits(left, right)
    levels[levels == SIMILAR] = DIFFERENT

    def shares_two(one: str, two: str) -> bool:
        return sum(a == b for a, b in zip(one.split("-"), two.split("-"), strict=False)) >= 2

    def is_swapped(one: str, two: str) -> bool:
        return one.split("-")[:1] == two.split("-")[:1] and sorted(one.split("-")) == sorted(two.split("-"))

    levels[_where(left, right, shares_two, levels == DIFFERENT)] = SIMILAR
    levels[_where(left, right, is_swapped, levels <= SIMILAR)] = CLOSE
    return levels


def compare_street(left: Texts, right: Texts) -> Levels:
    ratio = process.cpdist(left, right, scorer=fuzz.token_sort_ratio, workers=-1, dtype=np.float32)
    plain = process.cpdist(left, right, scorer=fuzz.ratio, workers=-1, dtype=np.float32)
    best = np.maximum(ratio, plain)
    levels = np.full(len(left), DIFFERENT)
    levels[best >= 65] = SIMILAR
    levels[best >= 83] = CLOSE
    # Neighbours in one street differ in the house number alone: similar, not close.
    levels[_where(left, right, _has_other_number, levels == CLOSE)] = SIMILAR
    return levels


def _has_other_number(left: str, right: str) -> bool:
    one = {word for word in left.split() if word.isdigit()}
    two = {word for word in right.split() if word.isdigit()}
    return bool(one) and bool(two) and not one & two


def compare_city(left: Texts, right: Texts) -> Levels:
    levels = np.full(len(left), DIFFERENT)
    levels[(_jaro_winkler(left, right) >= 0.92) | (_edits(left, right) <= 1)] = CLOSE
    return levels


def compare_title(left: Texts, right: Texts) -> Levels:
    levels = np.full(len(left), DIFFERENT)
    levels[process.cpdist(left, right, scorer=fuzz.token_set_ratio, workers=-1, dtype=np.float32) >= 85] = SIMILAR
    return levels


def compare_slug(left: Texts, right: Texts) -> Levels:
    levels = np.full(len(left), DIFFERENT)
    levels[_jaro_winkler(left, right) >= 0.95] = SIMILAR
    return levels


def compare_company(left: Texts, right: Texts) -> Levels:
    """Names of organisations, legal forms already removed."""
    squeezed_left = ["".join(text.split()) for text in left]
    squeezed_right = ["".join(text.split()) for text in right]
    sorted_ratio = process.cpdist(left, right, scorer=fuzz.token_sort_ratio, workers=-1, dtype=np.float32)
    squeezed = process.cpdist(squeezed_left, squeezed_right, scorer=fuzz.ratio, workers=-1, dtype=np.float32)
    best = np.maximum(sorted_ratio, squeezed)
    words = process.cpdist(left, right, scorer=fuzz.token_set_ratio, workers=-1, dtype=np.float32)
    levels = np.full(len(left), DIFFERENT)
    levels[(best >= 72) | (words >= 80)] = SIMILAR
    levels[best >= 85] = CLOSE
    shorter, longer = _lengths(squeezed_left, squeezed_right)
    levels[_where(left, right, _is_acronym, (shorter >= 2) & (shorter <= 5) & (longer > 5) & (levels < CLOSE))] = (
        INITIAL
    )
    levels[_where(left, right, _is_part, (words >= 99.5))] = INITIAL
    levels[(sorted_ratio >= 95) | (squeezed >= 95)] = SAME_FORM
    levels[_where(left, right, _is_sibling, (words >= 80))] = SIBLING
    return levels


@lru_cache(maxsize=1)
def _regions() -> frozenset[str]:
    """Words that name a region: countries, their parts, compass points; no word of three letters but a few."""
    names = [country.name for country in pycountry.countries] + [part.name for part in pycountry.subdivisions]
    words = {word for name in names for word in fold(name).split() if len(word) >= 4}
    compass = "north south east west northeast northwest southeast southwest northern southern eastern western central"
    blocs = (
        "uk us usa eu emea apac latam europe asia pacific atlantic nordic nordics benelux dach iberia midwest americas"
    )
    return frozenset({*words, *compass.split(), *blocs.split(), "america", "britain", "ireland", "international"})


def _is_sibling(left: str, right: str) -> bool:
    """Acme against Acme Texas, Acme North against Acme South: two houses of one family."""
    one, two = _words(left), _words(right)
    apart = one ^ two
    return bool(one & two) and bool(apart) and apart <= _regions()


def _is_acronym(left: str, right: str) -> bool:
    short, long = sorted((left, right), key=len)
    return "".join(word[0] for word in long.split()) == short.replace(" ", "")


def _is_part(left: str, right: str) -> bool:
    return _words(left) <= _words(right) or _words(right) <= _words(left)


def compare_employer(left: Texts, right: Texts) -> Levels:
    levels = compare_company(left, right)
    return np.where((levels >= CLOSE) & (levels != SIBLING), SIMILAR, DIFFERENT)


def compare_site(left: Texts, right: Texts) -> Levels:
    """acme.com against acme.co.uk: the same label under another suffix, or one slip."""
    labels = [text.split(".")[0] for text in left], [text.split(".")[0] for text in right]
    levels = np.full(len(left), DIFFERENT)
    shorter, _ = _lengths(*labels)
    levels[(_edits(*labels) <= 1) & (shorter >= 5)] = SIMILAR
    return levels


MEASURES: dict[str, Callable[[Texts, Texts], Levels]] = {
    "first": compare_first,
    "last": compare_last,
    "middle": compare_initial,
    "local": compare_local,
    "born": compare_born,
    "street": compare_street,
    "postcode": compare_digits,
    "city": compare_city,
    "title": compare_title,
    "external": compare_digits,
    "linkedin": compare_slug,
    "employer": compare_employer,
    "name": compare_company,
    "site": compare_site,
}
