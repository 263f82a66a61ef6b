"""What comes in: the frozen outer shape of raw tables, the screen for poison rows, and the meter of a run.

Belongs here: what every source does with every row, whatever the vendor. Does not: fields (transforms map them).
Surprise: a payload is kept as the vendor sent it, as JSON text. A new, renamed or retyped field at a vendor can
therefore never break a load; it is noticed when the payload is mapped.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from sources.budget import Purse

RAW_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("archive_seq", pa.int64(), nullable=False),
        pa.field("stamp", pa.string()),
        pa.field("content_hash", pa.string(), nullable=False),
        pa.field("fetched_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("payload", pa.string(), nullable=False),
    ]
)

# dlt column hints of a raw table: ids stay text, and of several versions in one load the newest archive file wins.
RAW_COLUMNS: dict[str, dict[str, Any]] = {
    "id": {"data_type": "text", "nullable": False, "primary_key": True},
    "archive_seq": {"data_type": "bigint", "nullable": False, "dedup_sort": "desc"},
    "stamp": {"data_type": "text", "nullable": True},
    "content_hash": {"data_type": "text", "nullable": False},
    "fetched_at": {"data_type": "timestamp", "nullable": False},
    "payload": {"data_type": "text", "nullable": False},
}
QUARANTINE_COLUMNS: dict[str, dict[str, Any]] = {
    "id": {"data_type": "text", "nullable": False, "primary_key": True},
    "entity": {"data_type": "text", "nullable": True},
    "field": {"data_type": "text", "nullable": True},
    "reason": {"data_type": "text", "nullable": True},
    "remedy": {"data_type": "text", "nullable": True},
    "payload": {"data_type": "text", "nullable": True},
    "fetched_at": {"data_type": "timestamp", "nullable": True},
}

ID_LENGTH_MAX = 200
TEXT_LENGTH_MAX = 200_000  # descriptions and keyword lists of companies stay far below
KEY_COUNT_MAX = 20_000
DEPTH_MAX = 20


@dataclass(frozen=True)
class Poison:
    """A row that was not let in: which, which field, why, and what to do."""

    id: str
    entity: str
    field: str
    reason: str
    payload: str
    remedy: str = "The rest of its page is loaded. When the vendor has mended it, the next run takes it in by itself."


@dataclass
class Meter:
    """The counts of one source in one run; carried out of dlt, which knows only what it loaded."""

    source: str
    run_id: str = ""  # the run that pays
    purse: Purse | None = None  # its credits; None where nothing is paid
    asked: list[str] = field(default_factory=list)  # domains that a helpdesk's questions put to this source
    fetched: Counter[str] = field(default_factory=Counter)  # rows read from the vendor, per entity
    bought: Counter[str] = field(default_factory=Counter)  # payloads paid for or newly archived, per entity
    missed: Counter[str] = field(default_factory=Counter)  # asked for, not delivered, per entity
    credits: float = 0.0
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)  # rows quarantined, per (entity, what is wrong)
    retried: Counter[str] = field(default_factory=Counter)  # calls sent again, per reason
    problems: list[str] = field(default_factory=list)  # what could not be served whole: the run is partial

    @property
    def quarantined(self) -> int:
        return self.refused.total()

    def problem(self, text: str) -> None:
        """Note something a person should read; once per text."""
        if text not in self.problems:
            self.problems.append(text)

    def quarantine(self, poison: Iterable[Poison]) -> None:
        """Count rows that were not let in."""
        self.refused.update((row.entity, f"{row.field[:80]} {row.reason}".strip()) for row in poison)

    def refusals(self) -> list[str]:
        """What was quarantined, in words: one line for each thing that was wrong. Whole files have told their own."""
        return [
            f"{self.source}: {count:,} {entity} row{'s are' if count > 1 else ' is'} quarantined: {fault}. All others "
            f"are loaded. See raw_{self.source}.quarantine; once it is mended at its source, the next run takes it in."
            for (entity, fault), count in self.refused.items()
            if entity != "file"
        ]

    def retries(self) -> list[str]:
        """Why the vendor was asked again, in words."""
        return retry_notes(self.source, self.retried, self.problems)


def retry_notes(source: str, retried: Mapping[str, int], problems: Sequence[str]) -> list[str]:
    """Why a vendor was asked again, in one line; none where everything was answered at once."""
    if not retried:
        return []
    reasons = ", ".join(f"{reason} ({count:,} x)" for reason, count in sorted(retried.items()))
    ended = "what did not come is among the problems" if problems else "all was answered then, nothing is missing"
    return [f"{source}: asked again after {reasons}; {ended}."]


def canonical_json(payload: Any) -> str:
    """JSON with sorted keys and no spaces: equal content, equal text."""
    return json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def content_hash(payload: Any) -> str:
    """SHA-256 over the canonical JSON."""
    return hashlib.sha256(canonical_json(payload).encode("utf-8")).hexdigest()


def raw_row(
    row_id: str, payload: dict[str, Any], *, fetched_at: datetime, stamp: str | None = None, archive_seq: int = 0
) -> dict[str, Any]:
    """One row of a raw table."""
    text = canonical_json(payload)
    return {
        "id": row_id,
        "archive_seq": archive_seq,
        "stamp": stamp,
        "content_hash": hashlib.sha256(text.encode("utf-8")).hexdigest(),
        "fetched_at": fetched_at,
        "payload": text,
    }


def screen(
    rows: Iterable[Any], *, entity: str, id_of: Callable[[dict[str, Any]], Any]
) -> tuple[list[tuple[str, dict[str, Any]]], list[Poison]]:
    """Part a page into (id, payload) pairs that may go in and rows that may not.

    A row is poison where it is no object, has no id, or holds text, depth or a number of keys past the caps, a NUL,
    a lone surrogate, a NaN or an infinity. Nothing is repaired: a repaired row would be a row nobody sent.
    """
    good: list[tuple[str, dict[str, Any]]] = []
    poison: list[Poison] = []
    for row in rows:
        found = _poison_of(row, id_of)
        if found is None:
            good.append((str(id_of(row)), row))
        else:
            field_name, reason = found
            poison.append(_poison(row, entity, field_name, reason, id_of))
    return good, poison


def quarantine_rows(poison: Iterable[Poison], fetched_at: datetime) -> list[dict[str, Any]]:
    """Rows of `raw_<source>.quarantine`."""
    return [
        {
            "id": f"{row.entity}:{row.id}",
            "entity": row.entity,
            "field": row.field,
            "reason": row.reason,
            "remedy": row.remedy,
            "payload": row.payload,
            "fetched_at": fetched_at,
        }
        for row in poison
    ]


def _poison_of(row: Any, id_of: Callable[[dict[str, Any]], Any]) -> tuple[str, str] | None:
    if not isinstance(row, dict):
        return "", f"a {type(row).__name__} instead of an object"
    row_id = id_of(row)
    if row_id is None or isinstance(row_id, bool | dict | list) or not str(row_id).strip():
        return "id", "no id"
    if len(str(row_id)) > ID_LENGTH_MAX:
        return "id", f"{len(str(row_id))} characters long (cap {ID_LENGTH_MAX})"
    return _fault_in(row)


def _fault_in(row: dict[str, Any]) -> tuple[str, str] | None:
    """The first (path, reason) in a nested value that must not enter; iterative, so depth cannot hurt us."""
    keys = 0
    stack: list[tuple[str, Any, int]] = [("", row, 0)]
    while stack:
        path, value, depth = stack.pop()
        if depth > DEPTH_MAX:
            return path, f"nested deeper than {DEPTH_MAX}"
        if isinstance(value, dict):
            keys += len(value)
            wrong = next((reason for key in value if (reason := text_fault(key))), None)
            if wrong:
                return path, f"a key {wrong}"
            stack.extend((f"{path}.{key}" if path else key, item, depth + 1) for key, item in value.items())
        elif isinstance(value, list):
            keys += len(value)
            stack.extend((f"{path}[]", item, depth + 1) for item in value)
        elif isinstance(value, str):
            reason = text_fault(value)
            if reason:
                return path, reason
        elif isinstance(value, float) and not math.isfinite(value):
            return path, f"{value} instead of a number"
        if keys > KEY_COUNT_MAX:
            return path, f"more than {KEY_COUNT_MAX} values"
    return None


def text_fault(text: str) -> str | None:
    """Why a text must not enter, None where it may."""
    if len(text) > TEXT_LENGTH_MAX:
        return f"{len(text):,} characters long (cap {TEXT_LENGTH_MAX:,})"
    if "\x00" in text:
        return "holds a NUL character"
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        return "holds a lone surrogate"
    return None


def _poison(row: Any, entity: str, field_name: str, reason: str, id_of: Callable[[dict[str, Any]], Any]) -> Poison:
    try:
        text = json.dumps(row, ensure_ascii=True, sort_keys=True, default=str)
    except RecursionError:
        text = '"nested too deep to be kept"'
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    row_id = id_of(row) if isinstance(row, dict) else None
    usable = isinstance(row_id, str | int) and str(row_id).strip() and len(str(row_id)) <= ID_LENGTH_MAX
    name = str(row_id) if usable else f"unnamed-{digest}"
    # Escapes instead of the characters themselves: the quarantine must hold what DuckDB and a terminal can show.
    return Poison(name.encode("ascii", "backslashreplace").decode(), entity, field_name, reason, text[:TEXT_LENGTH_MAX])
