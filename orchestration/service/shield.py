"""The shield around every request: an id, a bounded body, security headers, one log line, two figures.

Belongs here: what holds for all routes alike. Does not: keys and shares (`access.py`), what a route answers.
Surprise: it is plain ASGI. A body is counted while the route reads it, so that a caller without a key is turned away
before the first byte, and one that lies about Content-Length or dawdles is cut off in the middle.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestration.service.errors import Refusal
from orchestration.service.metrics import Metrics

BODY_BYTES_MAX = 256 * 1024
BODY_S_MAX = 10.0

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_LOG = logging.getLogger("halosync.access")
_SAFE = ((b"x-content-type-options", b"nosniff"), (b"x-frame-options", b"DENY"), (b"referrer-policy", b"no-referrer"))
_HEADERS = (*_SAFE, (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"))
# The description pages bring scripts of their own, from this very service.
_DOCS = (
    b"default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
)
_DOCS_HEADERS = (*_SAFE, (b"content-security-policy", _DOCS + b"frame-ancestors 'none'"))
_DOCS_PATHS = ("/docs", "/static-offline-docs")


class Shield:
    """ASGI middleware; outermost of all."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = time.perf_counter()
        given = dict(scope["headers"])
        request_id = _request_id(given)
        scope.setdefault("state", {})["request_id"] = request_id
        headers = _DOCS_HEADERS if scope["path"].startswith(_DOCS_PATHS) else _HEADERS
        status = 500

        async def send_shielded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = (*headers, (b"x-request-id", request_id.encode()))
                message = {**message, "headers": [*message["headers"], *own]}
            await send(message)

        try:
            await self._app(scope, _bounded(given, receive), send_shielded)
        finally:
            self._note(scope, status, time.perf_counter() - began_s, request_id)

    def _note(self, scope: Scope, status: int, seconds: float, request_id: str) -> None:
        """The route's template is told, never the address asked for: it may hold a token or a name."""
        route = getattr(scope.get("route"), "path", "unknown")
        self._metrics.note(scope["method"], route, status, seconds)
        told: dict[str, Any] = {
            "request_id": request_id,
            "method": scope["method"],
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 1),
            "key_id": scope["state"].get("key_id"),
        }
        _LOG.info("request", extra=told)


def _bounded(headers: dict[bytes, bytes], receive: Receive) -> Receive:
    """`receive` that refuses a body too long (413) or too slow (408)."""
    declared = _content_length(headers)
    deadline_s = 0.0
    received_bytes = 0

    async def receive_bounded() -> Message:
        nonlocal received_bytes, deadline_s
        if declared > BODY_BYTES_MAX:
            raise _too_large()
        loop = asyncio.get_running_loop()
        deadline_s = deadline_s or loop.time() + BODY_S_MAX
        try:
            message = await asyncio.wait_for(receive(), max(0.001, deadline_s - loop.time()))
        except TimeoutError as error:
            raise Refusal(408, "too_slow", f"The body took longer than {BODY_S_MAX:g} s.") from error
        received_bytes += len(message.get("body", b""))
        if received_bytes > BODY_BYTES_MAX:
            raise _too_large()
        return message

    has_body = declared > 0 or b"transfer-encoding" in headers
    return receive_bounded if has_body else receive


def _too_large() -> Refusal:
    return Refusal(
        413, "too_large", f"The body is longer than {BODY_BYTES_MAX} bytes.", headers={"Connection": "close"}
    )


def _content_length(headers: dict[bytes, bytes]) -> int:
    found = headers.get(b"content-length", b"0")
    return int(found) if found.isdigit() else BODY_BYTES_MAX + 1


def _request_id(headers: dict[bytes, bytes]) -> str:
    """The caller's own, where it is harmless in a log; else a new one."""
    given = headers.get(b"x-request-id", b"").decode("latin-1")
    return given if _REQUEST_ID.match(given) else secrets.token_hex(16)
