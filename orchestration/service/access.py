"""Who comes in: a bearer key with the scope of the route, and a fair share for each key.

Belongs here: the check before a route runs. Does not: keys themselves (`assets/publishing/keys.py`).
Surprise: the check stands around the whole handler, not in a dependency: FastAPI reads the body before it solves
dependencies, and nobody without a key shall make us read anything.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from assets.publishing import keys
from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool

from orchestration.service.errors import Refusal
from orchestration.service.shares import Shares
from orchestration.service.state import service_of

WRONG_KEYS_PER_MINUTE = 60  # of one address: guessing 256 bits is hopeless, flooding the log is not

_described = HTTPBearer(
    scheme_name="key", description="`Authorization: Bearer hs_…`, from `halosync keys add`", auto_error=False
)
_NO_KEY = "A key is needed: Authorization: Bearer hs_… (make one with: halosync keys add)."
_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Doorkeeper:
    """The limits of one application: calls a minute for each key, wrong keys a minute for each address."""

    def __init__(self, *, calls_per_minute: int, wrong_per_minute: int = WRONG_KEYS_PER_MINUTE) -> None:
        self._calls = Shares(calls_per_minute)
        self._wrong = Shares(wrong_per_minute)

    def is_in_share(self, key_id: str) -> bool:
        return self._calls.take(key_id)

    def is_guessing(self, address: str) -> bool:
        return not self._wrong.has(address)

    def note_wrong(self, address: str) -> None:
        self._wrong.take(address)


def guarded_router(scope: str, **options: Any) -> APIRouter:
    """A router all of whose routes ask for a key with `scope`."""

    class Guarded(APIRoute):
        scope_wanted = scope

        def get_route_handler(self) -> _Handler:
            handle = super().get_route_handler()

            async def guard(request: Request) -> Response:
                await _admit(request, scope)
                return await handle(request)

            return guard

    return APIRouter(route_class=Guarded, dependencies=[Depends(_described)], **options)


async def turn_away(request: Request) -> NoReturn:
    """401 for whoever shows no good credential, 429 for who guesses. Raises Refusal always."""
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    address = request.client.host if request.client else ""
    if doorkeeper.is_guessing(address):
        raise Refusal(429, "too_many_wrong_keys", "Too many wrong keys from this address.", retry_after_s=60)
    doorkeeper.note_wrong(address)
    raise Refusal(401, "unauthorised", _NO_KEY, headers={"WWW-Authenticate": "Bearer"})


async def _admit(request: Request, scope: str) -> None:
    """Raises Refusal: 401 without a live key, 403 where it lacks the scope, 429 where it had its share."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    key = None
    if kind.casefold() == "bearer" and token:
        key = await run_in_threadpool(keys.recognise, service_of(request).ledger, token.strip())
    if key is None:
        await turn_away(request)
    request.state.key_id, request.state.key = key.key_id, key
    if not key.may(scope):
        raise Refusal(403, "forbidden", f"This key lacks the scope {scope}.")
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    if not doorkeeper.is_in_share(key.key_id):
        raise Refusal(429, "too_many_requests", "This key has had its share of this minute.", retry_after_s=60)
