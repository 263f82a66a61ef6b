"""Enrich: what a HaloPSA runbook asks about a new client or user, answered from golden at once or after a run.

Belongs here: the questions and answers on the wire. Does not: the queue (`assets/publishing/enrichment.py`).
Surprise: a website is read for its domain and never visited; nothing a caller sends makes us open a connection.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from assets.publishing import enrichment
from assets.publishing.enrichment import Question
from fastapi import Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from orchestration.service.access import guarded_router
from orchestration.service.errors import Refusal, documented
from orchestration.service.state import service_of

router = guarded_router("enrich:write", tags=["enrich"])

NEXT_RUN_S = 300
Text = Annotated[str, Field(max_length=500)]
HaloId = Annotated[int | str, Field(description="the caller's own id, given back")]


class OrganisationQuestion(BaseModel):
    """Unknown keys are ignored: a runbook may send its whole client."""

    model_config = ConfigDict(extra="ignore")
    organization_id: HaloId | None = None
    website: Text | None = Field(None, examples=["https://www.example.com"])
    name: Text | None = Field(None, examples=["Example Ltd"])


class ContactQuestion(BaseModel):
    model_config = ConfigDict(extra="ignore")
    contact_id: HaloId | None = None
    email: Text | None = Field(None, examples=["ann@example.com"])
    name: Text | None = None


class Known(BaseModel):
    """The golden record, in the feed's fields."""

    status: Literal["success"] = "success"
    match: Literal["domain", "name", "email"] | None
    entity_type: Literal["organization", "contact", "prospect"]
    external_id: str
    data: dict[str, Any]
    asked_for: str | None = Field(description="the caller's own id")


class Queued(BaseModel):
    """Not known yet; a run will ask the sources."""

    status: Literal["accepted"] = "accepted"
    job_id: str
    status_url: str
    retry_after_seconds: int = NEXT_RUN_S


class JobState(BaseModel):
    """Where a question stands; `record` once it is done."""

    status: Literal["queued", "done", "unknown"]
    record: Known | None = None


_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"model": Known},
    202: {"model": Queued},
    **documented(400, 401, 403, 408, 413, 429, 503),
}


@router.post("/enrich/organization", responses=_RESPONSES, summary="What is known of an organisation")
def enrich_organisation(request: Request, asked: OrganisationQuestion) -> Response:
    if not (asked.website or asked.name):
        raise Refusal(400, "bad_request", "Give website or name.")
    halo_id = _text(asked.organization_id)
    return _answer(request, Question("organisation", website=asked.website, name=asked.name, halo_id=halo_id))


@router.post("/enrich/contact", responses=_RESPONSES, summary="What is known of a contact")
def enrich_contact(request: Request, asked: ContactQuestion) -> Response:
    if not asked.email or "@" not in asked.email:
        raise Refusal(400, "bad_request", "Give email.")
    domain = asked.email.rpartition("@")[2]
    halo_id = _text(asked.contact_id)
    return _answer(request, Question("contact", website=domain, email=asked.email, name=asked.name, halo_id=halo_id))


@router.get(
    "/enrich/jobs/{job_id}", responses=documented(400, 401, 403, 404, 429, 503), summary="Where a question stands"
)
def job(request: Request, job_id: Annotated[str, Path(max_length=64)]) -> JobState:
    ledger = service_of(request).ledger
    found = enrichment.job(ledger, job_id)
    if found is None:
        raise Refusal(404, "not_found", "There is no such question.")
    told = enrichment.of_golden(ledger, found.golden_id) if found.golden_id else None
    record = Known(match=None, asked_for=found.halo_id, **told) if told else None
    return JobState(status=found.state, record=record)  # type: ignore[arg-type]


def _answer(request: Request, question: Question) -> Response:
    service = service_of(request)
    told = enrichment.answer(service.ledger, question)
    if told is not None:
        return JSONResponse(Known(asked_for=question.halo_id, **told).model_dump())
    try:
        job_id = enrichment.ask(service.ledger, service.clock, question)
    except enrichment.QueueFull as error:
        raise Refusal(503, "queue_full", "Too many questions wait.", retry_after_s=NEXT_RUN_S) from error
    queued = Queued(job_id=job_id, status_url=f"/enrich/jobs/{job_id}")
    return JSONResponse(queued.model_dump(), 202, {"Retry-After": str(NEXT_RUN_S)})


def _text(given: int | str | None) -> str | None:
    return None if given is None else str(given)[:64]
