"""feed/latest.json: the whole live state of the feed in one file, for people and for tools that read files.

Belongs here: writing it, whole or not at all. Does not: the walk (feed.py), what a record looks like (wire.py).
Surprise: a file of the same state is left alone, so that its time says when something last changed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from assets.publishing.feed import left_out, take
from assets.publishing.ledger import Ledger
from assets.publishing.place import Position, compact, on_the_wire
from assets.publishing.snapshot import Snapshot, reading

_PAGE_ROWS = 2_000


def write(ledger: Ledger, path: Path) -> int:
    """Write the whole live state to `path`, one record a line, by rename; a file of the same state is left alone.

    Returns:
        How many records the file holds.
    """
    with reading(ledger) as snapshot:
        newest, newest_at = snapshot.newest()
        written = _written(path)
        if written is not None and written[0] == newest:
            return written[1]
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        count = 0
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write('{"status":"success","records":[')
            for count, record in enumerate(_all_records(snapshot, newest), start=1):
                file.write(("," if count > 1 else "") + "\n" + record)
            metadata = {"source": "golden", "sync_type": "full", "has_more": False, "snapshot": str(newest)}
            metadata |= left_out(snapshot)
            tail = {"total_count": count, "last_sync_timestamp": on_the_wire(newest_at), "metadata": metadata}
            file.write("\n]," + compact(tail)[1:] + "\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    return count


def _written(path: Path) -> tuple[int, int] | None:
    """Snapshot and record count of the file that is there, read from its last line only."""
    if not path.exists():
        return None
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4096))
        last = file.read().decode("utf-8", errors="replace").rstrip("\n").rpartition("\n")[2]
    if not last.startswith("],"):
        return None
    try:
        tail = json.loads("{" + last[2:])
        return int(tail["metadata"]["snapshot"]), int(tail["total_count"])
    except (ValueError, KeyError, TypeError):
        return None


def _all_records(snapshot: Snapshot, newest: int) -> Iterator[str]:
    place: Position | None = Position(start=0, snapshot=newest, sync_type="full")
    while place is not None:
        records, place = take(snapshot, place, limit=_PAGE_ROWS)
        yield from records
