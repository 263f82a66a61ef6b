"""The short way of most pages of the feed: straight from the ledger's snapshot to the socket.

Belongs here: the ASGI middleware that answers a good question for a page itself. Does not: any answer of its own.
Surprise: whatever is not plain (a wrong key, a bad question, a page that needs a write, a ledger that cannot be read at
once, a source's pages, which search) goes on to the routes of `feed.py`, so errors and rare cases live there alone.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from urllib.parse import parse_qsl

from assets.publishing import feed
from assets.publishing.keys import Key, KeyRing
from assets.publishing.place import FeedError
from assets.publishing.snapshot import Kept
from starlette.types import ASGIApp, Receive, Scope, Send

from orchestration.service.answers import Answer, answer
from orchestration.service.feed import ENTITY
from orchestration.service.state import Service

_CURSOR_MAX, _LAST_SYNC_MAX = 1_000, 64  # as the routes have it


@dataclass(frozen=True)
class _Route:
    path: str  # as the routes name it, for log and metrics
    entity: str | None


_ROUTES = {"/halo-integrator/sync": _Route("/halo-integrator/sync", None)} | {
    f"/sync/{kind}": _Route("/sync/{kind}", entity) for kind, entity in ENTITY.items()
}


class FastLane:
    """ASGI middleware before the routes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._ring = KeyRing()
        self._kept: Kept | None = None
        self._is_opened = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            try:
                await self._app(scope, receive, send)
            finally:
                self._close()
            return
        found = self._answer(scope)
        if found is None:
            await self._app(scope, receive, send)
            return
        headers = [(name.encode(), value.encode()) for name, value in found.headers.items()]
        await send({"type": "http.response.start", "status": found.status, "headers": headers})
        await send({"type": "http.response.body", "body": found.body})

    def _answer(self, scope: Scope) -> Answer | None:
        """Without an await inside, so that one request at a time has the connection."""
        route = _ROUTES.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        question = _question(scope["query_string"], route.entity) if route is not None else None
        if question is None:
            return None
        headers = dict(scope["headers"])  # of two of one name the last; it is a key or an encoding that we know, or not
        kind, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        state = scope["app"].state
        if kind.casefold() != "bearer":
            return None
        key, page = self._read(state.service, token.strip(), question)
        if key is None or not isinstance(page, feed.Page) or not state.doorkeeper.is_in_share(key.key_id):
            return None
        scope["route"], scope["state"]["key_id"] = route, key.key_id
        return answer(
            page,
            accept_encoding=headers.get(b"accept-encoding", b"").decode("latin-1"),
            if_none_match=headers.get(b"if-none-match", b"").decode("latin-1"),
        )

    def _read(
        self, service: Service, token: str, question: feed.Question
    ) -> tuple[Key | None, feed.Page | feed.Unstamped | None]:
        """Whose token it is and his page, in one snapshot; None for what the long way shall judge."""
        if not self._is_opened:
            self._kept, self._is_opened = Kept.of(service.ledger), True
        if self._kept is None:
            return None, None
        try:
            with self._kept.snapshot() as (snapshot, version):
                key = self._ring.recognise(snapshot, version, token)
                if key is None or not key.may("feed:read"):
                    return None, None
                return key, feed.page_in(snapshot, service.clock, question)
        except (FeedError, sqlite3.Error):
            return None, None

    def _close(self) -> None:
        if self._kept is not None:
            self._kept.close()
        self._kept, self._is_opened = None, False


def _question(query: bytes, entity: str | None) -> feed.Question | None:
    """The question, None where the routes shall judge it."""
    given = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    asked = dict(given)
    if len(asked) != len(given) or not asked.keys() <= {"last_sync", "cursor", "limit"}:
        return None
    limit = asked.get("limit", str(feed.PAGE_ROWS_DEFAULT))
    last_sync, cursor = asked.get("last_sync"), asked.get("cursor")
    is_plain = limit.isascii() and limit.isdigit() and len(limit) <= len(str(feed.PAGE_ROWS_MAX))
    is_short = len(last_sync or "") <= _LAST_SYNC_MAX and len(cursor or "") <= _CURSOR_MAX
    return feed.Question(last_sync, cursor, int(limit), entity) if is_plain and is_short else None
