"""Rows of simulated Apollo that must never get in.

Belongs here: how a row is spoilt. Does not: which rows are (`account.Switches`), the screen that stops them
(`sources/intake.py`). Surprise: a lone surrogate can only travel escaped, so answers with people are sent as ASCII.
"""

from __future__ import annotations

import math
from typing import Any


def poisoned(told: dict[str, Any], kind: str) -> Any:
    """A row that must not get in: `huge`, `nul`, `surrogate`, `deep`, `nan`, `no_id` or `not_object`."""
    match kind:
        case "huge":
            return {**told, "headline": "x" * 2_000_000}
        case "nul":
            return {**told, "title": "Head of\x00IT"}
        case "surrogate":
            return {**told, "title": "Head \ud83d of IT"}
        case "nan":
            return {**told, "extrapolated_email_confidence": math.nan}
        case "no_id":
            return {**told, "id": None}
        case "not_object":
            return "This is obsolete data."
        case "deep":
            nested: dict[str, Any] = {}
            for _ in range(40):
                nested = {"more": nested}
            return {**told, "organization_tree": nested}
    raise ValueError(f"unknown kind of poison {kind!r}")
