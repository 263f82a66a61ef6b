"""Subscriptions on the wire: who wants to be told of changes, where, and how it goes.

Belongs here: the routes. Does not: delivering (`courier.py`), how far each was told (`assets/publishing/hooks.py`).
Surprise: a subscription belongs to the name of a key, not to the key, so that a key can be renewed; it ends by itself
when nobody of that name has a live key any more.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from assets.publishing import hooks
from fastapi import Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from orchestration.service import targets
from orchestration.service.access import guarded_router
from orchestration.service.errors import Refusal, documented
from orchestration.service.feed import ENTITY
from orchestration.service.state import service_of

router = guarded_router("hooks:write", tags=["hooks"])

_KIND = {entity: kind for kind, entity in ENTITY.items()}


class Subscribe(BaseModel):
    """What a receiver asks for."""

    model_config = ConfigDict(extra="forbid")
    url: str = Field(description="https address that takes POST", max_length=targets.URL_MAX,
                     examples=["https://automation.example.com/hooks/halosync"])  # fmt: skip
    kind: Literal["contacts", "organizations"] | None = Field(None, description="one kind of record; without it both")
    start: Literal["now", "beginning"] = Field("now", description="beginning: first everything there is")


class Subscription(BaseModel):
    """How a subscription stands."""

    hook_id: str
    url: str
    kind: Literal["contacts", "organizations"] | None
    state: Literal["active", "gone", "disabled", "orphaned"] = Field(
        description="gone: the receiver said 410; disabled: too many tries failed; orphaned: its key's name has none"
    )
    reason: str | None = Field(description="what the last try met")
    failures: int
    created_at: datetime
    delivered_at: datetime | None


class Subscribed(Subscription):
    """A new subscription with its secret, shown this once."""

    secret: str = Field(description="whsec_…, for the signature of Standard Webhooks")


class Subscriptions(BaseModel):
    hooks: list[Subscription]


@router.post(
    "/hooks", status_code=201, summary="Be told of changes by webhook",
    responses=documented(400, 401, 403, 408, 409, 413, 429, 503),
)  # fmt: skip
def subscribe(request: Request, asked: Subscribe) -> Subscribed:
    service = service_of(request)
    try:
        targets.checked(asked.url, service.settings.hooks)
        made, secret = hooks.add(
            service.ledger,
            service.clock,
            owner=request.state.key.name,
            url=asked.url,
            entity=ENTITY[asked.kind] if asked.kind else None,
            is_from_start=asked.start == "beginning",
        )
    except targets.TargetRefused as error:
        raise Refusal(400, "bad_target", f"{error}.") from error
    except hooks.HookRefused as error:
        raise Refusal(409, "too_many_hooks", f"{error}.") from error
    return Subscribed(**_shown(made).model_dump(), secret=secret)


@router.get("/hooks", summary="Your subscriptions", responses=documented(401, 403, 429, 503))
def listed(request: Request) -> Subscriptions:
    found = hooks.every(service_of(request).ledger, _owner(request))
    return Subscriptions(hooks=[_shown(one) for one in found])


@router.delete(
    "/hooks/{hook_id}", status_code=204, summary="End a subscription", response_class=Response,
    responses=documented(400, 401, 403, 404, 429, 503),
)  # fmt: skip
def end(request: Request, hook_id: Annotated[str, Path(max_length=64)]) -> Response:
    service, name = service_of(request), request.state.key.name
    if not hooks.remove(service.ledger, service.clock, hook_id, by=name, owner=_owner(request)):
        raise Refusal(404, "not_found", "There is no such subscription of yours.")
    return Response(status_code=204)


def _owner(request: Request) -> str | None:
    """Whose subscriptions a key may see; an admin's all."""
    return None if "admin" in request.state.key.scopes else request.state.key.name


def _shown(one: hooks.Hook) -> Subscription:
    return Subscription(
        hook_id=one.hook_id, url=one.url, kind=_KIND.get(one.entity or ""), state=one.state, reason=one.reason,
        failures=one.failures, created_at=one.created_at, delivered_at=one.delivered_at,
    )  # type: ignore[arg-type]  # fmt: skip
