"""API keys: who may ask the service for what.

Belongs here: making, listing, revoking and recognising keys. Does not: headers and answers (orchestration/service).
Surprise: a key is shown once, when it is made; the ledger keeps a digest only. A plain SHA-256 is enough, since the
secret is 256 random bits and cannot be guessed as a password can.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sources.clock import Clock

from assets.publishing import audit
from assets.publishing.ledger import Ledger
from assets.publishing.snapshot import Snapshot
from assets.publishing.tables import api_key

SCOPES = ("feed:read", "webhook:write", "enrich:write", "hooks:write", "metrics:read", "review:write", "admin")
LIVE_PER_NAME_MAX = 2  # the old and the new one, while a poller is moved over
_FORM = re.compile(r"hs_([a-z0-9]{12})_([A-Za-z0-9_-]{43})\Z")
_NOBODY = "0" * 64  # compared with where there is no such key, so that both answers take the same time


class KeyRefused(Exception):
    """The key cannot be made or revoked; the message says why and what to do."""


@dataclass(frozen=True)
class Key:
    """One key without its secret."""

    key_id: str
    name: str
    scopes: frozenset[str]
    created_at: datetime | None = None
    revoked_at: datetime | None = None

    def may(self, scope: str) -> bool:
        return scope in self.scopes or "admin" in self.scopes


def add(ledger: Ledger, clock: Clock, *, name: str, scopes: Collection[str]) -> str:
    """Make a key and return it, the only time that it can be seen.

    Raises:
        KeyRefused: an unknown scope, none, or two live keys of that name already.
    """
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise KeyRefused(f"Unknown scope {', '.join(unknown) or '(none given)'}. Known are {', '.join(SCOPES)}.")
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    note = audit.book(ledger)
    with ledger.transaction() as connection:
        live = sa.select(sa.func.count()).where(api_key.c.name == name, api_key.c.revoked_at.is_(None))
        if (connection.scalar(live) or 0) >= LIVE_PER_NAME_MAX:
            raise KeyRefused(f"{name} has {LIVE_PER_NAME_MAX} live keys. Revoke the old one: halosync keys revoke ID.")
        row = {"key_id": key_id, "name": name, "digest": _digest(secret), "scopes": ",".join(sorted(scopes))}
        connection.execute(sa.insert(api_key).values(row | {"created_at": clock.now(), "revoked_at": None}))
        told = f"{key_id} {name} {row['scopes']}"
        note(connection, at=clock.now(), actor=audit.operator(), act="key added", subject=told)
    return f"hs_{key_id}_{secret}"


def revoke(ledger: Ledger, clock: Clock, key_id: str) -> None:
    """End a key at once.

    Raises:
        KeyRefused: there is no live key of that id.
    """
    statement = sa.update(api_key).where(api_key.c.key_id == key_id, api_key.c.revoked_at.is_(None))
    note = audit.book(ledger)
    with ledger.transaction() as connection:
        if connection.execute(statement.values(revoked_at=clock.now())).rowcount == 0:
            raise KeyRefused(f"There is no live key {key_id}. See: halosync keys list.")
        note(connection, at=clock.now(), actor=audit.operator(), act="key revoked", subject=key_id)


def every(ledger: Ledger) -> Iterator[Key]:
    """All keys ever made, the oldest first."""
    with ledger.read() as connection:
        for row in connection.execute(sa.select(api_key).order_by(api_key.c.created_at, api_key.c.key_id)):
            yield _as_key(row)


def recognise(ledger: Ledger, token: str) -> Key | None:
    """The live key that `token` is, None for everything else."""
    match = _FORM.match(token)
    key_id, secret = match.groups() if match else ("", token)
    with ledger.read() as connection:
        row = connection.execute(sa.select(api_key).where(api_key.c.key_id == key_id)).first()
    is_same = hmac.compare_digest(_digest(secret), row.digest if row else _NOBODY)
    return _as_key(row) if row is not None and is_same and row.revoked_at is None else None


class KeyRing:
    """The live keys in memory, read anew whenever the ledger changed: for whoever asks thousands of times a second."""

    def __init__(self) -> None:
        self._version: int | None = None
        self._rows: dict[str, tuple[str, Key]] = {}

    def recognise(self, snapshot: Snapshot, version: int, token: str) -> Key | None:
        """As `recognise`. `version` is another number whenever anybody wrote to the ledger (`Kept.snapshot`)."""
        if version != self._version:
            self._rows = {row[0]: (row[1], Key(row[0], row[2], _scopes(row[3]))) for row in snapshot.rows(_live_keys)}
            self._version = version
        match = _FORM.match(token)
        key_id, secret = match.groups() if match else ("", token)
        digest, key = self._rows.get(key_id, (_NOBODY, None))
        is_same = hmac.compare_digest(_digest(secret), digest)
        return key if is_same else None


def _live_keys() -> sa.Select:
    columns = (api_key.c.key_id, api_key.c.digest, api_key.c.name, api_key.c.scopes)
    return sa.select(*columns).where(api_key.c.revoked_at.is_(None))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _scopes(text: str) -> frozenset[str]:
    return frozenset(text.split(","))


def _as_key(row: sa.Row) -> Key:
    return Key(row.key_id, row.name, _scopes(row.scopes), row.created_at, row.revoked_at)
