"""Reading one downloaded file: the headings it must have, and its records by heading.

Belongs here: which files are refused for their headings, rows that are broken. Does not: bytes and formats
(`formats.py`), ids and raw rows (`__init__.py`), the headings themselves (`headings.py`).
Surprise: a row with too many or too few cells is set aside, never padded: it is nearly always the two halves of a row
that some program broke at an unquoted line end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sources.exports.formats import FileRefused, open_sheet
from sources.exports.headings import VENDORS, Vendor, heading_key

__all__ = ["FileRefused", "Line", "read_export"]


@dataclass(frozen=True)
class Line:
    """One record: its number in the file (of a CSV the line of headings is 1) and its filled cells by heading."""

    number: int
    cells: dict[str, str]
    broken: str = ""  # why it cannot be used; empty for a sound row


def read_export(path: Path, vendor: Vendor) -> Iterator[Line]:
    """Every record of a file. A blank cell is left out; wholly blank records are skipped.

    Raises:
        FileRefused: on the first step, or in the middle where a quote is never closed.
    """
    sheet = open_sheet(path, lambda cells: sum(heading in vendor.columns for heading in vendor.spellings(cells)))
    headings = _headings(sheet.headings, vendor)
    for number, cells in sheet.rows:
        if isinstance(cells, str):
            yield Line(number, {}, cells)
        elif any(cell.strip() for cell in cells):
            yield _line(number, headings, cells)


def _headings(cells: list[str], vendor: Vendor) -> list[str]:
    headings = vendor.spellings(cells)
    if not any(cell.strip() for cell in cells):
        raise FileRefused("", "has no headings", "Download the file again, with its first line.")
    _refuse_foreign(cells, vendor)
    for group in vendor.required:
        if not any(column in headings for column in group):
            names = " or ".join(f"'{column}'" for column in group)
            remedy = f"Download it again from {vendor.name} with that column, with the headings as they are."
            raise FileRefused(group[0], f"column {names} is missing", remedy)
    twice = sorted({heading for heading in headings if headings.count(heading) > 1})
    if twice:
        raise FileRefused(twice[0], f"column '{twice[0]}' is there twice", "Remove one of the two.")
    return headings


def _refuse_foreign(cells: list[str], vendor: Vendor) -> None:
    """A file whose headings, as they stand, are more another vendor's than this one's. Older spellings prove nothing:
    UpLead's "Mobile Phone" is ZoomInfo's own."""
    keys = {heading_key(cell) for cell in cells}
    marks = {one.name: [mark for mark in one.marks if heading_key(mark) in keys] for one in VENDORS.values()}
    other = max(VENDORS.values(), key=lambda one: len(marks[one.name]))
    if len(marks[other.name]) > len(marks[vendor.name]):
        mark = marks[other.name][0]
        raise FileRefused(mark, f"column '{mark}' is {other.name}'s", f"Move the file to exports/{other.name}/.")


def _line(number: int, headings: list[str], cells: list[str]) -> Line:
    filled = {heading: cell for heading, cell in zip(headings, cells, strict=False) if cell.strip()}
    if len(cells) == len(headings):
        return Line(number, filled)
    return Line(number, filled, f"{len(cells)} cells under {len(headings)} headings")
