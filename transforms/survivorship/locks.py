"""Locks: values that a steward fixed, as the table `ops.lock`.

Belongs here: the shape of that table and the check that a lock can be obeyed. Does not: who may lock and undo (ledger),
how a lock wins (kernel.py). Surprise: a lock hangs on a source record, not on a golden id, so it follows the record
through rebuilds, merges and splits; where two locks meet in one golden cell, the later decision wins.
"""

from __future__ import annotations

import pyarrow as pa

from transforms.contracts import ENTITIES
from transforms.survivorship.rules import value_types

# Key: entity, record_key, field. value as text, null to lock the cell empty; seq is the order of the decisions (of two
# locks with one seq that meet in a golden cell, that of the smallest record_key wins).
LOCK_SCHEMA = pa.schema(
    [
        ("entity", pa.string()),
        ("record_key", pa.string()),
        ("field", pa.string()),
        ("value", pa.string()),
        ("seq", pa.int64()),
    ]
)


class LockError(ValueError):
    """A lock names no column or does not fit it. One line, without the value."""


def checked(locks: pa.Table) -> pa.Table:
    """The locks as they are.

    Raises:
        LockError: the first one that the golden tables could not take.
    """
    seen = set()
    for lock in locks.to_pylist():
        place = f"Lock {lock['seq']} on {lock['entity']} {lock['record_key']}"
        if lock["entity"] not in ENTITIES:
            raise LockError(f"{place}: unknown entity; expected one of: {', '.join(ENTITIES)}. Undo it.")
        types = value_types(lock["entity"])
        if lock["field"] not in types:
            raise LockError(f"{place}: golden.{lock['entity']} has no column {lock['field']!r} to lock. Undo it.")
        if not _fits(lock["value"], types[lock["field"]]):
            raise LockError(f"{place}: its value for {lock['field']} is no {types[lock['field']]}. Undo it.")
        cell = (lock["entity"], lock["record_key"], lock["field"])
        if cell in seen:
            raise LockError(f"{place}: {lock['field']} of this record is locked twice; undo one of the locks.")
        seen.add(cell)
    return locks


def _fits(value: str | None, kind: str) -> bool:
    """Whether the text is spelled as provenance spells values of that type."""
    if value is None or kind == "varchar":
        return True
    if kind == "boolean":
        return value in ("true", "false")
    assert kind == "bigint", f"no golden value column is {kind}"
    return value.removeprefix("-").isascii() and value.removeprefix("-").isdigit() and str(int(value)) == value
