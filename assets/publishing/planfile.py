"""The plan as a file: what a person reviews and `apply` obeys.

Belongs here: its shape, its digest, masking values, writing and reading it. Does not: how the effects were found
(rehearsal.py), whether it may be applied (applying.py).
Surprise: as written by default the file holds no personal data: a value is shown by its shape, and by keyed digests
whose key never leaves the ledger.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from assets.publishing.merge import Value
from assets.publishing.planned import Key, PlannedEffect, Promise

SCHEMA_VERSION = 1
Plan = dict[str, Any]


class PlanError(ValueError):
    """A plan cannot be used; one line with what to do. Exit code 2."""


def compose(
    effects: Sequence[PlannedEffect],
    *,
    secret: str,
    nonce: str,
    made_at: datetime,
    expires_at: datetime,
    counts: Mapping[str, Mapping[str, int]],
    states: Mapping[str, Counter[str]],
    waiting: Sequence[str],
    problems: Sequence[str],
    held_by: Sequence[str],
    with_values: bool,
) -> Plan:
    """The plan as one JSON object; `plan_id` is the digest of the rest, `nonce` tells apart plans that say the same."""
    plan: Plan = {
        "schema_version": SCHEMA_VERSION,
        "nonce": nonce,
        "made_at": made_at.isoformat(),
        "expires_at": expires_at.isoformat(),
        "counts": {entity: dict(tally) for entity, tally in counts.items()},
        "audience": {entity: dict(sorted(tally.items())) for entity, tally in states.items()},
        "held_by": list(held_by),
        "waiting": list(waiting),
        "problems": list(problems),
        "has_values": with_values,
        "effects": [_as_json(effect, secret, with_values=with_values) for effect in effects],
    }
    return {"plan_id": digest(plan), **plan}


def digest(plan: Plan) -> str:
    """Of everything but `plan_id`, whatever the order of keys and the blanks between them."""
    rest = {name: value for name, value in plan.items() if name != "plan_id"}
    text = json.dumps(rest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def promises(plan: Plan) -> dict[Key, Promise]:
    """What each effect of the plan is recognised by."""
    return {
        (item["golden_id"], item["resource"], item["operation"]): Promise(
            item["entity"], item["halo_id"], item["base"], item["digest"]
        )
        for item in plan["effects"]
    }


def write(path: Path, plan: Plan) -> None:
    """For the owner alone, and whole or not at all."""
    draft = path.with_name(f"{path.name}.tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(plan, file, ensure_ascii=False, indent=1)
        file.write("\n")
    draft.replace(path)


def read(path: Path) -> Plan:
    """A plan whose digest is right.

    Raises:
        PlanError: it cannot be read, is no plan, or was altered.
    """
    again = "Make a new one: halosync plan."
    try:
        plan = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise PlanError(f"{path}: cannot be read ({error.strerror}).") from error
    except ValueError as error:
        raise PlanError(f"{path}: is no plan, it is no JSON. {again}") from error
    if not isinstance(plan, dict) or plan.get("schema_version") != SCHEMA_VERSION or "plan_id" not in plan:
        raise PlanError(f"{path}: is no plan of this release. {again}")
    if plan["plan_id"] != digest(plan):
        raise PlanError(f"{path}: was altered after it was made, its digest does not fit. {again}")
    return plan


def shape(value: Value) -> str | int | None:
    """What kind of text it is, without telling it: letters as a and A, digits as 9, runs cut to three."""
    if not isinstance(value, str):
        return None if value is None else "9"
    return re.sub(r"(.)\1{3,}", r"\1\1\1", "".join(map(_class_of, value)))


def _class_of(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Nd":
        return "9"
    if category.startswith(("L", "M")):
        return "A" if category in ("Lu", "Lt") else "a"
    return character


def _as_json(effect: PlannedEffect, secret: str, *, with_values: bool) -> dict[str, Any]:
    def shown(name: str, value: Value) -> Value:
        return value if with_values or name == "site_id" else shape(value)

    return {
        "golden_id": effect.golden_id,
        "entity": effect.entity,
        "resource": effect.resource,
        "operation": effect.operation,
        "halo_id": effect.halo_id,
        "fields": {
            name: {"before": shown(name, before), "after": shown(name, after)}
            for name, (before, after) in effect.changes.items()
        },
        "stamps_golden_id": effect.is_stamping,
        "makes_active": effect.is_waking,
        "base": effect.base_digest(secret),
        "digest": effect.digest(secret),
    }
