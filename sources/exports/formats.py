"""A downloaded file as headings and rows of text: CSV, Parquet, JSON lines, XLSX.

Belongs here: bytes to cells, and the one clear line for a file that cannot be read. Does not: which headings there must
be (`reading.py`, `headings.py`).
Surprise: every cell becomes text, as a CSV would hold it: a whole number without a decimal point, a date as ISO 8601.
Excel keeps numbers as fractions with 15 digits, so a longer id in an XLSX was spoilt by whoever saved it, not by us.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import math
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import python_calamine

FILE_BYTES_MAX = 256 * 1024 * 1024  # a million rows; vendors cap their downloads at 10,000 to 100,000
UNPACKED_BYTES_MAX = 4 * FILE_BYTES_MAX  # of an XLSX, which is a zip and may be a bomb
CELL_CHARS_MAX = 1_000_000  # the screen for poison rows has the last word, at a fifth of this
DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_BYTES = 4_096


class FileRefused(Exception):
    """A file that is none of ours; the rest of the folder is read. `column` is the one at fault, empty for the file."""

    def __init__(self, column: str, reason: str, remedy: str) -> None:
        super().__init__(f"{reason}. {remedy}")
        self.column = column
        self.reason = reason
        self.remedy = remedy


@dataclass(frozen=True)
class Sheet:
    """`rows` are (number in the file, cells in the order of `headings`), or (number, why it is broken)."""

    headings: list[str]
    rows: Iterator[tuple[int, list[str] | str]]


KnownCount = Callable[[list[str]], int]  # of some headings, how many are known: tells the delimiter


def open_sheet(path: Path, known_count: KnownCount) -> Sheet:
    """A file by its suffix, one of `READERS`.

    Raises:
        FileRefused: here, or while the rows are read.
    """
    try:
        size = path.stat().st_size
        if size > FILE_BYTES_MAX:
            raise FileRefused("", f"{size:,} bytes long (cap {FILE_BYTES_MAX:,})", "Split the file and drop the parts.")
        return READERS[path.suffix.lower()](path, known_count)
    except OSError as error:
        raise FileRefused("", f"cannot be read ({error.strerror})", "Check the file's permissions.") from error


def _csv(path: Path, known_count: KnownCount) -> Sheet:
    text = _decoded(path.read_bytes())
    csv.field_size_limit(CELL_CHARS_MAX)
    first = text.split("\n", 1)[0].rstrip("\r")
    delimiter = max(DELIMITERS, key=lambda one: known_count(next(csv.reader([first], delimiter=one), [])))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)

    def refused(error: csv.Error) -> FileRefused:
        remedy = "Download the file again; if a spreadsheet saved it, save it as CSV UTF-8."
        return FileRefused("", f"line {reader.line_num:,}: {error}", remedy)

    def rows() -> Iterator[tuple[int, list[str] | str]]:
        try:
            yield from enumerate(reader, start=2)
        except csv.Error as error:
            raise refused(error) from error

    try:
        headings = next(reader, [])
    except csv.Error as error:
        raise refused(error) from error
    return Sheet(headings, rows())


def _decoded(raw: bytes) -> str:
    """UTF-8 with or without a byte order mark, or UTF-16, which without one betrays itself by its zeros."""
    encoding, remedy = "utf-8-sig", "Save it as CSV UTF-8."
    sample = raw[:_SAMPLE_BYTES]
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif sample.count(0) > len(sample) // 4:
        encoding = "utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        name = "UTF-8" if encoding == "utf-8-sig" else "UTF-16"
        raise FileRefused("", f"line {line:,} is not {name}", remedy) from error


def _jsonl(path: Path, _: KnownCount) -> Sheet:
    """Keys are headings. Lines may lack some; a line that is no object is one broken row."""
    headings: dict[str, None] = {}
    read: list[tuple[int, Mapping[str, Any] | str]] = []
    for number, line in enumerate(_decoded(path.read_bytes()).splitlines(), start=1):
        if not line.strip():
            continue
        record = _object_in(line)
        read.append((number, record))
        if not isinstance(record, str):
            headings.update(dict.fromkeys(record))
    if not headings:
        raise FileRefused("", "holds no JSON object", "Write one JSON object a line, its keys the headings.")
    names = list(headings)
    rows = (
        (number, record if isinstance(record, str) else [_text(record.get(name)) for name in names])
        for number, record in read
    )
    return Sheet(names, rows)


def _object_in(line: str) -> Mapping[str, Any] | str:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return "no JSON"
    return record if isinstance(record, dict) else f"a {type(record).__name__} instead of an object"


def _parquet(path: Path, _: KnownCount) -> Sheet:
    """Columns are headings. The first row is row 1."""
    try:
        file = pq.ParquetFile(path)
    except pa.ArrowInvalid as error:
        raise FileRefused("", "is no Parquet file", "Write or download it again.") from error

    def rows() -> Iterator[tuple[int, list[str] | str]]:
        number: int = 0
        try:
            for batch in file.iter_batches():
                for record in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    number += 1
                    yield number, [_text(value) for value in record]
        except (pa.ArrowInvalid, OSError) as error:
            raise FileRefused("", f"row {number + 1:,} cannot be read", "Write or download it again.") from error

    return Sheet(list(file.schema_arrow.names), rows())


def _xlsx(path: Path, _: KnownCount) -> Sheet:
    """The first sheet. Rows are numbered as the spreadsheet numbers them."""
    remedy = "Open it in a spreadsheet and save it as XLSX or CSV UTF-8."
    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(part.file_size for part in packed.infolist())
        if size > UNPACKED_BYTES_MAX:
            raise FileRefused("", f"{size:,} bytes unpacked (cap {UNPACKED_BYTES_MAX:,})", "Split the file.")
        with python_calamine.load_workbook(path) as book:
            cells = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (zipfile.BadZipFile, python_calamine.CalamineError, IndexError) as error:
        raise FileRefused("", "is no XLSX workbook", remedy) from error
    numbered: Iterable[tuple[int, list[Any]]] = enumerate(cells, start=1)
    filled = ((number, [_text(cell) for cell in row]) for number, row in numbered)
    rows: Iterator[tuple[int, list[str] | str]] = ((number, row) for number, row in filled if any(row))
    first = next(rows, None)
    return Sheet(first[1] if first is not None and isinstance(first[1], list) else [], rows)


READERS: Mapping[str, Callable[[Path, KnownCount], Sheet]] = {
    ".csv": _csv,
    ".tsv": _csv,
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".parquet": _parquet,
    ".xlsx": _xlsx,
}


def _text(value: Any) -> str:
    """A cell as a CSV would hold it."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return str(int(value)) if value.is_integer() else "" if math.isnan(value) else str(value)
        case datetime() if (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0):
            return value.date().isoformat()
        case datetime() | date():
            return value.isoformat()
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
