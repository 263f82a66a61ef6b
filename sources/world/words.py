"""Word lists: the one reader of words.toml.

Belongs here: reading. Does not: the words (words.toml), what is made of them (names.py, places.py, companies.py).
Surprise: `words` splits at | where the text has one, else at white space.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any


@cache
def _lists() -> dict[str, dict[str, Any]]:
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


def section(name: str) -> dict[str, Any]:
    """One table of words.toml, as it stands."""
    return _lists()[name]


def split(text: str) -> list[str]:
    """The words of one list."""
    return [word.strip() for word in text.split("|")] if "|" in text else text.split()


def words(name: str, key: str) -> list[str]:
    """The words of one list by its place."""
    return split(section(name)[key])


def pairs(name: str, key: str) -> dict[str, str]:
    """A list of `left:right` words as a mapping."""
    return dict(word.split(":", 1) for word in words(name, key))
