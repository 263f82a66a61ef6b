"""Downloads as a dlt source: files that people fetch from the vendors' web pages and drop into a folder.

    <root>/{apollo,zoominfo,uplead}/*.{csv,tsv,xlsx,parquet,jsonl}
        -> raw_exports.contact      key: <vendor>:<the vendor's id>
        -> raw_exports.quarantine   rows and whole files that were not let in

Where they come from: Apollo "Export", https://knowledge.apollo.io; ZoomInfo "Export to CSV", https://help.zoominfo.com;
UpLead "Downloads", https://support.uplead.com. Many users have no API plan: this is how real records get in without
keys.

Belongs here: the source, ids of rows, which file is newer. Does not: reading (`reading.py`, `formats.py`), headings
(`headings.py`).
Surprise: a person without the vendor's id is named by a digest of the e-mail, else of the LinkedIn address, else of
name and company, so that the same person in tomorrow's download is the same row. A file that is removed takes nothing
away.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dlt
from dlt.extract import DltResource, DltSource

from sources.clock import Clock
from sources.exports.formats import READERS
from sources.exports.headings import VENDORS, Vendor, folded
from sources.exports.reading import FileRefused, Line, read_export
from sources.intake import (
    QUARANTINE_COLUMNS,
    RAW_COLUMNS,
    TEXT_LENGTH_MAX,
    Meter,
    Poison,
    quarantine_rows,
    raw_row,
    screen,
)
from sources.load import raw_hints

SOURCE = "exports"
_CHUNK_ROWS = 2_000
_ROWS_PER_FILE_MAX = 10_000_000  # archive_seq = rank of the file x this + line, so the later row of one person wins
_DIGEST_KEY = b"halosync exports"
_MEND = "Mend the row in the file and drop it again; the rest of the file is loaded."


@dataclass(frozen=True)
class Drop:
    """One dropped file. Newer files win: by modification time, then by name."""

    path: Path
    vendor: Vendor
    size: int
    modified_ns: int

    @property
    def name(self) -> str:
        return f"{self.vendor.name}/{self.path.name}"

    @property
    def modified_at(self) -> datetime:
        return datetime.fromtimestamp(self.modified_ns // 1_000_000_000, UTC)


def exports(root: Path, meter: Meter, clock: Clock) -> DltSource:
    """Tables `contact` and `quarantine` out of the files under `root`; missing folders count as empty ones.

    Unchanged folders load nothing: what was loaded last (names, sizes, times) lives in dlt's state, in the warehouse.
    """
    folder = _Folder(root, meter, clock)

    @dlt.source(name=SOURCE, max_table_nesting=0)
    def source() -> Iterator[DltResource]:
        yield _resource(folder.contacts, "contact", RAW_COLUMNS)
        yield _resource(folder.quarantined, "quarantine", QUARANTINE_COLUMNS)

    return source()


def _resource(rows: Any, name: str, columns: dict[str, dict[str, Any]]) -> DltResource:
    @dlt.resource(name=name, **raw_hints(columns))
    def resource() -> Iterator[Any]:
        yield dlt.mark.materialize_table_schema()
        yield from rows()

    return resource


class _Folder:
    """What lies in the folder now; read only where that has changed since the last load."""

    def __init__(self, root: Path, meter: Meter, clock: Clock) -> None:
        self._meter = meter
        self._clock = clock
        self._drops = drops_in(root)
        self._strays = strays_in(root)
        told = [[drop.name, drop.size, drop.modified_ns] for drop in self._drops]
        told += [[stray.id] for stray in self._strays]
        self._fingerprint = hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def contacts(self) -> Iterator[list[dict[str, Any]]]:
        """Every row of every file, the oldest file first, so that the newest word on a person wins."""
        state = dlt.current.resource_state()
        if state.get("folder") == self._fingerprint:
            return
        for rank, drop in enumerate(self._drops, start=1):
            good, _ = _parted(drop)
            self._meter.fetched["contact"] += len(good)
            rows = [
                raw_row(row_id, payload, fetched_at=drop.modified_at, archive_seq=rank * _ROWS_PER_FILE_MAX + number)
                for number, row_id, payload in good
            ]
            for start in range(0, len(rows), _CHUNK_ROWS):
                yield rows[start : start + _CHUNK_ROWS]
        state["folder"] = self._fingerprint

    def quarantined(self) -> Iterator[list[dict[str, Any]]]:
        """What was not let in. A file that stays wrong is named again by every run, without being read again."""
        state = dlt.current.resource_state()
        if state.get("folder") != self._fingerprint:
            poison = [row for drop in self._drops for row in _parted(drop)[1]] + self._strays
            self._meter.quarantine(poison)
            yield quarantine_rows(poison, self._clock.now())
            state["problems"] = [
                f"exports/{row.id}: {row.reason}. {row.remedy} The other files are loaded."
                for row in poison
                if row.entity == "file"
            ]
            state["folder"] = self._fingerprint
        for problem in state["problems"]:
            self._meter.problem(problem)


def drops_in(root: Path) -> list[Drop]:
    """The files to read, oldest first."""
    drops = []
    for vendor in VENDORS.values():
        for path in _visible(root / vendor.name):
            if path.suffix.lower() in READERS:
                stat = path.stat()
                drops.append(Drop(path, vendor, stat.st_size, stat.st_mtime_ns))
    return sorted(drops, key=lambda drop: (drop.modified_ns, drop.name))


def strays_in(root: Path) -> list[Poison]:
    """Files of no kind that is read, and files that lie beside the vendors' folders."""
    strays = [
        (f"{vendor}/{path.name}", "Save it as CSV UTF-8, XLSX, Parquet or JSONL.")
        for vendor in VENDORS
        for path in _visible(root / vendor)
        if path.suffix.lower() not in READERS
    ]
    strays += [(path.name, f"Move it into one of {', '.join(VENDORS)}.") for path in _visible(root)]
    return [
        Poison(name, "file", "", "is not where or what a download should be", "", remedy) for name, remedy in strays
    ]


def _visible(folder: Path) -> list[Path]:
    """Files people put there: neither hidden nor a spreadsheet's lock file."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith((".", "~$")))


def _parted(drop: Drop) -> tuple[list[tuple[int, str, dict[str, Any]]], list[Poison]]:
    """A file's rows as (line, id, payload), and what was not let in: rows, or the file as a whole."""
    good: list[tuple[int, str, dict[str, Any]]] = []
    poison: list[Poison] = []
    try:
        for line in read_export(drop.path, drop.vendor):
            found = _taken(line, drop)
            if isinstance(found, Poison):
                poison.append(found)
            else:
                good.append((line.number, *found))
    except FileRefused as refused:
        return [], [Poison(drop.name, "file", refused.column, refused.reason, "", refused.remedy)]
    return good, poison


def _taken(line: Line, drop: Drop) -> tuple[str, dict[str, Any]] | Poison:
    """One row, or why not."""
    place = f"{drop.name}:{line.number}"
    if line.broken:
        return Poison(place, "contact", "", line.broken, json.dumps(line.cells)[:TEXT_LENGTH_MAX], _MEND)
    row_id = row_id_of(line.cells, drop.vendor)
    if row_id is None:
        reason = f"neither {drop.vendor.id}, e-mail, LinkedIn address nor name with company"
        return Poison(place, "contact", drop.vendor.id, reason, json.dumps(line.cells)[:TEXT_LENGTH_MAX], _MEND)
    good, poison = screen(
        [{**line.cells, "vendor": drop.vendor.name, "file": drop.path.name}],
        entity="contact",
        id_of=lambda row: row_id,
    )
    return good[0] if good else poison[0]


def row_id_of(cells: dict[str, str], vendor: Vendor) -> str | None:
    """`<vendor>:<id>`; without an id a digest of the strongest evidence there is; None where there is none."""
    if vendor.id in cells:
        return f"{vendor.name}:{cells[vendor.id].strip()}"
    for group in vendor.evidence:
        if all(column in cells for column in group):
            evidence = "\x1f".join((vendor.name, group[0], *(folded(cells[column]) for column in group)))
            digest = hashlib.blake2b(evidence.encode("utf-8", "backslashreplace"), key=_DIGEST_KEY, digest_size=12)
            return f"{vendor.name}:~{digest.hexdigest()}"
    return None
