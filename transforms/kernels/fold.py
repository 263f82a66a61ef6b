"""Cleaning and folding of text: what a value says, without how it was typed.

Belongs here: `clean` (a value fit to show) and `fold` (a value fit to compare), the one folding of the whole project.
Does not: what a name, a company or a street means (names.py, companies.py, places.py).
Surprise: SQL never folds. The engines disagree on case maps and accents outside ASCII, so a value folded in SQL would
meet a value folded here and not be equal.
"""

from __future__ import annotations

import html
import re
import unicodedata

from anyascii import anyascii

# What exports, forms and APIs write for "nothing". Not "na": it is a surname, a state and a country code.
NOTHING = frozenset(
    {
        *("-", "--", "---", ".", "..", "...", "?", "??", "_", "/", "\\", ",", "''", '""', "{}", "[]"),
        *("n/a", "#n/a", "n.a.", "n.a", "none", "null", "(null)", "[null]", "undefined"),
        *("unknown", "(unknown)", "[unknown]", "not available", "not applicable", "not provided", "no data"),
        *("(blank)", "<blank>"),
    }
)
# What programs write for "not a number". By case: Nan is a given name.
NOT_A_NUMBER = frozenset({"nan", "NaN"})

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_ENTITY_DEPTH_MAX = 5  # "&amp;amp;" was seen in the wild; a hostile value must not cost a pass a level
# Only tags that occur in text fields: "<ann@firm.com>" is an address, not a tag.
_TAG = re.compile(
    r"</?(?:a|b|br|div|em|font|h[1-6]|i|img|li|ol|p|pre|script|small|span|strong|style|sub|sup|table|td|tr|u|ul)"
    r"(?:[\s/][^<>]{0,300})?>",
    re.IGNORECASE,
)
_APOSTROPHES = re.compile(r"['`]")
_NOT_WORD = re.compile(r"[^a-z0-9]+")

# Control, format (zero width, right-to-left marks), surrogate, private, unassigned, and symbols (emoji, (R), (TM)).
_DROPPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "So"})
_EMOJI_PARTS = re.compile("[\U0001f3fb-\U0001f3ff\ufe00-\ufe0f\u20e3]")  # skin tones, variation selectors, key caps


def clean(text: str | None) -> str | None:
    """The value without mark-up, control characters, emoji and needless space; None where it says nothing.

    Case, accents and script stay. Idempotent.
    """
    if text is None:
        return None
    if not (text.isascii() and text.isprintable()):
        text = _dropped(text)
    if "&" in text:
        text = _dropped(_unescaped(text))
    if "<" in text:
        text = _TAG.sub(" ", text)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    text = " ".join(text.split())
    if not text or text.lower() in NOTHING or text in NOT_A_NUMBER:
        return None
    return text


def fold(text: str | None) -> str:
    """Lower-case ASCII letters and digits, one space between words; "" where nothing is left. Idempotent.

    Accents go, other scripts are transliterated, apostrophes join ("O'Brien" is obrien), "&" is "and", any other sign
    parts words.
    """
    if not text:
        return ""
    if not text.isascii():
        text = anyascii(unicodedata.normalize("NFKC", _dropped(text)))
    text = _APOSTROPHES.sub("", text.lower())
    if "&" in text:
        text = text.replace("&", " and ")
    return _NOT_WORD.sub(" ", text).strip()


def join_initials(folded: str) -> str:
    """Runs of single letters as one word: "i b m" and "ibm" are one name, "z o o" is zoo. Idempotent."""
    words: list[str] = []
    in_run = False
    for word in folded.split():
        is_letter = len(word) == 1 and word.isalpha()
        if is_letter and in_run:
            words[-1] += word
        else:
            words.append(word)
        in_run = is_letter
    return " ".join(words)


def word_set(text: str) -> frozenset[str]:
    """The words of a list that is written as running text, as the vocabularies of this room are."""
    return frozenset(text.split())


def _dropped(text: str) -> str:
    """Without the characters nobody can read; white space of any kind becomes a space."""
    text = _EMOJI_PARTS.sub("", text)
    return "".join(
        " " if character.isspace() else character
        for character in text
        if character.isspace() or unicodedata.category(character) not in _DROPPED_CATEGORIES
    )


def _unescaped(text: str) -> str:
    for _ in range(_ENTITY_DEPTH_MAX):
        plain = _ENTITY.sub(lambda match: html.unescape(match.group()), text)
        if plain == text:
            break
        text = plain
    return text
