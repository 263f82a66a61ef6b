"""Dates as ISO text, out of the several forms that vendors and files use.

Belongs here: days. Does not: moments (SQL casts ISO timestamps).
Surprise: 03/04/2026 is read month first, as the two American vendors write it; 03.04.2026 day first. A birth date of
the right shape that is no day of the calendar (1912-13-32) is kept: it is evidence with a slip in it.
"""

from __future__ import annotations

import re
from datetime import date

from transforms.kernels.fold import clean

_YEAR_FIRST = re.compile(r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[t ].*)?$")
_COMPACT = re.compile(r"^(\d{4})(\d{2})(\d{2})(?:\.0)?$")
_YEAR_LAST = re.compile(r"^(\d{1,2})([-/.])(\d{1,2})[-/.](\d{4})(?:[t ,].*)?$")
_DAY_MONTH = re.compile(r"^(\d{1,2})(?:st|nd|rd|th)?[ -]([a-z]{3,9})\.?,?[ -](\d{4})$")
_MONTH_DAY = re.compile(r"^([a-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})$")
_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6,
    "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip


def iso_date(text: str | None) -> str | None:
    """The day as YYYY-MM-DD; None where it is no day of the calendar."""
    shaped = iso_shaped(text)
    if shaped is None:
        return None
    year, month, day = (int(part) for part in shaped.split("-"))
    return shaped if _is_day(year, month, day) else None


def iso_shaped(text: str | None) -> str | None:
    """The date as YYYY-MM-DD, impossible days and months kept; None where it has no such shape."""
    cleaned = clean(text)
    if cleaned is None or len(cleaned) > 40 or not cleaned.isascii():
        return None
    plain = cleaned.lower()
    if match := _YEAR_FIRST.match(plain) or _COMPACT.match(plain):
        return _shape(int(match.group(1)), int(match.group(2)), int(match.group(3)))
    if match := _YEAR_LAST.match(plain):
        left, right, year = int(match.group(1)), int(match.group(3)), int(match.group(4))
        is_day_first = left > 12 or (match.group(2) == "." and right <= 12)
        return _shape(year, right, left) if is_day_first else _shape(year, left, right)
    if match := _DAY_MONTH.match(plain):
        return _named_month(int(match.group(3)), match.group(2), int(match.group(1)))
    if match := _MONTH_DAY.match(plain):
        return _named_month(int(match.group(3)), match.group(1), int(match.group(2)))
    return None


def _named_month(year: int, name: str, day: int) -> str | None:
    month = _MONTHS.get(name[:3])
    return _shape(year, month, day) if month is not None else None


def _shape(year: int, month: int, day: int) -> str:
    return f"{year:04d}-{month:02d}-{day:02d}"


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
