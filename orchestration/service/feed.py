"""The feed's routes: all that changed, one kind of record, or one source's records.

Belongs here: parsing the question, naming the source. Does not: the walk (`assets/publishing/feed.py`), the short way
of most pages (`fast_lane.py`).
Surprise: whoever echoes nothing but `last_sync` gets every page too (docs/feed.md).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from assets.publishing import feed
from assets.publishing.place import FeedError
from fastapi import Path, Query, Request, Response
from pydantic import BaseModel, Field

from orchestration.service.access import guarded_router
from orchestration.service.answers import answer
from orchestration.service.errors import Refusal, documented
from orchestration.service.state import service_of
from orchestration.settings import VENDORS

router = guarded_router("feed:read", tags=["feed"])

LastSync = Annotated[
    str | None,
    Query(description="the `last_sync_timestamp` of the last answer; without it everything is sent", max_length=64,
          examples=["2026-01-19T15:30:00.000001Z"]),
]  # fmt: skip
Cursor = Annotated[str | None, Query(description="`metadata.cursor` of the last page", max_length=1_000)]
Limit = Annotated[int, Query(description="records a page", ge=1, le=feed.PAGE_ROWS_MAX)]
Source = Annotated[str, Path(description=f"one of {', '.join(VENDORS)}", max_length=40)]
Kind = Annotated[Literal["contacts", "organizations"], Path(description="kind of record")]

ENTITY = {"contacts": "contact", "organizations": "organisation"}


class FeedRecord(BaseModel):
    """One golden record in full, or that it is retired."""

    action: Literal["upsert", "delete"]
    entity_type: Literal["organization", "contact", "prospect"]
    external_id: str = Field(description="golden id, stable for life")
    data: dict[str, Any]


class FeedAnswer(BaseModel):
    """One page of the feed."""

    status: Literal["success"]
    records: list[FeedRecord]
    total_count: int = Field(description="records in this answer")
    last_sync_timestamp: str = Field(description="send this back as `last_sync`")
    metadata: dict[str, Any]


_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"model": FeedAnswer},
    304: {"description": "You hold this very answer"},
    **documented(400, 401, 403, 429, 503),
}


@router.get("/halo-integrator/sync", responses=_RESPONSES, summary="All changes, organisations first")
def everything(
    request: Request, last_sync: LastSync = None, cursor: Cursor = None, limit: Limit = feed.PAGE_ROWS_DEFAULT
) -> Response:
    return _page(request, last_sync, cursor, limit)


@router.get("/sync/{kind}", responses=_RESPONSES | documented(404), summary="Changes of one kind of record")
def of_kind(
    request: Request, kind: Kind, last_sync: LastSync = None, cursor: Cursor = None,
    limit: Limit = feed.PAGE_ROWS_DEFAULT,
) -> Response:  # fmt: skip
    return _page(request, last_sync, cursor, limit, kind=kind)


@router.get("/sync/{source}/{kind}", responses=_RESPONSES | documented(404), summary="Records a source contributed to")
def of_source(
    request: Request, source: Source, kind: Kind, last_sync: LastSync = None, cursor: Cursor = None,
    limit: Limit = feed.PAGE_ROWS_DEFAULT,
) -> Response:  # fmt: skip
    if source not in VENDORS:
        raise Refusal(404, "unknown_source", f"Known sources are {', '.join(VENDORS)}.")
    return _page(request, last_sync, cursor, limit, kind=kind, source=source)


def _page(
    request: Request, last_sync: str | None, cursor: str | None, limit: int, *, kind: str | None = None,
    source: str | None = None,
) -> Response:  # fmt: skip
    service = service_of(request)
    question = feed.Question(last_sync, cursor, limit, ENTITY[kind] if kind else None, source)
    try:
        page = feed.page(service.ledger, service.clock, question)
    except FeedError as error:
        raise Refusal(400, "bad_request", f"{error}.") from error
    status, headers, body = answer(
        page,
        accept_encoding=request.headers.get("accept-encoding", ""),
        if_none_match=request.headers.get("if-none-match", ""),
    )
    return Response(body, status, headers)
