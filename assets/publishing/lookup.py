"""Which golden record has this domain, name or e-mail: an index beside the live heads.

Belongs here: its keys, and keeping it in step with the heads. Does not: matching of records that differ (transforms).
Surprise: it answers only what is exact after folding, and only where one record has the value: a guess would send one
customer's data to another's page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from transforms.kernels.fold import fold
from transforms.kernels.links import site

from assets.publishing.ledger import IDS_PER_QUERY, chunked, insert_new
from assets.publishing.tables import lookup


def keys_of(entity: str, content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(kind, value) under which a golden record is found."""
    if entity == "organisation":
        yield from _key("domain", site(content.get("domain") or content.get("website")))
        yield from _key("name", fold(content.get("name")))
    else:
        yield from _key("email", _email(content.get("email")))


def renew(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Bring the index in step with heads just written: rows of golden_id, entity, is_live, content."""
    for some in chunked([row["golden_id"] for row in rows], IDS_PER_QUERY):
        connection.execute(sa.delete(lookup).where(lookup.c.golden_id.in_(some)))
    found = [
        {"kind": kind, "value": value, "golden_id": row["golden_id"]}
        for row in rows
        if row["is_live"]
        for kind, value in keys_of(row["entity"], row["content"])
    ]
    insert_new(connection, lookup, found)


def organisation(connection: sa.Connection, *, website: str | None, name: str | None) -> tuple[str, str] | None:
    """(golden id, "domain" or "name"): by domain, else by name; None where none or several have it."""
    return _first(connection, [("domain", site(website)), ("name", fold(name))])


def contact(connection: sa.Connection, *, email: str | None) -> tuple[str, str] | None:
    """(golden id, "email"); None where none or several have it."""
    return _first(connection, [("email", _email(email))])


def _first(connection: sa.Connection, wanted: Iterable[tuple[str, str | None]]) -> tuple[str, str] | None:
    for kind, value in wanted:
        if value:
            query = sa.select(lookup.c.golden_id).where(lookup.c.kind == kind, lookup.c.value == value).limit(2)
            ids = connection.scalars(query).all()
            if len(ids) == 1:
                return ids[0], kind
    return None


def _key(kind: str, value: str | None) -> Iterator[tuple[str, str]]:
    if value:
        yield kind, value


def _email(text: str | None) -> str | None:
    return text.strip().casefold() if isinstance(text, str) and "@" in text else None
