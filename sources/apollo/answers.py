"""What simulated Apollo's requests and answers have in common: parameters, pages, errors in Apollo's own words.

Belongs here: parsing a request, wrapping an answer. Does not: what is in it (`simulator.py`, `workspace.py`).
Surprise: parameters come as `name[]` in the query or as `name` in a JSON body; both work, the body wins.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from sources.apollo.directory import BadFilter
from sources.apollo.limits import Verdict
from sources.simulation import json_response

Body = Mapping[str, Any]

INVALID_KEY = (
    "Invalid API key. See https://docs.apollo.io/reference/authentication for how to create a valid key and pass it."
)
DEPRECATED = (
    "This endpoint is deprecated for API callers. Please use the new mixed_people/api_search endpoint: "
    "https://docs.apollo.io/reference/people-api-search"
)
NO_CREDITS = (
    'You have insufficient credits! <a href="https://app.apollo.io/#/settings/plans/upgrade">Upgrade your plan</a> '
    "to get more lead credits."
)
OVER_THRESHOLD = "Page * per page number is over threshold."
_PAID_ONLY = "api/v1/{route} is only available to Apollo users on paid plans."


def body_of(request: Request) -> dict[str, Any]:
    """Parameters from the query (`name[]` gives a list) and from a JSON body; the body wins."""
    told: dict[str, Any] = {}
    for name, values in request.args.lists():
        told[name.removesuffix("[]")] = values if name.endswith("[]") else values[-1]
    raw = request.get_data()
    if raw:
        try:
            sent = json.loads(raw)
        except ValueError as error:
            raise BadFilter("There was a problem in the JSON you submitted.") from error
        told |= {str(name).removesuffix("[]"): value for name, value in sent.items()} if isinstance(sent, dict) else {}
    return told


def page_size(body: Body) -> tuple[int, int]:
    """`page` from 1, and `per_page` clamped to 100.

    Raises:
        BadFilter: one of them is no number.
    """
    try:
        return max(int(body.get("page") or 1), 1), min(max(int(body.get("per_page") or 10), 1), 100)
    except (TypeError, ValueError) as error:
        raise BadFilter("Invalid page") from error


def error(text: str) -> Response:
    return json_response({"error": text}, status=422)


def escaped(body: dict[str, Any]) -> Response:
    """JSON in ASCII, which alone can carry the lone surrogate of a poison row."""
    return Response(json.dumps(body), mimetype="application/json")


def refused(code: str, text: str) -> Response:
    return json_response({"status": "failed", "error_code": code, "error_message": text}, status=400)


def pagination(page: int, rows: int, total: int) -> dict[str, int]:
    return {"page": page, "per_page": rows, "total_entries": total, "total_pages": math.ceil(total / rows)}


def list_page(name: str, told: list[dict[str, Any]], page: int, rows: int, total: int) -> dict[str, Any]:
    return {
        "breadcrumbs": [],
        "partial_results_only": False,
        "partial_results_limit": 10_000,
        "pagination": pagination(page, rows, total),
        name: told,
    }


def paid_only(route: str) -> Response:
    """What a free plan hears."""
    return json_response({"message": _PAID_ONLY.format(route=route)}, status=403)


def out_of_scope(route: str) -> Response:
    """What a key hears that was not made for this route."""
    text = f"This API key is not authorized to access api/v1/{route}"
    return json_response({"error": text, "error_code": "API_INACCESSIBLE"}, status=403)


def too_many(route: str, verdict: Verdict, *, has_details: bool) -> Response:
    """429 in the plain body, or in the newer one with `error_details`."""
    text = (
        f"The maximum number of api calls allowed for api/v1/{route} is {verdict.limit} times per {verdict.window}. "
        "Please upgrade your plan."
    )
    told: dict[str, Any] = {"message": text}
    if has_details:
        told["error_details"] = {
            "code": "USAGE.RATE_LIMIT.API_RATE_LIMIT_EXCEEDED",
            "message": text,
            "suggestions": ["Wait for the window to pass."],
            "context": {"limit": verdict.limit},
        }
    return json_response(told, status=429, headers=verdict.headers)
