"""The audit: who administered what, each row sealed by the hash of the one before.

Belongs here: adding a row in the transaction of its act, checking them all. Does not: writes to HaloPSA (chain.py has a
chain of its own), requests (the service's log).
Surprise: the hash is keyed with `chain.key` beside the ledger, so whoever can write to the ledger alone cannot mend
the chain behind an edit; and the ledger counts the rows, so that some cut off at the end are missed too.
"""

from __future__ import annotations

import getpass
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa

from assets.publishing import chain
from assets.publishing.ledger import Ledger, advance
from assets.publishing.tables import audit, mark, micros

LENGTH_MARK = "audit_length"
_START = "0" * 64

Note = Callable[..., None]  # (connection, at=, actor=, act=, subject=)


def book(ledger: Ledger) -> Note:
    """A function that adds one row, to be called inside the transaction of the act itself.

    Raises:
        LedgerError: the key cannot be read.
    """
    key = chain.key_of(ledger)  # before the transaction: making it the first time writes

    def note(connection: sa.Connection, *, at: datetime, actor: str, act: str, subject: str) -> None:
        advance(connection, LENGTH_MARK)  # first, so that two at once stand in line
        last = sa.select(audit.c.hash).order_by(audit.c.audit_id.desc()).limit(1)
        previous = connection.scalar(last) or _START
        row = {"at": at, "actor": actor, "act": act, "subject": subject, "previous": previous}
        connection.execute(sa.insert(audit).values(row | {"hash": _seal(key, previous, at, actor, act, subject)}))

    return note


def verify(ledger: Ledger) -> list[str]:
    """One line for each row that was altered, or where rows were removed or added; none: the audit is whole.

    Raises:
        LedgerError: the key cannot be read.
    """
    with ledger.read() as connection:
        rows = connection.execute(sa.select(audit).order_by(audit.c.audit_id)).all()
        length = connection.scalar(sa.select(mark.c.value).where(mark.c.name == LENGTH_MARK)) or 0
    key = chain.key_of(ledger) if rows else b""  # looking must not make one
    problems, previous = [], _START
    for row in rows:
        if row.previous != previous:
            problems.append(f"row {row.audit_id} does not follow the one before it")
        if row.hash != _seal(key, row.previous, row.at, row.actor, row.act, row.subject):
            problems.append(f"row {row.audit_id} was altered")
        previous = row.hash
    if length != len(rows):
        problems.append(f"the audit has {len(rows)} rows and should have {length}")
    return problems


def operator() -> str:
    """Who works at this machine, for acts of the command line."""
    try:
        return f"operator {getpass.getuser()}"
    except (KeyError, OSError):  # no such user, as in some containers
        return "operator"


def _seal(key: bytes, previous: str, at: datetime, actor: str, act: str, subject: str) -> str:
    told = json.dumps([previous, micros(at), actor, act, subject]).encode()
    return hmac.new(key, told, hashlib.sha256).hexdigest()
