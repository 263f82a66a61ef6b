"""What HaloPSA means by a refusal: its many shapes of error bodies, brought to one text and one class.

Belongs here: reading error bodies. Does not: what follows from a class (`assets/publishing`), statuses of transport
(`sources/http.py`).
Surprise: the shapes have nothing in common, and a 500 is also how Halo answers mistakes of the caller.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

MESSAGE_LENGTH_MAX = 300

# Asked in this order of the lower-case text; the first that matches names the class.
_CLASSES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("mandatory_field", re.compile(r"mandatory|required|must be (?:set|entered|selected)|cannot be (?:empty|null)")),
    ("duplicate", re.compile(r"already (?:exists|in use|used)|duplicate|must be unique")),
    ("unknown_id", re.compile(r"not found|does not exist|could not find|unknown id|invalid (?:site|client|id)")),
    ("model", re.compile(r"could not convert|error converting|model state|deserializ|unexpected character|json array")),
)  # fmt: skip
_BY_STATUS = {401: "unauthorised", 403: "forbidden", 404: "not_found", 409: "duplicate", 429: "rate_limited"}


def message_of(body: str) -> str:
    """The one sentence inside an error body, in the order that public clients found to be needed; '' for none.

    JSON string; `error` with `error_description`; `error`; `ClassName` with `Message`; `errorMessage`; `Message`;
    model state; anything else raw, tags removed. May hold personal data: for the ledger, not for logs.
    """
    try:
        parsed = json.loads(body)
    except ValueError:
        parsed = re.sub(r"<[^>]*>", " ", body)
    return storable(" ".join(_text_of(parsed).split())[:MESSAGE_LENGTH_MAX])


def storable(text: str) -> str:
    """Text as every database takes it: a question mark for a lone surrogate, nothing for a NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")


def class_of(status: int, message: str) -> str:
    """mandatory_field, duplicate, unknown_id, model, validation, or the status in a word."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return "server"
    lowered = message.lower()
    return next((name for name, pattern in _CLASSES if pattern.search(lowered)), "validation")


def _text_of(parsed: Any) -> str:
    if isinstance(parsed, str):
        return parsed
    if isinstance(parsed, list):
        return "; ".join(_text_of(item) for item in parsed[:5])
    if not isinstance(parsed, Mapping):
        return "" if parsed is None else str(parsed)
    if "error" in parsed and "error_description" in parsed:
        return f"{_text_of(parsed['error'])}: {_text_of(parsed['error_description'])}"
    for name in ("error", "Message", "errorMessage", "message"):
        if parsed.get(name):
            return _text_of(parsed[name])
    state = parsed.get("ModelState") or parsed.get("errors") or parsed
    return "; ".join(f"{name}: {_text_of(value)}" for name, value in list(state.items())[:5]) if state else ""
