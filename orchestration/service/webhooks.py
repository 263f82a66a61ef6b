"""Webhooks in: a hint is durable before the sender hears 202.

Belongs here: the order of checks. Does not: proofs (`signatures.py`), the inbox (`assets/publishing/inbox.py`).
Surprise: the route declares no body, so that FastAPI reads none before the sender was admitted.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from assets.publishing import inbox
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sources.hints import hints_in
from starlette.concurrency import run_in_threadpool

from orchestration.service import signatures
from orchestration.service.access import turn_away
from orchestration.service.errors import Refusal, documented
from orchestration.service.state import service_of

router = APIRouter(tags=["webhooks"])

FULL_AFTER_S = 120

_BODY: dict[str, Any] = {
    "requestBody": {"content": {"application/json": {"schema": {}}}, "description": "any JSON; only ids are read"}
}


class Accepted(BaseModel):
    """The hint is kept."""

    status: str = "accepted"
    is_new: bool
    hints: int


_OPTIONS: dict[str, Any] = {
    "status_code": 202,
    "response_model": Accepted,
    "responses": documented(400, 401, 404, 408, 410, 413, 429, 503),
    "openapi_extra": _BODY,
}
Source = Annotated[str, Path(max_length=40)]
Token = Annotated[str, Path(max_length=200)]


@router.post("/webhook/{source}", summary="A vendor or HaloPSA says that something changed", **_OPTIONS)
async def webhook(request: Request, source: Source) -> Response:
    return await _take_in(request, source, None)


@router.post("/webhook/{source}/{token}", summary="The same for senders that cannot set a header", **_OPTIONS)
async def webhook_with_token(request: Request, source: Source, token: Token) -> Response:
    return await _take_in(request, source, token)


async def _take_in(request: Request, source: str, token: str | None) -> Response:
    service = service_of(request)
    settings = service.settings.webhooks.get(source)
    if settings is None:
        raise Refusal(404, "unknown_source", "No such source sends webhooks here.")
    if settings.auth == "disabled":
        raise Refusal(410, "disabled", f"Webhooks of {source} are switched off here.")
    if not settings.secrets() or not signatures.is_admitted(settings, request.headers, token):
        await turn_away(request)
    body = await request.body()
    if not signatures.is_signed(settings, request.headers, body, service.clock.now()):
        await turn_away(request)
    hints = hints_in(source, _parsed(body))
    delivery_id = signatures.delivery_id(settings, request.headers, body)
    try:
        is_new = await run_in_threadpool(
            inbox.accept, service.ledger, service.clock, source=source, delivery_id=delivery_id, hints=hints
        )
    except inbox.InboxFull as error:
        raise Refusal(503, "inbox_full", "Too many hints wait already.", retry_after_s=FULL_AFTER_S) from error
    return JSONResponse(Accepted(is_new=is_new, hints=len(hints)).model_dump(), 202)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "bad_request", "The body is no JSON.") from error
