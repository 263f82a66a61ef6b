"""Errors on the wire: one envelope, fixed codes, and never the text of an exception.

Belongs here: the error class that routes raise, its envelope, what becomes of errors that nobody raised on purpose.
Does not: when an error is due (the routes). Surprise: `retry_after_seconds` stands in every error, as the Integrator's
format wants; the header Retry-After only where waiting helps.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from assets.publishing.ledger import LedgerBusy, LedgerError
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from orchestration.service.state import service_of

RETRY_AFTER_S = 300  # what the Integrator's format names as its default
BUSY_AFTER_S = 5
_LOG = logging.getLogger("halosync.service")


class ErrorAnswer(BaseModel):
    """Every answer that is not a success."""

    status: str = Field("error", examples=["error"])
    error_code: str = Field(examples=["bad_request"])
    message: str = Field(examples=["limit is 0, expected 1 to 500"])
    retry_after_seconds: int = Field(RETRY_AFTER_S, examples=[RETRY_AFTER_S])
    timestamp: str = Field(examples=["2026-01-19T15:30:00.000000Z"])


class Refusal(HTTPException):
    """A request that is answered with an error on purpose; `message` is shown to the caller.

    An HTTPException, because FastAPI turns every other error in the middle of reading a body into a plain 400.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        retry_after_s: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail=message, headers=headers)
        self.code, self.retry_after_s = code, retry_after_s


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors a route can give, for the OpenAPI description."""
    return {status: {"model": ErrorAnswer, "description": HTTPStatus(status).phrase} for status in statuses}


def envelope(request: Request, refusal: Refusal) -> JSONResponse:
    now = service_of(request).clock.now()
    body = {
        "status": "error",
        "error_code": refusal.code,
        "message": refusal.detail,
        "retry_after_seconds": RETRY_AFTER_S if refusal.retry_after_s is None else refusal.retry_after_s,
        "timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    wait = {} if refusal.retry_after_s is None else {"Retry-After": str(refusal.retry_after_s)}
    headers = {"Cache-Control": "no-store", **wait, **(refusal.headers or {})}
    return JSONResponse(body, refusal.status_code, headers)


def install(app: FastAPI) -> None:
    """Answer every error with the envelope."""
    handlers: dict[Any, Callable[[Request, Any], Awaitable[Response]]] = {
        Refusal: _refused,
        RequestValidationError: _misunderstood,
        HTTPException: _unknown_route,
        LedgerBusy: _busy,
        LedgerError: _no_ledger,
        SQLAlchemyError: _no_ledger,
        Exception: _defect,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


async def _refused(request: Request, error: Refusal) -> Response:
    return envelope(request, error)


async def _misunderstood(request: Request, error: RequestValidationError) -> Response:
    """Names the parameters and what was expected of them, never the values."""
    told = "; ".join(
        f"{'.'.join(map(str, one['loc'][1:])) or one['loc'][0]}: {one['msg']}" for one in error.errors()[:5]
    )
    return envelope(request, Refusal(400, "bad_request", told))


async def _unknown_route(request: Request, error: HTTPException) -> Response:
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "bad_request")
    message = HTTPStatus(error.status_code).phrase
    return envelope(request, Refusal(error.status_code, code, message, headers=dict(error.headers or {})))


async def _busy(request: Request, error: LedgerBusy) -> Response:
    return envelope(request, Refusal(503, "busy", "The ledger is busy; ask again.", retry_after_s=BUSY_AFTER_S))


async def _no_ledger(request: Request, error: Exception) -> Response:
    _LOG.error("the ledger cannot be used", extra={"error": type(error).__name__})
    return envelope(request, Refusal(503, "unavailable", "The ledger cannot be used now.", retry_after_s=60))


async def _defect(request: Request, error: Exception) -> Response:
    # The type and the place alone: a message may hold a value of a record.
    _LOG.error("defect", extra={"error": type(error).__name__, "place": _place(error)})
    return envelope(request, Refusal(500, "internal", "This is a defect of halosync; its log has the request's id."))


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}"
