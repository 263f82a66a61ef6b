"""The hash chain over effects: proof that nobody changed afterwards what the ledger says we did to HaloPSA.

Belongs here: the rows of `effect_event`, the key of their digests, and checking the whole chain.
Does not: what happens to an effect (effects.py), who runs the check (`halosync doctor`).
Surprise: a digest covers the row of `effect` as the database holds it, values of people included. It is keyed with
`chain.key` beside the ledger, because a bare hash of a phone number can be found by trying all of them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from assets.publishing.ledger import IDS_PER_QUERY, Ledger, LedgerError, chunked, insert_new, upsert
from assets.publishing.tables import effect, effect_event, mark, micros, stored

KEY_FILE = "chain.key"
KEY_BYTES = 32
KEY_MARK = "chain_key"  # several machines on one ledger must seal with one key
LENGTH_MARK = "chain_length"  # so that rows cut off at the end are missed too
PROBLEMS_MAX = 20
_START = "0" * 64
_ROW = tuple(stored(column) for column in effect.columns)


@dataclass
class Verdict:
    """What the check found; `problems` are at most `PROBLEMS_MAX` lines, without a value of a record."""

    events: int = 0
    effects: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return not self.problems


def key_of(ledger: Ledger) -> bytes:
    """The key of this ledger's chain; made, with the mark that tells it from others, at the first call.

    Raises:
        LedgerError: the file cannot be read or made, or is not the key that the chain was begun with.
    """
    path = ledger.folder / KEY_FILE
    known = _mark_of_key(ledger)
    if known is not None and not path.exists():
        raise LedgerError(f"{path} is missing: copy it from the machine that published first, or from a backup.")
    key = _key_at(path)
    if known is None:
        with ledger.transaction() as connection:
            insert_new(connection, mark, [{"name": KEY_MARK, "value": _mark(key)}])
        known = _mark_of_key(ledger)
    if known != _mark(key):
        raise LedgerError(f"{path} is not the key of this ledger: copy the one of the machine that published first.")
    return key


def _mark_of_key(ledger: Ledger) -> int | None:
    with ledger.read() as connection:
        return connection.scalar(sa.select(mark.c.value).where(mark.c.name == KEY_MARK))


def _mark(key: bytes) -> int:
    """Tells keys apart and tells nothing about them: they are random."""
    return int.from_bytes(hashlib.sha256(key).digest()[:7], "big")


def _key_at(path: Path) -> bytes:
    try:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            key = path.read_bytes()
        else:
            key = secrets.token_bytes(KEY_BYTES)
            with os.fdopen(descriptor, "wb") as file:
                file.write(key)
                file.flush()
                os.fsync(file.fileno())
    except OSError as error:
        raise LedgerError(f"{KEY_FILE} beside the ledger cannot be used: {error.strerror}. Mend its mode.") from error
    if len(key) != KEY_BYTES:
        raise LedgerError(f"{KEY_FILE} beside the ledger is damaged. Restore it from a backup.")
    return key


def append(
    connection: sa.Connection, key: bytes, effect_ids: Sequence[int], *, at: datetime, fence: int, run_id: str
) -> None:
    """Seal the state that these effects have now, in the transaction that brought them there.

    Call it under the publisher's lease: two writers at once would fork the chain.
    """
    if not effect_ids:
        return
    sealed_of = {row.effect_id: (row.state, _digest(key, row)) for row in _rows(connection, effect_ids)}
    previous = connection.scalar(sa.select(effect_event.c.hash).order_by(effect_event.c.event_id.desc()).limit(1))
    previous = previous or _START
    events = []
    for effect_id in effect_ids:
        state, digest = sealed_of[effect_id]
        event = {"effect_id": effect_id, "state": state, "at": at, "fence": fence, "run_id": run_id}
        sealed = _hash(previous, effect_id, state, micros(at), fence, run_id, digest)
        events.append({**event, "digest": digest, "previous": previous, "hash": sealed})
        previous = sealed
    connection.execute(sa.insert(effect_event), events)
    length = connection.scalar(sa.select(mark.c.value).where(mark.c.name == LENGTH_MARK)) or 0
    upsert(connection, mark, [{"name": LENGTH_MARK, "value": length + len(events)}])


def verify(ledger: Ledger) -> Verdict:
    """Check every link of the chain, and every effect against its newest seal. Reads one snapshot, writes nothing.

    Raises:
        LedgerError: the key cannot be read.
    """
    found = Verdict()
    with ledger.read() as connection:
        _take(found, _broken_links(connection, found))
        if found.events:
            _take(found, _broken_seals(connection, key_of(ledger), found))
    return found


def _take(found: Verdict, problems: Iterator[str]) -> None:
    """Look at everything, so that the counts are true; keep the first problems."""
    for problem in problems:
        if len(found.problems) < PROBLEMS_MAX:
            found.problems.append(problem)


def _broken_links(connection: sa.Connection, found: Verdict) -> Iterator[str]:
    previous = _START
    rows = connection.execution_options(yield_per=IDS_PER_QUERY).execute(
        sa.select(*(stored(column) for column in effect_event.columns)).order_by(effect_event.c.event_id)
    )
    for row in rows:
        found.events += 1
        if row.previous != previous:
            yield f"event {row.event_id} does not follow the one before it: rows were removed, added or altered there"
        if row.hash != _hash(row.previous, row.effect_id, row.state, row.at, row.fence, row.run_id, row.digest):
            yield f"event {row.event_id} was altered"
        previous = row.hash
    length = connection.scalar(sa.select(mark.c.value).where(mark.c.name == LENGTH_MARK)) or 0
    if length != found.events:
        yield f"the chain has {found.events} events and should have {length}"


def _broken_seals(connection: sa.Connection, key: bytes, found: Verdict) -> Iterator[str]:
    newest = sa.select(sa.func.max(effect_event.c.event_id)).group_by(effect_event.c.effect_id)
    seal = effect_event.alias("seal")
    query = sa.select(*_ROW, seal.c.effect_id.label("of"), seal.c.digest).select_from(
        effect.outerjoin(seal, (seal.c.effect_id == effect.c.effect_id) & seal.c.event_id.in_(newest))
    )
    begun = sa.select(sa.func.min(effect_event.c.effect_id)).where(effect_event.c.state == "sending")
    first = connection.scalar(begun)
    for row in connection.execution_options(yield_per=IDS_PER_QUERY).execute(query):
        found.effects += 1
        if row.of is None:
            # Effects older than the chain have no seal.
            if first is not None and row.effect_id >= first:
                yield f"effect {row.effect_id} is not in the chain"
        elif _digest(key, row) != row.digest:
            yield f"effect {row.effect_id} was altered since it was sealed"
    lost = sa.select(effect_event.c.effect_id).where(effect_event.c.effect_id.not_in(sa.select(effect.c.effect_id)))
    for effect_id in connection.scalars(lost.distinct().order_by(effect_event.c.effect_id)):
        yield f"effect {effect_id} was removed"


def _rows(connection: sa.Connection, effect_ids: Sequence[int]) -> Iterator[sa.Row[Any]]:
    for some in chunked(list(effect_ids), IDS_PER_QUERY):
        yield from connection.execute(sa.select(*_ROW).where(effect.c.effect_id.in_(some)))


def _digest(key: bytes, row: Sequence[Any]) -> str:
    """The keyed digest of a whole row of `effect`, which are the first columns of `row`."""
    values = [row[place] for place in range(len(_ROW))]
    if values[-1] is None:  # `base` came later; a row without one is sealed as it was before
        values.pop()
    return hmac.new(key, json.dumps(values).encode(), hashlib.sha256).hexdigest()


def _hash(*parts: str | int) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
