"""Enrichment: questions of a helpdesk about one organisation or contact, answered now or after a run.

Belongs here: the answer from golden, the queue of what is not known yet, settling it after a commit.
Does not: fetching (sources), routes (orchestration/service/enrich.py).
Surprise: an e-mail address that was asked for is forgotten as soon as its job is settled.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sources.clock import Clock
from transforms.kernels.links import site

from assets.publishing import lookup
from assets.publishing.ledger import Ledger
from assets.publishing.tables import enrichment, head

PATIENCE = timedelta(days=7)  # a question that no source answered by then is answered with unknown
WAITING_MAX = 5_000


class QueueFull(Exception):
    """Too many questions wait."""


@dataclass(frozen=True)
class Question:
    """What is known of the record that is asked for; `halo_id` is the asker's own id of it, given back."""

    entity: str
    website: str | None = None
    name: str | None = None
    email: str | None = None
    halo_id: str | None = None


@dataclass(frozen=True)
class Job:
    """A question in the queue; `state` is queued, done or unknown."""

    job_id: str
    state: str
    golden_id: str | None
    halo_id: str | None


def answer(ledger: Ledger, question: Question) -> dict[str, Any] | None:
    """The golden record as the feed tells it, with `match`; None where it is not known."""
    with ledger.read() as connection:
        found = _find(connection, question)
        return None if found is None else {"match": found[1], **_told(connection, found[0])}


def of_golden(ledger: Ledger, golden_id: str) -> dict[str, Any] | None:
    """A live golden record as the feed tells it."""
    with ledger.read() as connection:
        return _told(connection, golden_id) or None


def ask(ledger: Ledger, clock: Clock, question: Question) -> str:
    """Queue a question and return its job; the same one asked again while it waits is the same job.

    Raises:
        QueueFull: WAITING_MAX questions wait.
    """
    row = {
        "entity": question.entity,
        "domain": site(question.website),
        "name": question.name,
        "email": question.email,
        "halo_id": question.halo_id,
    }
    same = [enrichment.c.state == "queued", *(enrichment.c[name].is_not_distinct_from(row[name]) for name in row)]
    with ledger.transaction() as connection:
        known = connection.scalar(sa.select(enrichment.c.job_id).where(*same))
        if known is not None:
            return str(known)
        waiting = sa.select(sa.func.count()).where(enrichment.c.state == "queued")
        if (connection.scalar(waiting) or 0) >= WAITING_MAX:
            raise QueueFull
        job_id = secrets.token_hex(12)
        connection.execute(
            sa.insert(enrichment).values(row | {"job_id": job_id, "state": "queued", "asked_at": clock.now()})
        )
    return job_id


def job(ledger: Ledger, job_id: str) -> Job | None:
    columns = (enrichment.c.job_id, enrichment.c.state, enrichment.c.golden_id, enrichment.c.halo_id)
    with ledger.read() as connection:
        row = connection.execute(sa.select(*columns).where(enrichment.c.job_id == job_id)).first()
    return None if row is None else Job(*row)


def domains_asked(ledger: Ledger, source: str, order: Sequence[str]) -> list[str]:
    """Domains whose turn it is at `source`, the oldest question first: what a run fetches there besides its own.

    A question is put to the vendors of `order` one after another, one a run, until one brings a verified answer.
    """
    query = (
        sa.select(enrichment.c.domain, enrichment.c.tried)
        .where(enrichment.c.state == "queued", enrichment.c.domain.is_not(None))
        .order_by(enrichment.c.asked_at, enrichment.c.job_id)
    )
    with ledger.read() as connection:
        rows = connection.execute(query).all()
    return list(dict.fromkeys(row.domain for row in rows if next(iter(_left(row.tried, order)), None) == source))


def note_tried(ledger: Ledger, source: str, domains: Collection[str]) -> None:
    """`source` was asked about `domains`, answered or not; the next run puts them to the next vendor."""
    if not domains:
        return
    waiting = sa.select(enrichment.c.job_id, enrichment.c.domain, enrichment.c.tried)
    with ledger.transaction() as connection:
        for row in connection.execute(waiting.where(enrichment.c.state == "queued")).all():
            if row.domain in domains and source not in (row.tried or ()):
                tried = [*(row.tried or ()), source]
                connection.execute(sa.update(enrichment).where(enrichment.c.job_id == row.job_id).values(tried=tried))


def settle(ledger: Ledger, clock: Clock, order: Sequence[str] = ()) -> int:
    """Answer what golden knows by now, and end what waited too long; returns how many jobs ended.

    A person whose address nobody verified yet goes on to the next vendor of `order`; after the last, what there is
    counts.
    """
    ended = 0
    with ledger.transaction() as connection:
        for row in connection.execute(sa.select(enrichment).where(enrichment.c.state == "queued")).all():
            found = _find(connection, Question(row.entity, row.domain, row.name, row.email))
            is_open = clock.now() - row.asked_at < PATIENCE
            if is_open and (found is None or _may_be_bettered(connection, row, found[0], order)):
                continue
            settled = {"state": "done" if found else "unknown", "golden_id": found[0] if found else None}
            connection.execute(
                sa.update(enrichment)
                .where(enrichment.c.job_id == row.job_id)
                .values(**settled, email=None, settled_at=clock.now())
            )
            ended += 1
    return ended


def _may_be_bettered(connection: sa.Connection, row: Any, golden_id: str, order: Sequence[str]) -> bool:
    """Whether a person's address is not verified and a vendor is left who may know better."""
    if row.entity != "contact" or row.domain is None or not _left(row.tried, order):
        return False
    content = connection.scalar(sa.select(head.c.content).where(head.c.golden_id == golden_id)) or {}
    return content.get("email_status") != "verified"


def _left(tried: Sequence[str] | None, order: Sequence[str]) -> list[str]:
    """Vendors that were not asked yet, in order."""
    return [source for source in order if source not in (tried or ())]


def _find(connection: sa.Connection, question: Question) -> tuple[str, str] | None:
    if question.entity == "organisation":
        return lookup.organisation(connection, website=question.website, name=question.name)
    return lookup.contact(connection, email=question.email)


def _told(connection: sa.Connection, golden_id: str) -> dict[str, Any]:
    told = connection.scalar(sa.select(head.c.wire).where(head.c.golden_id == golden_id, head.c.is_live))
    record = json.loads(told) if told else {}
    return {name: record[name] for name in ("entity_type", "external_id", "data") if name in record}
