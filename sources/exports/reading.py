"""Reading one downloaded file: text, delimiter, headings, rows.

Belongs here: from bytes to rows by heading, and the one clear line for a file that cannot be read.
Does not: ids and raw rows (`__init__.py`), the headings themselves (`headings.py`).
Surprise: a row with too many or too few cells is set aside, never padded: it is nearly always the two halves of a row
that some program broke at an unquoted line end.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sources.exports.headings import VENDORS, Vendor

DELIMITERS = (",", ";", "\t", "|")
FILE_BYTES_MAX = 256 * 1024 * 1024  # a million rows; vendors cap their downloads at 10,000 to 100,000
CELL_CHARS_MAX = 1_000_000  # the screen for poison rows has the last word, at a fifth of this


class FileRefused(Exception):
    """A file that is none of ours; the rest of the folder is read. `column` is the one at fault, empty for the file."""

    def __init__(self, column: str, reason: str, remedy: str) -> None:
        super().__init__(f"{reason}. {remedy}")
        self.column = column
        self.reason = reason
        self.remedy = remedy


@dataclass(frozen=True)
class Line:
    """One record: its number in the file (the line of headings is 1) and its filled cells by heading."""

    number: int
    cells: dict[str, str]
    broken: str = ""  # why it cannot be used; empty for a sound row


def read_export(path: Path, vendor: Vendor) -> Iterator[Line]:
    """Every record of a file. A blank cell is left out; wholly blank records are skipped.

    Raises:
        FileRefused: on the first step, or in the middle where a quote is never closed.
    """
    text = _text(path)
    csv.field_size_limit(CELL_CHARS_MAX)
    delimiter = _delimiter(text, vendor)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        headings = _headings(next(reader, []), vendor)
        for number, cells in enumerate(reader, start=2):
            if any(cell.strip() for cell in cells):
                yield _line(number, headings, cells)
    except csv.Error as error:
        remedy = "Download the file again; if a spreadsheet saved it, save it as CSV UTF-8."
        raise FileRefused("", f"line {reader.line_num:,}: {error}", remedy) from error


def _text(path: Path) -> str:
    """The whole file, a byte order mark removed."""
    try:
        size = path.stat().st_size
        if size > FILE_BYTES_MAX:
            raise FileRefused("", f"{size:,} bytes long (cap {FILE_BYTES_MAX:,})", "Split the file and drop the parts.")
        raw = path.read_bytes()
    except OSError as error:
        raise FileRefused("", f"cannot be read ({error.strerror})", "Check the file's permissions.") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise FileRefused("", f"line {line:,} is not UTF-8", "Save it as CSV UTF-8.") from error


def _delimiter(text: str, vendor: Vendor) -> str:
    """The delimiter under which the first line has most headings we know."""
    first = text.split("\n", 1)[0]
    return max(DELIMITERS, key=lambda delimiter: _known_count(first, delimiter, vendor))


def _known_count(first: str, delimiter: str, vendor: Vendor) -> int:
    cells = next(csv.reader([first.rstrip("\r")], delimiter=delimiter), [])
    return sum(heading in vendor.columns for heading in vendor.spellings(cells))


def _headings(cells: list[str], vendor: Vendor) -> list[str]:
    headings = vendor.spellings(cells)
    if not any(cell.strip() for cell in cells):
        raise FileRefused("", "has no headings", "Download the file again, with its first line.")
    _refuse_foreign(headings, vendor)
    for group in vendor.required:
        if not any(column in headings for column in group):
            names = " or ".join(f"'{column}'" for column in group)
            remedy = f"Download it again from {vendor.name} with that column, with the headings as they are."
            raise FileRefused(group[0], f"column {names} is missing", remedy)
    twice = sorted({heading for heading in headings if headings.count(heading) > 1})
    if twice:
        raise FileRefused(twice[0], f"column '{twice[0]}' is there twice", "Remove one of the two.")
    return headings


def _refuse_foreign(headings: list[str], vendor: Vendor) -> None:
    if any(mark in headings for mark in vendor.marks):
        return
    for other in VENDORS.values():
        mark = next((mark for mark in other.marks if mark in headings), None)
        if other is not vendor and mark is not None:
            raise FileRefused(mark, f"column '{mark}' is {other.name}'s", f"Move the file to exports/{other.name}/.")


def _line(number: int, headings: list[str], cells: list[str]) -> Line:
    filled = {heading: cell for heading, cell in zip(headings, cells, strict=False) if cell.strip()}
    if len(cells) == len(headings):
        return Line(number, filled)
    return Line(number, filled, f"{len(cells)} cells under {len(headings)} headings")
